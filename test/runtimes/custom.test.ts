import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { StreamCaller, startExecutor, valueOf } from '../helpers/executor.ts'
import { childrenOf, commandLine, eventually, ROOT, treeOf } from '../helpers/hearth.ts'

const FIXTURES = path.join(ROOT, 'test/fixtures/functions/custom')
const RUNTIME = 'provided.al2023'
t.setTimeout(120_000)

/** A package with this as its bootstrap, in `dir`. */
function packageWith(dir: string, bootstrap: string | Buffer, mode = 0o755): string {
  const codeDir = path.join(dir, `code-${readdirSync(dir).length}`)
  mkdirSync(codeDir)
  writeFileSync(path.join(codeDir, 'bootstrap'), bootstrap)
  chmodSync(path.join(codeDir, 'bootstrap'), mode)
  return codeDir
}

t.test('the Runtime API keeps its rules', async (t) => {
  const box = await startExecutor(t)
  const pool = box.pool({ codeDir: path.join(FIXTURES, 'conformance'), runtime: RUNTIME, handler: 'rules' })
  const state = (from: string, to: string) =>
    new RegExp(`403 \\{"errorMessage":"State transition from ${from} to ${to} failed for runtime`)
  const first = valueOf(await box.invoke(pool)) as string[]
  const seen = (name: string) => first.find((line) => line.startsWith(`${name} `))
  t.equal(seen('ping'), 'ping 200 pong')
  t.match(seen('early'), state('Started', 'InvocationResponse'))
  t.match(seen('nowhere'), /404/)
  t.match(seen('again'), state('Running', 'Ready'))
  t.match(seen('stranger'), /400 \{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"\}/)
  t.match(seen('late-init'), state('Running', 'InitError'))
  const headers = first.filter((line) => line.startsWith('header ')).map((line) => line.slice(7).toLowerCase())
  t.match(headers.sort(), [
    'content-type: application/json',
    /^lambda-runtime-aws-request-id: [0-9a-f-]{36}$/,
    /^lambda-runtime-deadline-ms: \d{13}$/,
    /^lambda-runtime-invoked-function-arn: arn:aws:lambda:/
  ])

  const second = valueOf(await box.invoke(pool)) as string[]
  t.match(second, ['code 202', /^twice 400 .*InvalidRequestID/])

  const odd = await box.invoke(pool)
  t.equal(odd.errorType, 'Runtime.InvalidResponseModeHeader')
  const large = await box.invoke(pool)
  t.match(valueOf(large), { errorType: 'Function.ResponseSizeTooLarge' })
  const last = valueOf(await box.invoke(pool)) as string[]
  t.match(last.join('\n'), /mode 400 .*InvalidFunctionResponseMode/)
  t.match(last.join('\n'), /large 413 .*6291556 bytes.*RequestEntityTooLarge/)
})

t.test('answers may be streams, break off, and fail half-way', async (t) => {
  const box = await startExecutor(t)
  const pool = box.pool({ codeDir: path.join(FIXTURES, 'conformance'), runtime: RUNTIME, handler: 'stream' })
  const failed = await box.invoke(pool)
  t.equal(failed.errorType, 'Function.Broken')
  t.same(valueOf(failed), { errorMessage: 'half-way', errorType: 'Function.Broken' })
  t.equal((await box.invoke(pool)).errorType, 'Runtime.TruncatedResponse')
  t.equal(valueOf(await box.invoke(pool)), 'whole')
})

t.test('a streaming caller gets what a runtime streams as it comes, at its own pace', async (t) => {
  const box = await startExecutor(t)
  const conformance = path.join(FIXTURES, 'conformance')
  const stream = async (pool: Parameters<typeof box.invoke>[0], caller = new StreamCaller()) => ({
    caller,
    outcome: await box.invoke(pool, {}, { stream: caller })
  })
  const broken = await stream(box.pool({ codeDir: conformance, runtime: RUNTIME, handler: 'stream' }))
  t.equal(broken.caller.text, 'hello')
  t.match(broken.outcome, { status: 'error', errorType: 'Function.Broken', streamed: { bytes: 5 } })
  t.same(valueOf(broken.outcome), { errorMessage: 'half-way', errorType: 'Function.Broken' })

  const pool = box.pool({ codeDir: conformance, runtime: RUNTIME, handler: 'live', timeoutMs: 60_000 })
  const live = await stream(pool)
  t.match(live.outcome, { status: 'ok', streamed: { bytes: 12 } })
  t.equal(live.caller.text, 'first second')
  t.equal(live.caller.contentType, 'text/live')
  const { executeMs } = live.outcome.phases
  t.ok(live.outcome.streamed!.firstByteMs < executeMs - 200, `${live.outcome.streamed!.firstByteMs} of ${executeMs} ms`)

  const truncated = await stream(pool)
  t.equal(truncated.caller.text, 'first')
  t.match(truncated.outcome, { status: 'error', errorType: 'Runtime.TruncatedResponse' })

  const slow = new StreamCaller({ slow: true, keep: false })
  const done = box.invoke(pool, {}, { stream: slow })
  await eventually(() => slow.held > 180_000)
  const drain = setInterval(() => slow.drain(), 1)
  t.match(await done, { status: 'ok', streamed: { bytes: 8_388_608 } })
  clearInterval(drain)
  t.ok(slow.peak <= 524_288, `${slow.peak}`)

  const large = await stream(pool, new StreamCaller({ keep: false }))
  t.match(large.outcome, { status: 'error', errorType: 'Function.ResponseSizeTooLarge' })
  t.ok(large.caller.bytes <= 209_715_200)

  const plain = await stream(pool)
  t.match(plain.outcome, { status: 'ok', streamed: undefined })
  t.equal(valueOf(plain.outcome), 'plain')
})

t.test('a wrapped runtime streams too', async (t) => {
  const box = await startExecutor(t)
  const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const piece = Buffer.alloc(65536)
  for (let i = 0; i < event.pieces; i++) if (!stream.write(piece)) await new Promise((go) => stream.once('drain', go))
  stream.end()
  if (event.fail) throw new TypeError('after all')
})`
  const dir = t.testdir({ code: { 'index.js': source }, opt: { extensions: {} } })
  const pool = box.pool({ codeDir: path.join(dir, 'code'), optDir: path.join(dir, 'opt'), extensions: true })
  const caller = new StreamCaller({ keep: false })
  const outcome = await box.invoke(pool, { pieces: 64 }, { stream: caller })
  t.match(outcome, { status: 'ok', streamed: { bytes: 64 * 65_536 } })
  t.match(await box.invoke(pool, { pieces: 1, fail: true }, { stream: new StreamCaller() }), {
    status: 'error',
    errorType: 'TypeError',
    streamed: { bytes: 65_536 }
  })
  t.match(await box.invoke(pool, { pieces: 0 }, { stream: new StreamCaller() }), { status: 'ok', cold: false })
})

t.test('what cannot be started is said in the platform’s words', async (t) => {
  const box = await startExecutor(t)
  const dir = t.testdir({})
  const empty = path.join(dir, 'empty')
  mkdirSync(empty)
  const elf = Buffer.alloc(64)
  elf.write('\x7fELF\x02\x01\x01', 'latin1')
  for (const [codeDir, type, message] of [
    [empty, 'InvalidEntrypoint', "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"],
    [packageWith(dir, '#!/bin/sh\n', 0o644), 'InvalidEntrypoint', 'fork/exec /var/task/bootstrap: permission denied'],
    [packageWith(dir, elf), 'InvalidEntrypoint', 'fork/exec /var/task/bootstrap: exec format error'],
    [packageWith(dir, 'echo hello\n'), 'InvalidEntrypoint', 'fork/exec /var/task/bootstrap: exec format error'],
    [packageWith(dir, '#!/no/such\n'), 'InvalidEntrypoint', 'fork/exec /var/task/bootstrap: no such file or directory'],
    [packageWith(dir, '#!/bin/sh\nexit 3\n'), 'ExitError', 'Runtime exited with error: exit status 3'],
    [packageWith(dir, '#!/bin/sh\nexit 0\n'), 'ExitError', 'Runtime exited without providing a reason'],
    [
      packageWith(dir, '#!/bin/sh\nkill -SEGV $$\n'),
      'ExitError',
      'Runtime exited with error: signal: segmentation fault'
    ]
  ] as const) {
    const pool = box.pool({ codeDir, runtime: RUNTIME, handler: 'x' })
    const outcome = await box.invoke(pool, {}, { requestId: '11111111-1111-4111-8111-111111111111' })
    t.equal(outcome.status, 'init_error')
    t.same(valueOf(outcome), {
      errorType: `Runtime.${type}`,
      errorMessage: `RequestId: 11111111-1111-4111-8111-111111111111 Error: ${message}`
    })
  }
})

t.test('a compiled program is a runtime', async (t) => {
  const box = await startExecutor(t)
  const dir = t.testdir({ code: {} })
  const source = path.join(FIXTURES, 'bootstrap.c')
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', path.join(dir, 'code/bootstrap'), source])
  const pool = box.pool({ codeDir: path.join(dir, 'code'), runtime: RUNTIME, handler: 'x' })
  for (let n = 0; n < 20; n++) t.same(valueOf(await box.invoke(pool, { n })), { n })
  t.equal(box.runtimePids().length, 0, 'nothing of Hearth is at /var/runtime')
})

/** Compilers that a test machine may have beside cc, and how each makes a program of one file. */
const COMPILERS = [
  { name: 'Rust', command: 'rustc', source: 'bootstrap.rs', args: ['-O', '--edition=2021', '-o'] },
  { name: 'Go', command: 'go', source: 'bootstrap.go', args: ['build', '-o'] }
] as const

for (const { name, command, source, args } of COMPILERS) {
  const isHere = spawnSync(command, [command === 'go' ? 'version' : '--version']).status === 0
  t.test(`a program in ${name} is a runtime`, { skip: isHere ? false : `no ${command} on PATH` }, async (t) => {
    const box = await startExecutor(t)
    const dir = t.testdir({ code: {}, cache: {} })
    const env = { ...process.env, GOCACHE: path.join(dir, 'cache'), GOFLAGS: '-trimpath', CGO_ENABLED: '0' }
    execFileSync(command, [...args, path.join(dir, 'code/bootstrap'), path.join(FIXTURES, source)], { env, cwd: dir })
    const pool = box.pool({ codeDir: path.join(dir, 'code'), runtime: RUNTIME, handler: 'x' })
    for (let n = 1; n <= 5; n++) t.same(valueOf(await box.invoke(pool, { n: 'ä' })), { count: n, event: { n: 'ä' } })
    const failed = await box.invoke(pool, 'fail')
    t.equal(failed.errorType, 'Function.Told')
    t.match(valueOf(failed), { errorType: /errorString|dyn core::error::Error/, errorMessage: 'as told' })
    t.match(valueOf(await box.invoke(pool, {})), { count: 7 }, 'the program goes on')
    await eventually(() => box.lines.some(({ text }) => text === 'event 7'))
  })
}

/** What comes after an answer comes without another event. */
const UNFROZEN = { prestarted: 0, freezeAfterMs: Number.POSITIVE_INFINITY }

function isStopped(pid: number): boolean {
  return commandLine(pid).includes('/api/server.cjs') && /^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

for (const [runtime, handler, codeDir] of [
  [RUNTIME, 'tmp', path.join(ROOT, 'test/fixtures/scenarios/custom')],
  ['python3.11', 'scenarios.warm', path.join(ROOT, 'test/fixtures/scenarios/python')],
  ['ruby3.2', 'scenarios.warm', path.join(ROOT, 'test/fixtures/scenarios/ruby')],
  [`nodejs${process.versions.node.split('.')[0]}.x`, 'scenarios.warm', path.join(ROOT, 'test/fixtures/scenarios/node')]
] as const) {
  t.test(`${runtime}: an extension hears of events and of the end`, async (t) => {
    const box = await startExecutor(t, { idleMs: 300 })
    const optDir = path.join(FIXTURES, 'extension')
    const pool = box.pool({ codeDir, runtime, handler, optDir, extensions: true, environment: { OWN: 'x' } })
    const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
    for (const [n, requestId] of ids.entries()) t.equal(valueOf(await box.invoke(pool, {}, { requestId })), n + 1)
    // It is idle for long enough, and has time to say goodbye.
    await eventually(() => box.exits.includes('idle'))
    const texts = box.lines.map(({ text }) => text)
    t.ok(texts.includes('goodbye: spindown'), 'told of its end', { texts })
  })
}

t.test('what is printed after an answer is of its own event, whatever waits already', async (t) => {
  const box = await startExecutor(t, { ...UNFROZEN, maxInstances: 1 })
  const pool = box.pool({ codeDir: path.join(FIXTURES, 'ends'), runtime: RUNTIME, handler: 'none' })
  const ids = ['first', 'second', 'third']
  const answers = await Promise.all(ids.map((requestId) => box.invoke(pool, requestId, { requestId, tail: true })))
  t.same(answers.map(valueOf), ids)
  const late = await eventually(() => {
    const lines = box.lines.filter(({ text }) => text.startsWith('late '))
    return lines.length === ids.length ? lines : undefined
  })
  for (const { text, requestId } of late) t.equal(text, `late ${requestId}`)
  for (const id of ids) {
    const kinds = box.lines.filter(({ requestId }) => requestId === id).map(({ text }) => text.split(' ')[0])
    t.same(
      kinds.filter((kind) => kind !== 'INIT_START'),
      ['START', 'END', 'REPORT', 'late']
    )
  }
})

t.test('output that is read together with the word whose turn it is belongs to that event', async (t) => {
  const box = await startExecutor(t, UNFROZEN)
  const codeDir = path.join(ROOT, 'test/fixtures/scenarios/custom')
  const pool = box.pool({ codeDir, runtime: RUNTIME, handler: 'logging' })
  await box.invoke(pool)
  for (const requestId of ['one', 'two']) {
    // Right after an event it could be the output of that one, which comes late.
    await new Promise((resolve) => setTimeout(resolve, 150))
    const answer = box.invoke(pool, {}, { requestId })
    // The event goes out; then nothing is read for so long that all of it has come.
    await new Promise((resolve) => setImmediate(resolve))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    await answer
    const texts = await eventually(() => {
      const own = box.lines.filter((line) => line.requestId === requestId).map(({ text }) => text)
      return own.length === 6 ? own : undefined
    })
    t.match(texts.join(), /^START .*,END .*,REPORT /)
    t.same(texts.slice(1, 4).sort(), ['to logger', 'to stderr', 'to stdout'])
  }
})

t.test('before its end an instance has the time that Lambda gives its extensions', async (t) => {
  const box = await startExecutor(t, UNFROZEN)
  const took: number[] = []
  for (const [handler, least, own] of [
    ['none', 0, {}],
    ['internal', 490, {}],
    ['external', 1_990, { optDir: path.join(FIXTURES, 'extension') }]
  ] as const) {
    const pool = box.pool({ codeDir: path.join(FIXTURES, 'ends'), runtime: RUNTIME, handler, ...own })
    t.equal(valueOf(await box.invoke(pool, 'stop')), 'stop')
    // What would end it in order is stopped, so that all of the time is used up.
    await eventually(() => childrenOf(process.pid).flatMap(treeOf).some(isStopped))
    const stoppedAt = performance.now()
    pool.retire()
    await eventually(() => box.exits.length === took.length + 1)
    const tookMs = performance.now() - stoppedAt
    t.ok(tookMs >= least, `${handler}: ${Math.round(tookMs)} ms`)
    took.push(tookMs)
  }
  const [none = 0, internal = 0, external = 0] = took
  t.ok(none < internal && internal < external, 'none, a little, more')
  t.notOk(
    box.lines.some(({ text }) => text === 'told to end'),
    'without extensions nobody is told'
  )
})

t.test('an extension knows what it may, and gets the telemetry that it asked for', async (t) => {
  const box = await startExecutor(t)
  const code = `import { readFileSync } from 'node:fs'
export const handler = async () => { console.log('a line'); return readFileSync('/tmp/heard', 'utf8') }`
  const codeDir = t.testdir({ 'index.mjs': code })
  const spec = { codeDir, optDir: path.join(FIXTURES, 'extension'), extensions: true, environment: { OWN: 'x' } }
  const pool = box.pool(spec)
  const requestId = '33333333-3333-4333-8333-333333333333'
  const read = async () => {
    const text = valueOf(await box.invoke(pool, {}, { requestId })) as string
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  await read()
  // What it is told after an event comes while the next one runs.
  const heard = await eventually(async () => {
    const all = await read()
    return all.some(({ telemetry }) => telemetry === 'platform.report') ? all : undefined
  })
  t.match(heard[0], {
    nameless: 'Extension.InvalidExtensionName',
    registered: { functionName: 'sample', functionVersion: '$LATEST', handler: 'index.handler' }
  })
  const names = heard[0]?.['names'] as string[]
  t.ok(names.includes('OWN') && names.includes('AWS_LAMBDA_RUNTIME_API') && names.includes('AWS_REGION'))
  t.same(
    names.filter((name) => /^_|^LAMBDA_TASK_ROOT|^AWS_EXECUTION_ENV|LOG_(GROUP|STREAM)_NAME/.test(name)),
    []
  )
  t.match(heard[1], { wrong: 'URI port is not provided; types should not be empty', right: 'OK' })
  t.ok(heard.some(({ event, requestId: id }) => event === 'INVOKE' && id === requestId))
  const records = (type: string) => heard.filter(({ telemetry }) => telemetry === type).map(({ record }) => record)
  t.match(records('platform.initStart'), [{ initializationType: 'on-demand', functionName: 'sample' }])
  t.match(records('platform.initReport'), [{ status: 'success', metrics: { durationMs: Number } }])
  t.match(records('platform.start')[0], { requestId, version: '$LATEST' })
  t.match(records('platform.runtimeDone')[0], { requestId, status: 'success', metrics: { durationMs: Number } })
  t.match(records('platform.report')[0], {
    metrics: { billedDurationMs: Number, memorySizeMB: 256, maxMemoryUsedMB: Number }
  })
  t.match(records('function').join(), /a line/)
})

t.test('an extension that fails fails the function, with its name for it', async (t) => {
  const box = await startExecutor(t)
  for (const [script, type, message] of [
    ['#!/bin/sh\nexit 5\n', 'Extension.Crash', 'exit status 5'],
    ['nothing that runs', 'Extension.LaunchError', 'fork/exec /opt/extensions/bad: exec format error']
  ] as const) {
    const dir = t.testdir({
      code: { 'index.mjs': 'export const handler = async () => 1' },
      opt: { extensions: { bad: script } }
    })
    chmodSync(path.join(dir, 'opt/extensions/bad'), 0o755)
    const pool = box.pool({ codeDir: path.join(dir, 'code'), optDir: path.join(dir, 'opt'), extensions: true })
    const outcome = await box.invoke(pool)
    t.equal(outcome.status, 'init_error')
    t.match(valueOf(outcome), { errorType: type, errorMessage: new RegExp(`^RequestId: \\S+ Error: ${message}$`) })
  }
})
