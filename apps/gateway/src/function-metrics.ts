import type { Outcome } from '@hearth/executor'
import { renderHistogram } from './histogram-set.ts'

/** Upper bounds of the duration histogram, in seconds. Init is not part of it, as in CloudWatch's Duration. */
export const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60] as const
export const OTHER = '_other'

const STATUSES = ['ok', 'error', 'timeout', 'oom', 'init_error'] as const
const THROTTLES = ['function', 'account', 'rate', 'queue'] as const

// Columns of one function's row.
const RUNNING = 0
const COLD_STARTS = 1
const BILLED_SECONDS = 2
const DURATION_SUM = 3
const LAST_ACTIVE = 4
const STATUS = 5
const THROTTLE = STATUS + STATUSES.length
const BUCKET = THROTTLE + THROTTLES.length
/** One bucket more than bounds: the last one is +Inf. */
const WIDTH = BUCKET + DURATION_BUCKETS.length + 1

/** A function keeps its name in the metrics at least this long after its last event. */
const KEEP_MS = 600_000
/** Rows rendered between two turns of the event loop. */
const SLICE_ROWS = 250

/**
 * Counts per function, in one flat array: an invocation costs two look-ups and a dozen additions. At most
 * `maxFunctions` have series of their own; the others add up in `function="_other"`.
 */
export class FunctionMetrics {
  readonly #maxFunctions: number
  readonly #now: () => number
  #values = new Float64Array(WIDTH * 64)
  /** Row by function; row 0 is `_other`. */
  readonly #rows = new Map<string, number>()
  readonly #names: string[] = [OTHER]
  readonly #free: number[] = []
  #folded = new Set<string>()
  #nextEvictionAt = 0

  /** @param now - Milliseconds, monotonic. */
  constructor(maxFunctions: number, now: () => number) {
    this.#maxFunctions = maxFunctions
    this.#now = now
  }

  /** An event begins. @returns the row to settle it with */
  started(functionName: string): number {
    const row = this.#rows.get(functionName) ?? this.#add(functionName)
    this.#values[row * WIDTH + RUNNING]!++
    return row
  }

  /** Makes a function's series, all zero, so that the first error is an increase and not a beginning. */
  ensure(functionName: string): void {
    if (!this.#rows.has(functionName)) this.#add(functionName)
  }

  settled(row: number, outcome: Outcome): void {
    const values = this.#values
    const at = row * WIDTH
    values[at + RUNNING]!--
    values[at + LAST_ACTIVE] = this.#now()
    const { status } = outcome
    if (status === 'throttled') {
      values[at + THROTTLE + throttleIndex(outcome.errorType)]!++
    } else if (status !== 'unavailable') {
      const seconds = outcome.phases.executeMs / 1_000
      values[at + STATUS + statusIndex(status)]!++
      values[at + BILLED_SECONDS]! += outcome.billedMs / 1_000
      values[at + DURATION_SUM]! += seconds
      values[at + BUCKET + bucketIndex(seconds)]!++
      if (outcome.cold) values[at + COLD_STARTS]!++
    }
    this.#release(row)
  }

  /** The caller went away before an instance was free: as if it had never come. */
  cancelled(row: number): void {
    this.#values[row * WIDTH + RUNNING]!--
    this.#release(row)
  }

  /** A deleted function's series go; what still runs of it is not shown any more. */
  remove(functionName: string): void {
    this.#folded.delete(functionName)
    const row = this.#rows.get(functionName)
    if (row === undefined) return
    this.#rows.delete(functionName)
    this.#names[row] = ''
    this.#release(row)
  }

  /** Text in Prometheus' format, in pieces; between two of them the event loop may turn. */
  *render(): Generator<string> {
    const rows = [0, ...this.#rows.values()]
    yield* this.#family(rows, 'hearth_invocations_total', 'counter', 'Invocations by outcome.', (at, label) => {
      let text = ''
      STATUSES.forEach((status, i) => {
        text += `hearth_invocations_total{${label},status="${status}"} ${this.#values[at + STATUS + i]}\n`
      })
      return text
    })
    yield* this.#family(
      rows,
      'hearth_throttles_total',
      'counter',
      'Invocations refused before they ran.',
      (at, label) => {
        let text = ''
        THROTTLES.forEach((reason, i) => {
          text += `hearth_throttles_total{${label},reason="${reason}"} ${this.#values[at + THROTTLE + i]}\n`
        })
        return text
      }
    )
    yield* this.#single(
      rows,
      'hearth_cold_starts_total',
      'counter',
      'Invocations that initialised an instance.',
      COLD_STARTS
    )
    yield* this.#single(rows, 'hearth_concurrent_executions', 'gauge', 'Invocations that wait or run.', RUNNING)
    yield* this.#single(rows, 'hearth_billed_duration_seconds_total', 'counter', 'Billed duration.', BILLED_SECONDS)
    const name = 'hearth_invocation_duration_seconds'
    yield* this.#family(rows, name, 'histogram', 'Time in the handler, init excluded.', (at, label) =>
      renderHistogram(name, label, DURATION_BUCKETS, this.#values, at + BUCKET, this.#values[at + DURATION_SUM]!)
    )
    yield `# HELP hearth_metrics_functions_folded Functions counted under function="${OTHER}".\n# TYPE hearth_metrics_functions_folded gauge\nhearth_metrics_functions_folded ${this.#folded.size}\n`
  }

  #single(rows: number[], name: string, type: string, help: string, column: number): Generator<string> {
    return this.#family(rows, name, type, help, (at, label) => `${name}{${label}} ${this.#values[at + column]}\n`)
  }

  *#family(
    rows: number[],
    name: string,
    type: string,
    help: string,
    line: (at: number, label: string) => string
  ): Generator<string> {
    let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      // Gone or given to another function since the rendering began.
      if (row !== 0 && this.#names[row] === '') continue
      text += line(row * WIDTH, `function="${this.#names[row]}"`)
      if (i % SLICE_ROWS === SLICE_ROWS - 1) {
        yield text
        text = ''
      }
    }
    yield text
  }

  #add(functionName: string): number {
    if (this.#rows.size >= this.#maxFunctions && !this.#evict()) {
      // Bounded like the rows: a set of names is all that is kept of them.
      if (this.#folded.size < 100_000) this.#folded.add(functionName)
      return 0
    }
    const row = this.#free.pop() ?? this.#names.length
    if ((row + 1) * WIDTH > this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#names[row] = functionName
    this.#values[row * WIDTH + LAST_ACTIVE] = this.#now()
    this.#rows.set(functionName, row)
    this.#folded.delete(functionName)
    return row
  }

  /** Folds the function that was idle longest into `_other`, if it was idle long enough. Looks at most once a second. */
  #evict(): boolean {
    const now = this.#now()
    if (now < this.#nextEvictionAt) return false
    let oldest = ''
    let oldestAt = now - KEEP_MS
    for (const [name, row] of this.#rows) {
      const at = this.#values[row * WIDTH + LAST_ACTIVE]!
      if (at >= oldestAt || this.#values[row * WIDTH + RUNNING] !== 0) continue
      oldest = name
      oldestAt = at
    }
    if (oldest === '') {
      this.#nextEvictionAt = now + 1_000
      return false
    }
    const row = this.#rows.get(oldest)!
    for (let i = COLD_STARTS; i < WIDTH; i++) {
      if (i !== LAST_ACTIVE) this.#values[i]! += this.#values[row * WIDTH + i]!
    }
    this.remove(oldest)
    this.#folded.add(oldest)
    return true
  }

  #release(row: number): void {
    if (row === 0 || this.#names[row] !== '' || this.#values[row * WIDTH + RUNNING] !== 0) return
    this.#values.fill(0, row * WIDTH, (row + 1) * WIDTH)
    this.#free.push(row)
  }
}

function bucketIndex(seconds: number): number {
  let i = 0
  while (i < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[i]!) i++
  return i
}

/** A crash is the function's error, as in CloudWatch's Errors. */
function statusIndex(status: Exclude<Outcome['status'], 'throttled' | 'unavailable'>): number {
  switch (status) {
    case 'ok':
      return 0
    case 'error':
    case 'crash':
      return 1
    case 'timeout':
      return 2
    case 'oom':
      return 3
    case 'init_error':
      return 4
  }
}

/** @param reason - Which limit refused, if the executor names one. */
function throttleIndex(reason: string): number {
  const index = (THROTTLES as readonly string[]).indexOf(reason)
  return index === -1 ? THROTTLES.length - 1 : index
}
