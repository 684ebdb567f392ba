import { readFileSync } from 'node:fs'
import path from 'node:path'
import { divideBudget } from '@hearth/executor/internal/stock-budget'
import { createDemand } from '@hearth/executor/internal/stock-demand'
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually, ROOT } from '../helpers/hearth.ts'

const codeDir = path.join(ROOT, 'test/fixtures/functions/node')
const MIB = 1_048_576

t.test('demand is the largest recent burst, kept for two minutes and then forgotten by halves', async (t) => {
  const demand = createDemand()
  t.equal(demand.level(0), 0)
  demand.record(0)
  t.equal(demand.level(0), 1)
  for (let at = 10_000; at < 10_500; at += 10) demand.record(at)
  t.equal(demand.level(10_500), 50, 'within two seconds of each other')
  for (let at = 20_000; at < 80_000; at += 3_000) demand.record(at)
  t.equal(demand.level(130_490), 50, 'expected again for two minutes, whatever trickled in between')
  const later = demand.level(250_490)
  t.ok(later >= 24 && later <= 26, `${later} two minutes after that`)
  t.equal(demand.level(3_600_000), 0)
  const steady = createDemand()
  for (let at = 0; at < 60_000; at += 1_000) steady.record(at)
  t.equal(steady.level(60_000), 2, 'a steady trickle is no burst that grows')
})

t.test('memory is divided: the base of recent kinds first, then demand in turn', async (t) => {
  const wish = (base: number, wanted: number, mib = 10, inUse = true) => ({ base, wanted, bytes: mib, inUse })
  t.same(divideBudget([], 100), [])
  t.same(divideBudget([wish(2, 0), wish(2, 0)], 1_000), [2, 2], 'no more than is wanted')
  t.same(divideBudget([wish(2, 0), wish(2, 0)], 30), [2, 1], 'the kind that was used last comes first')
  t.same(divideBudget([wish(2, 50), wish(2, 4)], 100), [6, 4], 'a burst takes what the others leave')
  t.same(divideBudget([wish(2, 50), wish(2, 50)], 100), [5, 5])
  t.same(
    divideBudget([wish(1, 9, 60), wish(1, 9, 10)], 100),
    [1, 4],
    'what does not fit in one kind is of use to another'
  )
  t.same(divideBudget([wish(2, 9)], 0), [0])
  const idle = (base: number, wanted: number) => wish(base, wanted, 10, false)
  t.same(divideBudget([idle(2, 9), wish(2, 5), idle(2, 9)], 80), [2, 5, 1], 'kinds in use are served before others')
})

t.test('a burst is remembered: as many sandboxes are ready for the next one, and let go of in time', async (t) => {
  let now = 0
  const box = await startExecutor(t, { prestarted: 1, now: () => now })
  await box.executor.ready()
  const kindOf = () => {
    const found = box.executor.stats().stock.kinds.find(({ memoryMiB }) => memoryMiB === 192)
    return found ?? { ready: 0, target: 0 }
  }
  const burst = async (from: number) => {
    const pools = Array.from({ length: 5 }, (_, i) =>
      box.pool({ name: `burst-${from + i}`, codeDir, handler: 'echo.handler', memoryMiB: 192 })
    )
    const outcomes = await Promise.all(pools.map((pool) => box.invoke(pool, { a: 1 })))
    for (const outcome of outcomes) t.match(valueOf(outcome), { event: { a: 1 } })
    for (const pool of pools) pool.retire()
  }
  await burst(0)
  await eventually(() => kindOf().target === 5 && kindOf().ready === 5)
  const before = box.executor.stats().stock
  t.ok(before.usedBytes > 5 * 4 * MIB && before.usedBytes < before.budgetBytes)

  now += 60_000
  await burst(5)
  const [takes] = box.executor.stats().stock.takes
  t.ok((takes?.hits ?? 0) >= 5, 'the second burst found them ready', { takes })

  now += 20 * 60_000
  await eventually(() => kindOf().target === 1 && kindOf().ready === 1)
  now += 31 * 60_000
  await eventually(() => box.executor.stats().stock.kinds.length === 1)
  t.equal(box.executor.stats().stock.kinds[0]?.memoryMiB, 128, 'what a first function needs is always there')
})

t.test('kinds that run warm keep what they need, whatever else is deployed', async (t) => {
  let now = 0
  // Only as many fit as one kind wants: the others are remembered without a sandbox of theirs being booted.
  const box = await startExecutor(t, { prestarted: 1, prestartedBytes: 50 * MIB, now: () => now })
  const warm = box.pool({ codeDir, handler: 'echo.handler', memoryMiB: 192 })
  t.match(valueOf(await box.invoke(warm, {})), { ok: true })
  const kinds = () => box.executor.stats().stock.kinds
  const kindOf = (memoryMiB: number) => kinds().find((kind) => kind.memoryMiB === memoryMiB)
  await eventually(() => kindOf(192)?.ready === 1)
  for (let minutes = 0; minutes < 50; minutes += 10) {
    now += 10 * 60_000
    // The sweep comes by, and finds an instance of it.
    await eventually(() => kindOf(192)?.inUse)
    box.pool({ name: `deployed-${minutes}`, codeDir, handler: 'echo.handler', memoryMiB: 256 + minutes })
  }
  t.match(kindOf(192), { ready: 1, target: 1 }, 'in use for longer than others are remembered')
  t.equal(kindOf(256), undefined, 'and those are forgotten')
  for (let n = 0; n < 70; n++) {
    box.pool({ name: `flood-${n}`, codeDir, handler: 'echo.handler', memoryMiB: 1_024 + n })
  }
  t.match(kindOf(192), { ready: 1, target: 1 }, 'more kinds than are kept')
  t.ok(kinds().length <= 64)
})

t.test('no more sandboxes are kept than memory is set aside for', async (t) => {
  const box = await startExecutor(t, { prestarted: 3, prestartedBytes: 60 * MIB })
  await box.executor.ready()
  const pool = box.pool({ codeDir, handler: 'echo.handler', memoryMiB: 256 })
  t.match(valueOf(await box.invoke(pool, {})), { ok: true })
  const stock = await eventually(() => {
    const { stock } = box.executor.stats()
    return stock.kinds.every(({ ready, target }) => ready === target) ? stock : undefined
  })
  const ready = stock.kinds.reduce((sum, kind) => sum + kind.ready, 0)
  t.ok(ready >= 1 && ready < 6, `${ready} of 6`)
  // What a sandbox takes is known when it is there: the last one may be a little larger than those before.
  t.ok(stock.usedBytes <= 66 * MIB, `${stock.usedBytes} bytes`)
})

for (const [freezeAfterMs, isFrozen] of [
  [0, true],
  [100, true],
  [Number.POSITIVE_INFINITY, false]
] as const) {
  t.test(`idle instances are ${isFrozen ? '' : 'not '}frozen after ${freezeAfterMs} ms`, async (t) => {
    const box = await startExecutor(t, { prestarted: 0, freezeAfterMs })
    if (box.host.features.find(({ feature }) => feature === 'freeze')?.enforced !== true) {
      t.comment('this machine cannot freeze')
      return
    }
    const pool = box.pool({ codeDir, handler: 'echo.handler' })
    for (let n = 0; n < 3; n++) {
      t.match(valueOf(await box.invoke(pool, { n })), { event: { n } }, 'it is thawed for its next event')
      const [pid] = box.runtimePids()
      if (isFrozen) await eventually(() => frozen(pid!))
      else {
        const since = performance.now()
        await eventually(() => performance.now() - since > 300)
        t.notOk(frozen(pid!))
      }
    }
  })
}

/** Whether the kernel has stopped the group of this process: cgroup v2, or the v2 side of a hybrid machine. */
function frozen(pid: number): boolean {
  const own = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? ''
  for (const root of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
    try {
      return /^frozen 1$/m.test(readFileSync(`${root}${own}/cgroup.events`, 'utf8'))
    } catch {
      // The other one.
    }
  }
  return false
}
