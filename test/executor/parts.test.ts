import type { FunctionSpec, Invocation } from '@hearth/executor'
import { createBudget } from '@hearth/executor/internal/budget'
import { exited, timedOut } from '@hearth/executor/internal/failures'
import { createFastTrack } from '@hearth/executor/internal/fast-track'
import { createFlight, type Flight } from '@hearth/executor/internal/flight'
import { type InstanceEvent, type InstanceState, next } from '@hearth/executor/internal/instance-state'
import { createFunctionOutput } from '@hearth/executor/internal/output-share'
import { initReportLine, initStartLine, reportLines, startLine } from '@hearth/executor/internal/platform-lines'
import { createStartGate } from '@hearth/executor/internal/start-gate'
import { createWaitQueue } from '@hearth/executor/internal/wait-queue'
import type { SandboxExit } from '@hearth/sandbox'
import t from 'tap'

const ID = '8c1a0b7e-0000-4000-8000-000000000001'
const SPEC: FunctionSpec = {
  name: 'hello',
  version: '$LATEST',
  runtime: 'nodejs20.x',
  handler: 'index.handler',
  memoryMiB: 128,
  timeoutMs: 3_000,
  ephemeralMiB: 512,
  environment: {},
  network: 'none',
  concurrency: 1,
  backend: 'process',
  codeDir: '/nowhere',
  region: 'us-east-1',
  logGroup: '/aws/lambda/hello',
  logFormat: 'Text',
  logLevel: 'INFO'
}

t.test('an instance goes through its states in one order, and only in that', async (t) => {
  const states: InstanceState[] = ['booting', 'initializing', 'idle', 'busy', 'stopping', 'dead']
  const events: InstanceEvent[] = ['booted', 'initialized', 'acquire', 'release', 'stop', 'exit']
  // Every pair, so that a new state or event has to be thought about here too. '-' is a bug in the pool.
  const table: Record<InstanceState, string> = {
    booting: 'initializing - - - stopping dead',
    initializing: '- idle - - stopping dead',
    idle: '- - busy - stopping dead',
    busy: '- - busy idle stopping dead',
    stopping: 'stopping stopping - stopping stopping dead',
    dead: 'dead dead - dead dead dead'
  }
  for (const state of states) {
    for (const [i, event] of events.entries()) {
      const expected = table[state].split(' ')[i]
      if (expected === '-') t.throws(() => next(state, event), { message: `instance cannot ${event} while ${state}` })
      else t.equal(next(state, event), expected, `${state} ${event}`)
    }
  }
})

t.test('the log lines of the platform are those of Lambda, byte for byte', async (t) => {
  t.equal(startLine(SPEC, ID, 0), `START RequestId: ${ID} Version: $LATEST`)
  t.match(
    initStartLine(SPEC, 'nodejs:20.v20.20.2', 0),
    /^INIT_START Runtime Version: nodejs:20\.v20\.20\.2\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/
  )
  const report = {
    requestId: ID,
    durationMs: 3.014,
    billedMs: 114,
    maxMemoryMiB: 36,
    initMs: 110.1,
    status: 'success' as const,
    errorType: ''
  }
  t.same(reportLines(SPEC, report, 0), [
    `END RequestId: ${ID}`,
    `REPORT RequestId: ${ID}\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 110.10 ms\t`
  ])
  t.equal(
    reportLines(SPEC, { ...report, initMs: undefined, status: 'timeout' }, 0)[1],
    `REPORT RequestId: ${ID}\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tStatus: timeout`
  )
  t.equal(
    reportLines(SPEC, { ...report, status: 'error', errorType: 'Runtime.OutOfMemory' }, 0)[1],
    `REPORT RequestId: ${ID}\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 110.10 ms\tStatus: error\tError Type: Runtime.OutOfMemory`
  )
  t.equal(
    initReportLine(SPEC, 9_999.27, 'init', { status: 'timeout', errorType: '' }, 0),
    'INIT_REPORT Init Duration: 9999.27 ms\tPhase: init\tStatus: timeout'
  )
  const json = { ...SPEC, logFormat: 'JSON' as const }
  t.same(JSON.parse(startLine(json, ID, 0)!), {
    time: '1970-01-01T00:00:00.000Z',
    type: 'platform.start',
    record: { requestId: ID, version: '$LATEST' }
  })
  const quiet = { ...json, systemLogLevel: 'WARN' as const }
  t.equal(startLine(quiet, ID, 0), undefined)
  t.equal(initStartLine(quiet, 'nodejs:20.v20.20.2', 0), undefined)
  t.same(reportLines(quiet, report, 0), [])
  t.equal(reportLines(quiet, { ...report, status: 'timeout' }, 0).length, 1, 'a failure is a WARN')
  t.equal(reportLines({ ...quiet, logFormat: 'Text' }, report, 0).length, 2, 'text has no levels')
  t.match(JSON.parse(reportLines(json, report, 0)[0]!), {
    type: 'platform.report',
    record: {
      requestId: ID,
      status: 'success',
      metrics: {
        durationMs: 3.01,
        billedDurationMs: 114,
        memorySizeMB: 128,
        maxMemoryUsedMB: 36,
        initDurationMs: 110.1
      }
    }
  })
})

t.test('an exit is named as Lambda names it, and memory is blamed only on the word of the kernel', async (t) => {
  const exit: SandboxExit = {
    code: undefined,
    signal: undefined,
    oomKills: 0,
    peakBytes: undefined,
    cpuMs: undefined,
    progress: 0
  }
  const message = (given: Partial<SandboxExit>) =>
    (JSON.parse(exited(ID, { ...exit, ...given }).payload.toString()) as { errorMessage: string }).errorMessage
  t.equal(message({ code: 1 }), `RequestId: ${ID} Error: Runtime exited with error: exit status 1`)
  t.equal(message({ code: 0 }), `RequestId: ${ID} Error: Runtime exited without providing a reason`)
  t.equal(message({ code: 137 }), `RequestId: ${ID} Error: Runtime exited with error: signal: killed`)
  t.equal(message({ code: 139 }), `RequestId: ${ID} Error: Runtime exited with error: signal: segmentation fault`)
  t.equal(message({ signal: 'SIGABRT' }), `RequestId: ${ID} Error: Runtime exited with error: signal: aborted`)
  t.match(exited(ID, { ...exit, code: 137 }), { status: 'crash', errorType: 'Runtime.ExitError' })
  t.match(exited(ID, { ...exit, code: 0, oomKills: 1 }), { status: 'oom', errorType: 'Runtime.OutOfMemory' })
  t.match(JSON.parse(timedOut(ID, 3_000, new Date(0)).payload.toString()), {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${ID} Error: Task timed out after 3.00 seconds`
  })
})

t.test(
  'events are worth waiting for when they are short on average; pre-sending needs a thousand of them',
  async (t) => {
    const track = createFastTrack()
    for (let i = 0; i < 15; i++) track.record(0.1)
    t.notOk(track.short, 'not before there is an average')
    track.record(0.1)
    t.ok(track.short)
    for (let i = 16; i < 999; i++) track.record(0.1)
    t.notOk(track.open)
    track.record(0.1)
    t.ok(track.open)
    for (let i = 0; i < 10; i++) track.record(3)
    t.ok(track.open, 'one long event in a hundred is a hiccup')
    track.record(3)
    t.notOk(track.open, 'more are not')
    track.close()
    t.notOk(track.short)
    for (let i = 0; i < 1_000; i++) track.record(0.1)
    track.record(60)
    t.notOk(track.short, 'one very long event ends both')
    for (let i = 0; i < 2_000; i++) track.record(1.5)
    t.notOk(track.short, 'an average over a millisecond is not short')
  }
)

t.test('the wait queue is bounded in length and in time, and keeps its order', async (t) => {
  const expired: Flight[] = []
  let onExpired = () => {}
  const queue = createWaitQueue<Flight>(3, 30, (flight) => {
    expired.push(flight)
    onExpired()
  })
  const flight = () => createFlight({ tail: false } as Invocation, performance.now())
  // Each has an invocation object of its own, which is what it is found by.
  const [a, b, c, d] = [flight(), flight(), flight(), flight()]
  t.ok(queue.push(a) && queue.push(b) && queue.push(c))
  t.notOk(queue.push(d), 'the fourth is refused')
  t.equal(queue.shift(), a)
  queue.unshift(a)
  t.equal(queue.length, 3)
  t.equal(queue.remove(b.invocation), b)
  t.notOk(queue.remove(b.invocation), 'it is not there twice')
  await new Promise<void>((resolve) => {
    onExpired = () => {
      if (queue.length === 0) resolve()
    }
  })
  t.equal(expired[0], a, 'the oldest goes first')
  t.equal(queue.shift(), undefined)
})

t.test('the start gate lets so many run at once, in turns, and skips what is no longer needed', async (t) => {
  const gate = createStartGate(2)
  const releases: (() => void)[] = []
  const order: string[] = []
  let running = 0
  let most = 0
  const [a, b] = [{}, {}]
  const start = (name: string) => () => {
    order.push(name)
    running++
    most = Math.max(most, running)
    return new Promise<void>((resolve) => releases.push(resolve)).then(() => {
      running--
    })
  }
  let skipped = 0
  gate.request(a, start('a1'))
  gate.request(a, start('a2'))
  gate.request(a, () => {
    skipped++
    return undefined
  })
  gate.request(a, start('a3'))
  gate.request(a, start('a4'))
  gate.request(b, start('b1'))
  t.equal(running, 2)
  for (let i = 0; i < 5; i++) {
    releases[i]!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(skipped, 1)
  t.equal(most, 2)
  t.same(order, ['a1', 'a2', 'b1', 'a3', 'a4'], 'whoever asked once waits for one turn of whoever asked often')
})

t.test('a start that takes long does not keep others from theirs', async (t) => {
  const gate = createStartGate(1, 20)
  let end = (): void => undefined
  const long = new Promise<void>((resolve) => {
    end = resolve
  })
  gate.request({}, () => long)
  const keep = setTimeout(() => undefined, 10_000) // the gate's own timer keeps no process alive
  await new Promise<void>((resolve) => {
    gate.request({}, () => {
      resolve()
      return Promise.resolve()
    })
  })
  clearTimeout(keep)
  // Its end is not counted a second time: still one at a time.
  end()
  await long
  let running = 0
  let most = 0
  const ends: (() => void)[] = []
  for (let i = 0; i < 2; i++) {
    gate.request({}, () => {
      most = Math.max(most, ++running)
      return new Promise<void>((resolve) => ends.push(resolve)).then(() => {
        running--
      })
    })
  }
  t.equal(most, 1)
  ends[0]!()
  await new Promise((resolve) => setImmediate(resolve))
  ends[1]!()
})

t.test('a flood over the budget is paused for as long as it takes to pay it back', async (t) => {
  let now = 0
  const budget = createBudget(1_000, () => now)
  t.equal(budget.spend(8_000), 0, 'eight seconds of the rate may come at once')
  t.equal(budget.spend(500), 500)
  now = 1_000
  t.equal(budget.spend(1), 0)
})

t.test('above the rate of a function its talkers are slowed alike, and one that says little is not', async (t) => {
  let now = 0
  const output = createFunctionOutput(1_000_000, () => now)
  const talkers = Array.from({ length: 4 }, () => ({ share: output.share(), bytes: 0, goesOnAt: 0 }))
  const quiet = { share: output.share(), waitedMs: 0 }
  let firstSecond = 0
  for (; now < 20_000; now++) {
    for (const talker of talkers) {
      if (talker.goesOnAt > now) continue
      talker.bytes += 20_000
      talker.goesOnAt = now + 1 + talker.share.spend(20_000)
    }
    if (now % 100 === 0) quiet.waitedMs += quiet.share.spend(500)
    if (now === 1_000) firstSecond = talkers.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  t.ok(firstSecond >= 2_000_000, 'two seconds of the rate may come at once')
  const total = talkers.reduce((sum, { bytes }) => sum + bytes, 0)
  t.ok(total > 17_000_000 && total < 24_000_000, `${total} bytes in 20 s and a burst of 2 s`)
  for (const { bytes } of talkers) t.ok(Math.abs(bytes - total / 4) < total / 20, `${bytes} of ${total}`)
  t.equal(quiet.waitedMs, 0)
  now += 5_000
  t.equal(talkers[0]!.share.spend(1_000_000), 0, 'who was quiet for a while may say much at once again')
})

t.test('a function whose instances say no more than its rate together waits for none', async (t) => {
  let now = 0
  const output = createFunctionOutput(1_000_000, () => now)
  const shares = Array.from({ length: 100 }, () => output.share())
  let waitedMs = 0
  for (; now < 10_000; now += 10) for (const share of shares) waitedMs += share.spend(90)
  t.equal(waitedMs, 0)
})
