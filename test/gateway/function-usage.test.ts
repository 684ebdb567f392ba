// What functions used: what is counted of calls, and that it comes to disk once.
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { Outcome } from '@hearth/executor'
import { FunctionUsageMeter } from '@hearth/gateway/internal/usage/function-usage'
import { ProvisionedBlocks } from '@hearth/gateway/internal/usage/provisioned-blocks'
import { startUsageWriter } from '@hearth/gateway/internal/usage/usage-writer'
import { DAY_MS, dayOf, type FunctionUsage, MEASURES } from '@hearth/shared'
import { openEventQueue, QueueUnavailableError } from '@hearth/store'
import t from 'tap'
import { ask, INTERNAL_TOKEN, outcome, record, startGateway, until } from './harness.ts'

const migrationsDir = path.resolve('migrations/queue')
const CONTROL_PLANE = { headers: { authorization: `Bearer ${INTERNAL_TOKEN}` } }

/** Usage by function, as the control plane is told it. */
async function usageOf(port: number): Promise<Record<string, Partial<FunctionUsage>>> {
  const today = dayOf(Date.now())
  const { status, body } = await ask(port, `/internal/function-usage?from=${today - 1}&to=${today}`, CONTROL_PLANE)
  if (status !== 200) throw new Error(`${status} ${body}`)
  const found: Record<string, Partial<FunctionUsage>> = {}
  for (const line of body.split('\n').filter((text) => text !== '')) {
    const [, ...rows] = JSON.parse(line) as [number, ...[string, string, string, ...number[]][]]
    for (const [name, role, architecture, ...values] of rows) {
      const key = `${name} ${role.split('/')[1]} ${architecture}`
      found[key] = Object.fromEntries(
        MEASURES.map((measure, index) => [measure, values[index]!]).filter(([, value]) => value !== 0)
      ) as Partial<FunctionUsage>
    }
  }
  return found
}

t.test('what calls are billed for', async (t) => {
  const big = record('big', { memoryMiB: 1_024, ephemeralMiB: 2_048, role: 'arn:aws:iam::000000000000:role/other' })
  const harness = await startGateway(t, { functions: [record('hello'), big, record('gone')] })
  const { port, executor, functions } = harness
  const answers: Partial<Outcome>[] = [
    {},
    { status: 'error', billedMs: 7, cold: true },
    { status: 'throttled', billedMs: 0, errorType: 'function' },
    { status: 'unavailable', billedMs: 0 },
    { billedMs: 10, provisioned: true },
    { billedMs: 100, streamed: { bytes: 6 * 1_048_576 + 5, firstByteMs: 1 } },
    { billedMs: 1, streamed: { bytes: 9, firstByteMs: 1 } }
  ]
  for (const answer of answers) {
    executor.behaviour = () => outcome('1', answer)
    await ask(port, '/v1/functions/hello/invocations', { body: '{}' })
  }
  executor.behaviour = () => outcome('1', { billedMs: 3 })
  await ask(port, '/v1/functions/big/invocations', { body: '{}' })
  await ask(port, '/fn/big', { body: '{}' })
  await ask(port, '/v1/functions/gone/invocations', { body: '{}' })
  functions.update('gone', () => undefined)
  functions.update('hello', (current) => ({ ...current!, memoryMiB: 256, revisionId: randomUUID() }))
  await ask(port, '/v1/functions/hello/invocations', { body: '{}' })
  t.strictSame(await usageOf(port), {
    'hello hearth-default x86_64': {
      requests: 6,
      billedMs: 2 + 7 + 10 + 100 + 1 + 3,
      durationMsMiB: 128 * (2 + 7 + 100 + 1) + 256 * 3,
      provisionedDurationMsMiB: 128 * 10,
      streamedBytes: 6 * 1_048_576 + 14,
      billedStreamBytes: 5
    },
    'big other x86_64': { requests: 2, billedMs: 6, durationMsMiB: 6 * 1_024, ephemeralMsMiB: 6 * 1_536 },
    'gone hearth-default x86_64': { requests: 1, billedMs: 3, durationMsMiB: 3 * 128 }
  })

  for (const wrong of [{}, { authorization: 'Bearer x' }]) {
    t.equal((await ask(port, '/internal/function-usage?from=1&to=1', { auth: false, headers: wrong })).status, 403)
  }
  t.equal((await ask(port, '/internal/function-usage?from=2&to=1', CONTROL_PLANE)).status, 400)
})

t.test('events are requests at each attempt, and large ones are more', async (t) => {
  const { port, executor } = await startGateway(t)
  let calls = 0
  executor.behaviour = () => (calls++ === 0 ? outcome('', { status: 'throttled', billedMs: 0 }) : outcome('1'))
  const body = JSON.stringify('x'.repeat(600 * 1_024 - 2))
  const headers = { 'x-amz-invocation-type': 'Event' }
  t.equal((await ask(port, '/2015-03-31/functions/hello/invocations', { body, headers })).status, 202)
  await until('the second attempt', () => calls === 2)
  t.match(await usageOf(port), { 'hello hearth-default x86_64': { requests: 7, eventRequests: 6, billedMs: 2 } })
})

t.test('provisioned concurrency is kept in blocks of five minutes', async (t) => {
  const minute = 60_000
  const one = { functionName: 'f', qualifier: 'live', role: '', architecture: 'x86_64' as const, memoryMiB: 512 }
  let charged = 0
  const charge = (_: unknown, msMiB: number): void => {
    charged += msMiB
  }
  const block = 5 * minute * 512
  const at = (blocks: ProvisionedBlocks, minutes: number, requested: number) => {
    charged = 0
    const kept = requested === 0 ? [] : [{ ...one, requested }]
    return { kept: blocks.update(minutes * minute, kept, charge), blocks: charged / block }
  }
  const blocks = new ProvisionedBlocks([])
  t.match(at(blocks, 0, 2), { blocks: 2, kept: [{ qualifier: 'live', startedAt: 0, chargedMiB: 1_024 }] })
  t.strictSame(at(blocks, 4, 2), { blocks: 0, kept: undefined }, 'paid for already')
  t.match(at(blocks, 4.5, 3), { blocks: 1 }, 'the largest amount in it counts')
  t.match(at(blocks, 4.6, 1), { blocks: 0 })
  t.match(at(blocks, 5.1, 1), { blocks: 1, kept: [{ startedAt: 5 * minute }] })
  t.match(at(blocks, 7, 0), { blocks: 0 })
  t.match(at(blocks, 8, 1), { blocks: 0 }, 'taken away and put back within a block')
  t.match(at(blocks, 9, 0), { blocks: 0 })
  t.match(at(blocks, 11, 0), { blocks: 0, kept: [] })
  t.match(at(blocks, 12, 1), { blocks: 1, kept: [{ startedAt: 12 * minute }] }, 'enabled anew')
  const next = new ProvisionedBlocks([{ functionName: 'f', qualifier: 'live', startedAt: 0, chargedMiB: 1_024 }])
  t.match(at(next, 3, 2), { blocks: 0 }, 'a new process bills nothing twice')
  t.match(at(next, 62, 2), { blocks: 2, kept: [{ startedAt: 60 * minute }] }, 'nor what it was not there for')
})

t.test('counts are added once, and belong to their day', async (t) => {
  const file = path.join(t.testdir(), 'queue.db')
  let queue = await openEventQueue({ file, migrationsDir })
  t.teardown(() => queue.close())
  let now = 20_000 * DAY_MS - 1
  const meter = new FunctionUsageMeter(() => now)
  const errors: unknown[] = []
  // The answer is lost once after it was written, and once before.
  const losses = ['after', 'before']
  const writer = startUsageWriter({
    meter,
    counts: {
      ...queue.functionUsage,
      async add(batch) {
        const loss = losses.shift()
        if (loss === 'before') throw new QueueUnavailableError('before')
        await queue.functionUsage.add(batch)
        if (loss === 'after') throw new QueueUnavailableError('after')
      }
    },
    kept: () => [],
    now: () => now,
    onError: (err) => errors.push(err),
    intervalMs: 1_000_000
  })
  const f = record('f')
  for (let i = 0; i < 100; i++) meter.settled(f, outcome('', { billedMs: i }))
  await t.rejects(writer.flush(), { message: 'after' })
  meter.settled(f, outcome('', { billedMs: 1 }))
  await t.rejects(writer.flush(), { message: 'before' })
  now += 1
  for (let i = 0; i < 100; i++) meter.settled(record(`f${i}`), outcome('', { billedMs: 5 }))
  await writer.flush()
  await writer.flush()
  const before = await writer.day(19_999)
  t.match(before, [{ functionName: 'f', usage: { requests: 101, billedMs: 4_951, durationMsMiB: 4_951 * 128 } }])
  t.equal(before.length, 1)
  t.equal((await writer.day(20_000)).length, 100)
  meter.settled(f, outcome(''))
  await writer.close()
  await queue.close()
  queue = await openEventQueue({ file, migrationsDir })
  t.equal((await queue.functionUsage.day(20_000)).length, 101, 'the last word is written too')
  t.equal(await queue.functionUsage.prune(20_000, 10), 1)
  t.strictSame(await queue.functionUsage.day(19_999), [])
  t.strictSame(errors, [])
})
