import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { FunctionPool, Invocation, Outcome } from '@hearth/executor'
import { Admission, type Applicant } from '@hearth/executor/internal/admission'
import { availableMemory } from '@hearth/executor/internal/available-memory'
import { createScalingRate } from '@hearth/executor/internal/capacity'
import { createFlight, type Flight } from '@hearth/executor/internal/flight'
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const SOURCE = `
const id = Math.random()
const type = process.env.AWS_LAMBDA_INITIALIZATION_TYPE
export const handler = async (event) => {
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms))
  if (event.exit) process.exit(event.exit)
  return { id, type }
}
`

interface Answer {
  readonly id: number
  readonly type: string
}

const answerOf = (outcome: Outcome) => valueOf(outcome) as Answer

t.test('places are divided between functions as Lambda divides them', async (t) => {
  const admission = new Admission({ concurrency: 10, waitMs: 60_000, lineLength: 2, scalingBurst: 1 })
  const log: string[] = []
  const applicant = (name: string): Applicant => ({
    admitted: () => log.push(`${name} admitted`),
    turnedAway: (_flight, reason) => log.push(`${name} ${reason}`)
  })
  const flight = (): Flight => createFlight({ tail: false } as Invocation, performance.now())
  const [a, b] = [admission.open('a'), admission.open('b')]
  admission.setReserved('a', 4)
  t.equal(admission.unreserved, 6)
  for (let i = 0; i < 4; i++) t.ok(a.take())
  t.notOk(a.take(), 'its own limit')
  for (let i = 0; i < 6; i++) t.ok(b.take())
  t.notOk(b.take(), 'what is left')

  const waiting = flight()
  a.apply(waiting, applicant('a1'))
  b.apply(flight(), applicant('b1'))
  b.apply(flight(), applicant('b2'))
  b.apply(flight(), applicant('b3'))
  t.same(log.splice(0), ['b3 account'], 'the line is bounded')
  t.ok(a.cancel(waiting.invocation))
  t.notOk(a.cancel(waiting.invocation))
  a.give()
  t.same(log, [], 'who went away is not admitted, and another’s place is not theirs')
  b.give()
  t.same(log.splice(0), ['b1 admitted'])

  // Without its reservation a shares with b; what is in flight moves along.
  admission.setReserved('a', undefined)
  t.equal(admission.unreserved, 10)
  t.same(log.splice(0), ['b2 admitted'])
  t.notOk(a.take(), '3 and 7 are in flight')
  for (let i = 0; i < 7; i++) b.give()
  t.ok(b.take())
  b.give()

  // Two of three places are a version's with provisioned concurrency, which two of its events use.
  a.guarantee(2, 2)
  t.equal(admission.unreserved, 8)
  admission.setReserved('a', 3)
  t.equal(admission.unreserved, 7)
  t.notOk(a.take(), 'one beyond those is in flight')
  admission.setReserved('a', 2)
  a.give()
  t.notOk(a.take(), 'all that is reserved is provisioned: other versions are throttled')
  a.guarantee(-2, 0)
  t.ok(a.take())
  a.give()

  a.take()
  a.take()
  a.apply(flight(), applicant('a2'))
  admission.setReserved('a', 0)
  t.same(log.splice(0), ['a2 function'], 'a function that is switched off lets nobody wait')
  a.apply(flight(), applicant('a3'))
  t.same(log.splice(0), ['a3 function'])
})

t.test('a function gets so many instances at once, and so many per ten seconds', async (t) => {
  const rate = createScalingRate(20)
  const start = (now: number) => {
    let started = 0
    while (rate.allows(now)) {
      rate.use()
      started++
    }
    return started
  }
  t.equal(start(1_000_000), 20)
  t.equal(start(1_000_400), 0)
  t.equal(start(1_002_000), 4)
  t.equal(start(1_100_000), 20, 'no more than that is saved up')
})

t.test('over a limit events are throttled at once, each for its reason', async (t) => {
  const { pool: open, invoke, executor } = await startExecutor(t, { concurrency: 3 })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const a = open({ name: 'a', codeDir })
  const a1 = open({ name: 'a', version: '1', codeDir })
  const b = open({ name: 'b', codeDir })
  await Promise.all([invoke(a), invoke(b)])
  executor.setReserved('a', 1)
  const first = invoke(a, { ms: 1_500 })
  const limited = await invoke(a1)
  t.match(limited, { status: 'throttled', errorType: 'function' }, 'over all versions')
  t.ok(limited.phases.queueMs < 1_000, 'it did not wait for the first')
  const others = [invoke(b, { ms: 500 }), invoke(b, { ms: 500 })]
  t.match(await invoke(b), { status: 'throttled', errorType: 'account' })
  t.match(executor.stats().concurrency, {
    limit: 3,
    inUse: 3,
    unreserved: 2,
    reserved: [{ functionName: 'a', reserved: 1, inUse: 1 }],
    throttles: { function: 1, account: 1 }
  })
  for (const outcome of await Promise.all([first, ...others])) t.match(outcome, { status: 'ok' })
  executor.setReserved('a', 0)
  t.match(await invoke(a), { status: 'throttled', errorType: 'function' })
  executor.setReserved('a', undefined)
  t.match(await Promise.all([invoke(a, { ms: 200 }), invoke(a1), invoke(a1)]), [
    { status: 'ok' },
    { status: 'ok' },
    { status: 'ok' }
  ])
  // Whatever became of an event, its place is free again.
  for (let i = 0; i < 4; i++) t.match(await invoke(a, { exit: 1 }), { status: 'crash' })
  t.equal(executor.stats().concurrency.inUse, 0)
})

t.test('with a time to wait, an event over the limit takes its turn; who goes away gives it up', async (t) => {
  const { pool: open, invoke, executor } = await startExecutor(t, { concurrency: 1, throttleWaitMs: 5_000 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  await invoke(pool)
  const long = invoke(pool, { ms: 300 })
  const gone: Invocation = {
    requestId: randomUUID(),
    payload: Buffer.from('{}'),
    invokedArn: 'arn',
    traceId: '',
    clientContext: '',
    tail: false,
    settle: () => t.fail('it was cancelled')
  }
  pool.invoke(gone)
  const next = invoke(pool)
  t.equal(executor.stats().queued, 2)
  t.ok(pool.cancel(gone))
  t.equal(executor.stats().queued, 1)
  t.match(await long, { status: 'ok' })
  const outcome = await next
  t.match(outcome, { status: 'ok', cold: false })
  t.ok(outcome.phases.queueMs > 200, 'its wait is counted')
})

t.test('provisioned instances are there before any event, are used first, and are replaced', async (t) => {
  const { pool: open, invoke, executor, exits, runtimePids } = await startExecutor(t, { idleMs: 1, prestarted: 0 })
  const pool = open({ version: '7', timeoutMs: 60_000, codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  const ready = (count: number) =>
    eventually(() => pool.provisioned().status === 'READY' && pool.provisioned().available === count, 20_000)
  pool.provision(2)
  t.match(pool.provisioned(), { requested: 2, available: 0, status: 'IN_PROGRESS' })
  t.equal(executor.stats().concurrency.unreserved, 998)
  await ready(2)
  // They go on until they are killed.
  const held = [invoke(pool, { ms: 60_000 }), invoke(pool, { ms: 60_000 })]
  const third = await invoke(pool)
  t.match(third, { status: 'ok', cold: true })
  t.equal(answerOf(third).type, 'on-demand')
  t.match(pool.provisioned(), { spilled: 1, inUse: 2 })
  await eventually(() => exits.includes('idle'))
  t.match(pool.provisioned(), { available: 2 }, 'only the other one ends for being idle')

  for (const pid of runtimePids()) process.kill(pid, 'SIGKILL')
  for (const outcome of await Promise.all(held)) t.match(outcome, { status: 'crash' })
  await eventually(() => exits.filter((reason) => reason === 'crash').length === 2)
  await ready(2)
  const next = await invoke(pool)
  t.match(next, { status: 'ok', cold: false })
  t.equal(answerOf(next).type, 'provisioned-concurrency')
  pool.provision(0)
  t.equal(executor.stats().concurrency.unreserved, 1_000)
  await eventually(() => runtimePids().length === 0)

  const broken = open({ name: 'broken', version: '1', codeDir: t.testdir({ 'index.mjs': 'throw new Error("no")' }) })
  broken.provision(1)
  await eventually(() => broken.provisioned().status === 'FAILED')
  t.match(broken.provisioned(), { available: 0, statusReason: 'FUNCTION_ERROR_INIT_FAILURE' })
})

t.test('a server that ends waits for no provisioned start that has not had its turn', async (t) => {
  // Two starts at a time, and no third before one of them is over.
  const { pool: open, invoke, executor } = await startExecutor(t, { cpus: 2, prestarted: 0 })
  const slow = `await new Promise((resolve) => setTimeout(resolve, 400))\n${SOURCE}`
  const codeDir = t.testdir({ 'index.mjs': slow })
  const starting = ['a', 'b'].map((name) => invoke(open({ name, codeDir })))
  await eventually(() => executor.stats().starting === 2)
  open({ name: 'late', version: '1', codeDir }).provision(1)
  const at = performance.now()
  await executor.close(20_000)
  t.ok(performance.now() - at < 15_000)
  for (const outcome of await Promise.all(starting)) t.match(outcome, { status: 'ok' })
})

/** Instances that were started. */
const startsIn = (lines: readonly { text: string }[]) =>
  lines.filter(({ text }) => text.startsWith('INIT_START')).length

t.test('no more instances are started than are needed', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t, { prestarted: 0 })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const all = (pool: FunctionPool, count: number, payload: unknown) =>
    Promise.all(Array.from({ length: count }, () => invoke(pool, payload)))
  for (const outcome of await all(open({ name: 'long', codeDir }), 6, { ms: 1_000 })) t.match(outcome, { status: 'ok' })
  t.ok(startsIn(lines) <= 6, `${startsIn(lines)} instances for 6 events that take long`)
  lines.length = 0
  for (const outcome of await all(open({ name: 'brief', codeDir }), 100, {})) t.match(outcome, { status: 'ok' })
  // Each takes whichever instance is free first, and one is free long before so many have started.
  t.ok(startsIn(lines) <= 20, `${startsIn(lines)} instances for 100 events that are over at once`)
})

t.test('a function that has had its instances for now waits for one of them', async (t) => {
  const { pool: open, invoke, lines } = await startExecutor(t, { scalingBurst: 2 })
  const pool = open({ codeDir: t.testdir({ 'index.mjs': SOURCE }) })
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => invoke(pool, { ms: 100 })))
  for (const outcome of outcomes) t.match(outcome, { status: 'ok' })
  t.equal(startsIn(lines), 2)
})

t.test('an instance that becomes idle makes room for a function that has none', async (t) => {
  const { pool: open, invoke, exits } = await startExecutor(t, { maxInstances: 1 })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const [a, b] = [open({ name: 'a', codeDir }), open({ name: 'b', codeDir })]
  await invoke(a)
  const busy = invoke(a, { ms: 300 })
  t.match(await invoke(b), { status: 'ok', cold: true }, 'long before its time to wait is over')
  t.match(await busy, { status: 'ok' })
  await eventually(() => exits.length > 0)
  t.same(exits, ['evicted'])
})

t.test('an instance that was killed while idle costs its next caller a cold start, and nothing else', async (t) => {
  const { pool: open, invoke, runtimePids } = await startExecutor(t, { freezeAfterMs: 0 })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  for (const concurrency of [1, 4]) {
    const pool = open({ name: `victim${concurrency}`, codeDir, concurrency })
    let cold = 0
    for (let round = 0; round < 12; round++) {
      const outcome = await invoke(pool)
      t.match(outcome, { status: 'ok' }, `round ${round}`)
      if (outcome.cold) cold++
      for (const pid of runtimePids()) process.kill(pid, 'SIGKILL')
      // Sometimes its end is known by then, sometimes not.
      if (round % 3 === 1) await new Promise((resolve) => setImmediate(resolve))
      if (round % 3 === 2) await eventually(() => runtimePids().length === 0)
    }
    t.ok(cold >= 2)
  }
})

t.test(
  'several events for an instance that serves many, killed before they came, run elsewhere: once each',
  async (t) => {
    const { pool: open, invoke, runtimePids } = await startExecutor(t, { freezeAfterMs: 0, prestarted: 0 })
    const source = `
const id = Math.random()
export const handler = async (event) => {
  if (event.hang) { while (true); }
  return { id, n: event.n }
}`
    const codeDir = t.testdir({ 'index.mjs': source })
    for (const instances of [{}, { backend: 'threads' as const, threads: 2 }]) {
      const pool = open({ name: `many${Object.keys(instances).length}`, codeDir, concurrency: 8, ...instances })
      for (let round = 0; round < 3; round++) {
        t.match(await invoke(pool), { status: 'ok' })
        const [pid] = runtimePids()
        process.kill(pid!, 'SIGKILL')
        const outcomes = await Promise.all(Array.from({ length: 6 }, (_, n) => invoke(pool, { n })))
        t.strictSame(
          outcomes.map((outcome) => [outcome.status, (valueOf(outcome) as { n: number }).n]),
          Array.from({ length: 6 }, (_, n) => ['ok', n]),
          `round ${round}`
        )
      }
      pool.retire()
      await eventually(() => runtimePids().length === 0)
    }

    // What has begun is not run again; what came behind it and was never read is.
    const pool = open({ name: 'begun', codeDir, concurrency: 8, timeoutMs: 60_000 })
    await invoke(pool)
    const begun = invoke(pool, { hang: true })
    const [pid] = runtimePids()
    await eventually(() => isBusy(pid!))
    const behind = Promise.all([invoke(pool, { n: 1 }), invoke(pool, { n: 2 })])
    // The frames are written in this turn, and by the next look they lie unread in the channel.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    process.kill(pid!, 'SIGKILL')
    t.match(await begun, { status: 'crash' })
    t.match(await behind, [{ status: 'ok' }, { status: 'ok' }])
  }
)

/** Whether a process has used the CPU for a while, as one does in a loop without end. */
function isBusy(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11])
  const before = busySince.get(pid)
  if (before === undefined) busySince.set(pid, ticks)
  return before !== undefined && ticks - before >= 10
}
const busySince = new Map<number, number>()

t.test('the memory that is available is what the kernel says', async (t) => {
  const bytes = await availableMemory()
  t.ok(bytes !== undefined && bytes > 1_048_576 && bytes <= totalmem(), String(bytes))
})

t.test('when memory is short, the instance idle for longest ends, and none is started', async (t) => {
  const MIB = 1_048_576
  let available = 10_000 * MIB
  const {
    pool: open,
    invoke,
    exits,
    executor
  } = await startExecutor(t, {
    memoryReserveBytes: 500 * MIB,
    availableBytes: async () => available,
    queueWaitMs: 10_000
  })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => open({ name, codeDir }))
  await invoke(a!)
  await invoke(b!)
  available = 495 * MIB
  await eventually(() => exits.length > 0)
  available = 501 * MIB
  t.same(exits, ['evicted'], 'one is enough')
  t.match(await invoke(b!), { cold: false }, 'b was used later and is still there')

  const waiting = invoke(c!)
  await eventually(() => exits.length === 2)
  available = 0
  await eventually(() => executor.stats().prestarted === 0)
  t.equal(executor.stats().queued, 1, 'nothing is idle, nothing is started')
  available = 10_000 * MIB
  t.match(await waiting, { status: 'ok', cold: true })
})
