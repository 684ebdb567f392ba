import { randomUUID } from 'node:crypto'
import type { Invocation, Outcome } from '@hearth/executor'
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const SOURCE = `
import { readFileSync } from 'node:fs'
const id = Math.random()
let count = 0
export const handler = async (event, context) => {
  count++
  if (event.log) console.log('ran')
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms))
  if (event.spinMs) { const end = Date.now() + event.spinMs; while (Date.now() < end); }
  if (event.exit) process.exit(event.exit)
  if (event.background) setInterval(() => { globalThis.ticks = (globalThis.ticks ?? 0) + 1 }, 1)
  return { n: event.n, id, count, ticks: globalThis.ticks }
}
`

/** Keeps \`width\` invocations in flight until \`total\` are answered. */
async function flood<T>(total: number, width: number, one: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < total) {
        const n = next++
        results[n] = await one(n)
      }
    })
  )
  return results
}

/** How many instances answered the last thousand of them. */
function servedBy(outcomes: readonly Outcome[]): number {
  return new Set(outcomes.slice(-1_000).map((outcome) => (valueOf(outcome) as { id: number }).id)).size
}

t.test(
  'events of a short function are pre-sent under load, and each is answered once with its own answer',
  async (t) => {
    const { pool: open, invoke } = await startExecutor(t, { cpus: 2 })
    const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
    const outcomes = await flood(6_000, 32, (n) => invoke(pool, { n }))
    t.same(
      outcomes.map((outcome) => (valueOf(outcome) as { n: number }).n),
      Array.from({ length: 6_000 }, (_, n) => n)
    )
    // Where others take the CPUs away, events are not short for a while, and get instances of their own.
    let late = outcomes
    for (let round = 0; round < 10 && servedBy(late) > 3; round++)
      late = await flood(1_000, 32, (n) => invoke(pool, { n }))
    t.ok(servedBy(late) <= 3, `the last thousand were served by ${servedBy(late)} instances for 2 CPUs`)
    // Each instance counts its events: together they have run as often as they were asked for.
    const counts = new Map<number, number>()
    for (const outcome of outcomes) {
      const { id, count } = valueOf(outcome) as { id: number; count: number }
      counts.set(id, Math.max(counts.get(id) ?? 0, count))
    }
    t.equal(
      [...counts.values()].reduce((a, b) => a + b),
      6_000
    )
  }
)

t.test('a function that turns slow under load gets its instances back at once, and nothing is run twice', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t, { cpus: 2 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await flood(3_000, 32, (n) => invoke(pool, { n }))
  const ids = Array.from({ length: 200 }, () => randomUUID())
  const startedAt = performance.now()
  const outcomes = await flood(200, 32, (n) => invoke(pool, { n, ms: 100, log: true }, { requestId: ids[n]! }))
  const elapsedMs = performance.now() - startedAt
  t.same(
    outcomes.map((outcome) => outcome.status),
    Array.from({ length: 200 }, () => 'ok')
  )
  for (const id of ids) {
    t.equal(lines.filter((line) => line.requestId === id && line.text.endsWith('\tran')).length, 1, 'it ran once')
  }
  // One behind the other on two instances would take 200 × 100 ms / 2.
  t.ok(elapsedMs < 8_000, `took ${elapsedMs.toFixed(0)} ms`)
})

t.test('instances killed under load fail at most the event that they were at; no event runs twice', async (t) => {
  const { pool: open, invoke, lines, runtimePids } = await startExecutor(t, { cpus: 2 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await flood(3_000, 32, (n) => invoke(pool, { n }))
  const ids = Array.from({ length: 4_000 }, () => randomUUID())
  let kills = 0
  let answered = 0
  const outcomes = await flood(4_000, 32, async (n) => {
    const outcome = await invoke(pool, { n, log: true }, { requestId: ids[n]! })
    if (++answered % 500 === 0) {
      for (const pid of runtimePids()) process.kill(pid, 'SIGKILL')
      kills++
    }
    return outcome
  })
  t.ok(kills >= 7)
  const failed = outcomes.filter((outcome) => outcome.status !== 'ok')
  // The kill also hits those that are in their init; a second one in the repeated init is the event's to report.
  for (const outcome of failed) {
    t.match(outcome, { status: /^(crash|init_error)$/, errorType: 'Runtime.ExitError' })
  }
  const perId = new Map<string, number>()
  for (const line of lines)
    if (line.text.endsWith('\tran')) perId.set(line.requestId, (perId.get(line.requestId) ?? 0) + 1)
  t.equal([...perId.values()].filter((count) => count > 1).length, 0, 'nothing ran twice')
  t.ok(failed.length <= kills * 16, `${failed.length} events failed in ${kills} rounds of kills`)
  t.match(await invoke(pool, { n: -1 }), { status: 'ok' })
})

t.test('process.exit under load fails its own event only', async (t) => {
  const { pool: open, invoke } = await startExecutor(t, { cpus: 2 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await flood(3_000, 32, (n) => invoke(pool, { n }))
  const outcomes = await flood(640, 32, (n) => invoke(pool, n % 64 === 63 ? { n, exit: 7 } : { n }))
  for (const [n, outcome] of outcomes.entries()) {
    if (n % 64 === 63) t.match(outcome, { status: 'crash' }, `event ${n} ended its instance`)
    else t.match(outcome, { status: 'ok' }, `event ${n} did not`)
  }
})

t.test('with all instances busy an event waits, then is refused; the queue is bounded', async (t) => {
  const { pool: open, invoke, executor } = await startExecutor(t, { maxInstances: 1, queueLength: 2, queueWaitMs: 300 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  // On a busy machine the instance takes longer to start than an event may wait.
  let first: Outcome
  do first = await invoke(pool, {})
  while (first.status === 'throttled')
  t.match(first, { status: 'ok' })
  const long = invoke(pool, { n: 1, ms: 2_500 })
  const waiting = [invoke(pool, { n: 2 }), invoke(pool, { n: 3 })]
  t.match(await invoke(pool, { n: 4 }), { status: 'throttled' }, 'the third in the queue is refused at once')
  t.equal(executor.stats().queued, 2)
  for (const outcome of await Promise.all(waiting)) {
    t.match(outcome, { status: 'throttled' })
    t.ok(outcome.phases.queueMs >= 290 && outcome.phases.queueMs < 2_000, `after ${outcome.phases.queueMs} ms`)
  }
  t.match(await long, { status: 'ok' })
  t.match(await invoke(pool, { n: 5 }), { status: 'ok' })
})

t.test('an invocation that is cancelled while it waits never runs', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t, { maxInstances: 1 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await invoke(pool, {})
  const long = invoke(pool, { ms: 200 })
  let settled: Outcome | undefined
  const invocation: Invocation = {
    requestId: randomUUID(),
    payload: Buffer.from('{"log":true}'),
    invokedArn: 'arn',
    traceId: '',
    clientContext: '',
    tail: false,
    settle: (outcome) => {
      settled = outcome
    }
  }
  pool.invoke(invocation)
  t.ok(pool.cancel(invocation))
  t.notOk(pool.cancel(invocation), 'only once')
  await long
  await invoke(pool, {})
  t.equal(settled, undefined)
  t.notOk(lines.some((line) => line.requestId === invocation.requestId))
})

t.test('when there is no room, the instance that was idle for longest gives way to another function', async (t) => {
  const { pool: open, invoke, exits } = await startExecutor(t, { maxInstances: 2 })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => open({ name, codeDir }))
  await invoke(a!)
  await invoke(b!)
  t.match(await invoke(c!), { status: 'ok', cold: true })
  await eventually(() => exits.includes('evicted'))
  t.match(await invoke(b!), { cold: false }, 'b was used later and is still there')
  t.match(await invoke(a!), { cold: true })
})

t.test('a retired version finishes what it runs, and its instances go', async (t) => {
  const { pool: open, invoke, executor, exits } = await startExecutor(t)
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const old = open({ codeDir })
  await invoke(old)
  const running = invoke(old, { n: 1, ms: 300 })
  old.retire()
  const fresh = open({ codeDir, environment: { NEW: '1' } })
  t.match(await invoke(fresh), { status: 'ok', cold: true })
  t.match(await running, { status: 'ok' })
  await eventually(() => exits.includes('retired'))
  await eventually(() => executor.stats().busy === 0)
})

t.test('an idle instance is reaped after its time, and nothing of it runs while it is idle', async (t) => {
  const { pool: open, invoke, exits } = await startExecutor(t, { idleMs: 1_500 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await invoke(pool, { background: true })
  await new Promise((resolve) => setTimeout(resolve, 600)) // what must not tick has had the time to
  const { ticks = 0 } = valueOf(await invoke(pool, { ms: 20 })) as { ticks?: number }
  t.ok(ticks < 60, `an interval of 1 ms fired ${ticks} times in 600 ms of idling`)
  await eventually(() => exits.includes('idle'), 10_000)
  t.match(await invoke(pool), { cold: true })
})

t.test('init that fails is repeated inside the first invocation, which gets its error', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t)
  const cases = [
    {
      files: { 'index.mjs': 'export const other = 1' },
      type: 'Runtime.HandlerNotFound',
      text: 'index.handler is undefined or not exported'
    },
    { files: { 'index.mjs': 'export const handler = {{' }, type: 'Runtime.UserCodeSyntaxError', text: /^SyntaxError/ },
    {
      files: { 'index.js': "require('nowhere')" },
      type: 'Runtime.ImportModuleError',
      text: /^Error: Cannot find module 'nowhere'/
    },
    { files: { 'index.mjs': "throw new RangeError('at init')" }, type: 'RangeError', text: 'at init' },
    {
      files: { 'index.mjs': 'process.exit(4)' },
      type: 'Runtime.ExitError',
      text: /Runtime exited with error: exit status 4$/
    }
  ]
  for (const [i, { files, type, text }] of cases.entries()) {
    const pool = open({ name: `broken${i}`, codeDir: t.testdir({ [`case${i}`]: files }) + `/case${i}` })
    const requestId = randomUUID()
    const outcome = await invoke(pool, {}, { requestId, tail: true })
    t.match(outcome, { status: 'init_error', errorType: type })
    t.match(valueOf(outcome), { errorMessage: text })
    t.match(
      outcome.tail?.toString(),
      new RegExp(
        `START RequestId: ${requestId}[\\s\\S]*END RequestId: ${requestId}\\nREPORT RequestId: ${requestId}.*Status: error\\tError Type: ${type}\\n$`
      )
    )
    const reports = lines.filter(
      (line) => line.text.startsWith('INIT_REPORT') && line.text.endsWith(`Error Type: ${type}`)
    )
    t.match(
      reports.map((line) => /Phase: (\w+)/.exec(line.text)?.[1]),
      ['init', 'invoke']
    )
    lines.length = 0
  }
})

t.test('init that takes too long is ended, and the invocation with it', async (t) => {
  const { pool: open, invoke } = await startExecutor(t, { initTimeoutMs: 300 })
  const pool = open({
    timeoutMs: 500,
    codeDir: t.testdir({ 'index.mjs': 'await new Promise((r) => setTimeout(r, 60000)); export const handler = 1' })
  })
  const outcome = await invoke(pool, {})
  t.match(outcome, { status: 'timeout', errorType: 'Sandbox.Timedout' })
  t.match(valueOf(outcome), { errorMessage: /Task timed out after 0\.50 seconds$/ })
})

t.test('an init slower than its limit but within the function’s timeout succeeds when repeated', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t, { initTimeoutMs: 300 })
  const pool = open({
    timeoutMs: 5_000,
    codeDir: t.testdir({
      'index.mjs': `await new Promise((r) => setTimeout(r, 600)); export const handler = async () => 'late'`
    })
  })
  const outcome = await invoke(pool, {})
  t.match(outcome, { status: 'ok', cold: true })
  t.equal(valueOf(outcome), 'late')
  t.ok(
    lines.some((line) =>
      /^INIT_REPORT Init Duration: (29\d|[3-9]\d\d)\.\d\d ms\tPhase: init\tStatus: timeout$/.test(line.text)
    )
  )
})

t.test('an event that runs out of time beside others lets them finish, then its instance ends', async (t) => {
  const { pool: open, invoke, exits } = await startExecutor(t)
  const pool = open({ concurrency: 4, timeoutMs: 1_000, codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await invoke(pool)
  const stuck = invoke(pool, { ms: 60_000 })
  await invoke(pool, { ms: 700 })
  const beside = invoke(pool, { ms: 700 })
  t.match(await stuck, { status: 'timeout' })
  t.match(await beside, { status: 'ok' })
  await eventually(() => exits.includes('timeout'))
})

t.test('a runtime that no interpreter serves is refused without a sandbox', async (t) => {
  const { pool: open, invoke } = await startExecutor(t)
  const outcome = await invoke(open({ runtime: 'cobol85', codeDir: t.testdir({}) }))
  t.match(outcome, { status: 'unavailable', errorType: /no interpreter for cobol85/ })
})

t.test('closing answers what runs within the time given, and leaves no process', async (t) => {
  const { pool: open, invoke, executor, runtimePids } = await startExecutor(t)
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await invoke(pool)
  // Long enough that a second instance is there before it is over.
  const running = invoke(pool, { ms: 2_000 })
  const tooLong = invoke(pool, { ms: 60_000 })
  await eventually(() => executor.stats().busy === 2)
  await executor.close(3_500)
  t.match(await running, { status: 'ok' })
  t.match(await tooLong, { status: 'crash' })
  await eventually(() => runtimePids().length === 0)
})
