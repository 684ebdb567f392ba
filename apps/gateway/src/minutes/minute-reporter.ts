import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MetricSample } from '@hearth/store'
import { type ReporterOptions, startReporter } from '../control-plane-reporter.ts'
import type { MinuteFiles } from './minute-files.ts'
import type { MinuteMetrics } from './minute-metrics.ts'
import type { MinuteTable } from './minute-table.ts'
import { MinuteSums } from './to-samples.ts'

export interface MinuteReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly minutes: MinuteMetrics
  /** Asked each second for what is measured at a time. */
  readonly sample: () => void
  /** Reports that were given up since the last time: the control plane was away for too long. */
  readonly onLost: (reports: number) => void
  /** Keeps what was not told yet; undefined: it is lost with the process. */
  readonly files?: MinuteFiles | undefined
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000
/** Of one report: making it, and taking it in, are some ms. */
const SAMPLES = 250
/** Reports that wait for the control plane: the newest are kept. */
const WAITING = 800
/** What minutes under way may write in a second, in the long run: thousands of busy functions are written less often. */
const SAVED_BYTES_PER_SECOND = 4_194_304

interface Report {
  readonly id: string
  readonly samples: () => readonly MetricSample[]
  readonly minute: { readonly key: string; left: number }
}

/**
 * Tells the control plane what each minute had, soon after its end. What is not taken is sent again under the same id.
 * What is counted comes to disk about once a second, and what is told of is on disk before: the process that comes after
 * one that was killed tells the rest, under the same ids.
 *
 * @returns says the rest, and stops
 */
export function startMinuteReporter(options: MinuteReporterOptions): () => Promise<void> {
  const { minutes, sample, onLost, onError, files, intervalMs = INTERVAL_MS } = options
  const waiting: Report[] = []
  let working: Promise<void> | undefined
  let removing: Promise<void> = Promise.resolve()
  let nextSaveAt = 0
  let isLoaded = files === undefined

  async function divide(at: number, table: MinuteTable): Promise<void> {
    const sums = new MinuteSums(at, table)
    const steps = sums.addUp(SAMPLES)
    while (steps.next().done !== true) await nextTurn()
    const parts = sums.parts()
    const minute = { key: table.key, left: parts.length }
    waiting.push(...parts.map((samples, index) => ({ id: idOf(table.key, index), samples, minute })))
    const lost = waiting.length - WAITING
    if (lost <= 0) return
    for (const report of waiting.splice(0, lost)) done(report)
    onLost(lost)
  }

  async function work(all: boolean): Promise<void> {
    if (!isLoaded) {
      isLoaded = true
      for (const [at, table] of await files!.load()) await divide(at, table)
    }
    for (const [at, table] of minutes.take(all)) {
      await files?.save(at, table).catch(onError)
      await divide(at, table)
    }
    if (files === undefined || performance.now() < nextSaveAt) return
    let bytes = 0
    for (const [at, table] of minutes.takeChanged()) bytes += await files.save(at, table)
    nextSaveAt = performance.now() + (bytes / SAVED_BYTES_PER_SECOND) * 1_000
  }

  /** A report is told, or given up. */
  function done({ minute }: Report): void {
    minute.left--
    if (minute.left > 0 || files === undefined) return
    removing = removing.then(() => files.remove(minute.key)).catch(onError)
  }

  const stop = startReporter({
    ...options,
    path: '/internal/metrics',
    intervalMs,
    report() {
      sample()
      working ??= work(false)
        .catch(onError)
        .finally(() => {
          working = undefined
        })
      const [first] = waiting
      return first && JSON.stringify({ id: first.id, samples: first.samples() })
    },
    onTaken(body) {
      const first = waiting[0]
      if (first === undefined || !body.startsWith(`{"id":"${first.id}"`)) return
      waiting.shift()
      done(first)
    },
    more: () => waiting.length > 0
  })
  return async () => {
    await working
    await work(true).catch(onError)
    await stop()
    await removing
  }
}

/** The same for the same part of the same minute, whichever process tells it: a UUID of version 8. */
function idOf(key: string, part: number): string {
  const hex = createHash('sha256').update(`${key} ${part}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
