import { eventually, type Hearth, startHearth } from '@hearth/test/helpers/hearth'
import { quantile } from './processes.ts'

/** How fast one function gets many instances that are at work at the same time. */
export interface ScaleResult {
  readonly name: string
  readonly instances: number
  /** From the first call being sent until so many instances had begun with their events, in ms. */
  readonly allMs: number
  readonly halfMs: number
  /** Of those that had no sandbox ready, and waited while one was booted. */
  readonly bootedMeanwhile: number
  /** What one start took, median in ms; 0 where none was needed. */
  readonly startMs: { readonly sandbox: number; readonly init: number }
}

const INSTANCES = 100
/**
 * How long events go on: until all have begun, so that no instance serves two. On a busy machine that takes longer, so
 * it is tried with more time until it works.
 */
const HOLD_MS = { first: 15_000, later: 5_000, most: 240_000 }
/** No limit of the server's may come before that. */
const LIMIT_MS = 300_000
const STOCKED_MS = 300_000
const ROUNDS = 3

/** Begins to wait at once, until it is told that all are there. */
const SOURCE = `
import { randomUUID } from 'node:crypto'
const instance = randomUUID()
export const handler = async (event) => {
  const at = Date.now()
  await new Promise((resolve) => setTimeout(resolve, event.until - at))
  return { instance, at }
}
`

export async function measureScale(): Promise<readonly ScaleResult[]> {
  const server = await startHearth({ env: { HEARTH_QUEUE_WAIT_MS: String(LIMIT_MS), HEARTH_CONCURRENCY: '200' } })
  try {
    const query = `timeout=${LIMIT_MS / 1_000}&runtime=nodejs${process.versions.node.split('.')[0]}.x`
    const deployed = await server.deploy('scale.mjs', SOURCE, query)
    if (!deployed.ok) throw new Error(await deployed.text())
    let change = 0
    const fresh = () => renew(server, String(change++))
    const results = [await burst(server, 'nothing ready but what every server keeps', HOLD_MS.first, fresh)]
    const again: ScaleResult[] = []
    // The first ones teach it how many are wanted at a time.
    for (let round = -2; round < ROUNDS; round++) {
      const result = await burst(server, 'after bursts of that size: sandboxes are ready', HOLD_MS.later, async () => {
        await fresh()
        await stocked(server)
      })
      if (round >= 0) again.push(result)
    }
    results.push(medianOf(again))
    const idle: ScaleResult[] = []
    for (let round = 0; round < ROUNDS; round++) {
      idle.push(await burst(server, 'instances are idle', HOLD_MS.later))
    }
    results.push(medianOf(idle))
    return results
  } finally {
    await server.stop()
  }
}

/** @param prepare - Brings the server to where it is to start from */
async function burst(
  server: Hearth,
  name: string,
  holdMs: number,
  prepare: () => Promise<void> = async () => undefined
): Promise<ScaleResult> {
  for (let ms = holdMs; ms <= HOLD_MS.most; ms *= 2) {
    await prepare()
    const result = await tryBurst(server, name, ms)
    if (result !== undefined) return result
  }
  throw new Error(`${INSTANCES} instances do not start within ${HOLD_MS.most} ms`)
}

/**
 * Calls it so many times at once; every call must have an instance of its own.
 *
 * @returns undefined when events were over before all had begun
 */
async function tryBurst(server: Hearth, name: string, holdMs: number): Promise<ScaleResult | undefined> {
  // On the same machine, so both clocks are one.
  const missesBefore = await misses(server)
  const sentAt = Date.now()
  const until = sentAt + holdMs
  const answers = await Promise.all(
    Array.from({ length: INSTANCES }, async () => {
      const answer = await server.invoke('scale', { until })
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
      const timing = answer.headers.get('server-timing') ?? ''
      const phase = (key: string) => Number(new RegExp(`${key};dur=([\\d.]+)`).exec(timing)?.[1] ?? 0)
      const { instance, at } = (await answer.json()) as { instance: string; at: number }
      return { instance, at, sandbox: phase('sandbox'), init: phase('init') }
    })
  )
  const instances = new Set(answers.map(({ instance }) => instance)).size
  if (instances < INSTANCES) return undefined
  const begun = answers.map(({ at }) => at - sentAt)
  const startMs = {
    sandbox: quantile(
      answers.map(({ sandbox }) => sandbox),
      0.5
    ),
    init: quantile(
      answers.map(({ init }) => init),
      0.5
    )
  }
  const bootedMeanwhile = (await misses(server)) - missesBefore
  return { name, instances, allMs: Math.max(...begun), halfMs: quantile(begun, 0.5), bootedMeanwhile, startMs }
}

async function misses(server: Hearth): Promise<number> {
  const text = await (await server.request('/metrics')).text()
  let sum = 0
  for (const [, count] of text.matchAll(/^hearth_prestarted_taken_total\{[^}]*result="miss"[^}]*\} (\d+)$/gm))
    sum += Number(count)
  return sum
}

/** Ends all its instances by a changed variable. */
async function renew(server: Hearth, change: string): Promise<void> {
  const changed = await server.request('/v1/functions/scale', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ env: { CHANGE: change } })
  })
  if (!changed.ok) throw new Error(await changed.text())
}

/** Waits until as many sandboxes are booted ahead as are to be kept. */
async function stocked(server: Hearth): Promise<void> {
  await eventually(async () => {
    const text = await (await server.request('/metrics')).text()
    const sum = (pattern: RegExp) => [...text.matchAll(pattern)].reduce((all, [, value]) => all + Number(value), 0)
    const ready = sum(/^hearth_environments\{runtime="[^"]*",state="prestarted"\} (\d+)$/gm)
    return ready >= Math.min(INSTANCES, sum(/^hearth_prestarted_target\{[^}]*\} (\d+)$/gm))
  }, STOCKED_MS)
}

function medianOf(results: readonly ScaleResult[]): ScaleResult {
  return [...results].sort((a, b) => a.allMs - b.allMs)[results.length >> 1]!
}
