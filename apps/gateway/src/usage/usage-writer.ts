import { randomUUID } from 'node:crypto'
import { dayOf, type FunctionUsageDay } from '@hearth/shared'
import type { FunctionUsageCounts, ProvisionedBlock, UsageBatch } from '@hearth/store'
import type { FunctionUsageMeter } from './function-usage.ts'
import { ProvisionedBlocks, type ProvisionedKept } from './provisioned-blocks.ts'

export interface UsageWriterOptions {
  readonly meter: FunctionUsageMeter
  readonly counts: FunctionUsageCounts
  /** Provisioned concurrency that is enabled now. */
  readonly kept: () => readonly ProvisionedKept[]
  /** Unix time in ms. */
  readonly now: () => number
  readonly onError: (err: unknown) => void
  /** How often it is written, in ms. */
  readonly intervalMs?: number
}

/** Brings what was counted to disk. */
export interface UsageWriter {
  /** Writes what was counted so far. @throws QueueUnavailableError */
  flush(): Promise<void>
  /** Of one day, as far as it is on disk. @throws QueueUnavailableError */
  day(day: number): Promise<readonly FunctionUsageDay[]>
  /** Writes what is counted, and ends. */
  close(): Promise<void>
}

/** Twice in the second that a crash may cost. */
const WRITE_MS = 500
/** How long counts are kept: 13 months and a little. */
const KEPT_DAYS = 400
const PRUNED_AT_ONCE = 1_000

/**
 * Writes one batch at a time, each under a number of its own. One that failed is asked again under the same number:
 * it may have been written, and then it is not added again.
 */
export function startUsageWriter(options: UsageWriterOptions): UsageWriter {
  const { meter, counts, now, onError } = options
  const process = randomUUID()
  let sequence = 0
  let blocks: ProvisionedBlocks | undefined
  let blocksToWrite: readonly ProvisionedBlock[] | undefined
  const batches: UsageBatch[] = []
  let writing: Promise<void> | undefined
  let prunedDay = 0
  let isClosed = false

  /** What was paid before must be known before more is. */
  async function chargeProvisioned(): Promise<void> {
    const kept = options.kept()
    if (blocks === undefined) {
      if (kept.length === 0) return
      blocks = new ProvisionedBlocks(await counts.blocks())
    }
    const changed = blocks.update(now(), kept, ({ functionName, role, architecture }, msMiB) => {
      meter.provisioned({ functionName, role, architecture }, msMiB)
    })
    blocksToWrite = changed ?? blocksToWrite
  }

  function collect(): void {
    for (const { keys, values } of meter.take()) {
      sequence += 1
      batches.push({ process, sequence, keys, values, blocks: blocksToWrite })
      blocksToWrite = undefined
    }
    if (blocksToWrite === undefined) return
    sequence += 1
    batches.push({ process, sequence, keys: [], values: new Float64Array(), blocks: blocksToWrite })
    blocksToWrite = undefined
  }

  /** All that was counted before is on disk afterwards. @throws QueueUnavailableError */
  async function write(): Promise<void> {
    await chargeProvisioned()
    collect()
    for (let batch = batches[0]; batch !== undefined; batch = batches[0]) {
      await counts.add(batch)
      batches.shift()
    }
  }

  /** One after the other. */
  function flush(): Promise<void> {
    const before = writing ?? Promise.resolve()
    const mine = before.catch(() => undefined).then(write)
    writing = mine
    const over = (): void => {
      if (writing === mine) writing = undefined
    }
    mine.then(over, over)
    return mine
  }

  async function prune(): Promise<void> {
    const today = dayOf(now())
    if (today === prunedDay) return
    prunedDay = today
    while (!isClosed && (await counts.prune(today - KEPT_DAYS, PRUNED_AT_ONCE)) === PRUNED_AT_ONCE);
  }

  const timer = setInterval(() => {
    // One that hangs is waited for.
    if (writing === undefined) flush().then(prune).catch(onError)
  }, options.intervalMs ?? WRITE_MS)
  timer.unref()

  return {
    flush,
    day: (day) => counts.day(day),
    async close() {
      isClosed = true
      clearInterval(timer)
      await flush().catch(onError)
    }
  }
}
