import type { Outcome } from '@hearth/executor'
import {
  BILLED_SECONDS,
  BUCKET,
  bucketIndex,
  CODE_CLASSES,
  COLD_STARTS,
  DURATION_SUM,
  FIRST_COUNT,
  LAST_ACTIVE,
  MEMORY,
  MEMORY_BEFORE,
  MEMORY_MINUTE,
  RUNNING,
  STATUS,
  statusIndex,
  THROTTLE,
  throttleIndex,
  URL_CLASS,
  USES_QUEUE,
  USES_URL,
  WIDTH
} from './function-columns.ts'
import { FAMILIES, type Family } from './function-families.ts'

export const OTHER = '_other'
const MINUTE_MS = 60_000
/** When one was last active that has not been called since the start. */
const NEVER = Number.NEGATIVE_INFINITY

/** A function keeps its name in the metrics at least this long after its last event. */
const KEEP_MS = 600_000
/** Rows rendered between two turns of the event loop. */
const SLICE_ROWS = 100

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
  /** What a function is, as labels; by row. */
  readonly #infos: (string | undefined)[] = []
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
  ensure(functionName: string, info?: { readonly runtime: string; readonly memoryMiB: number }): void {
    const row = this.#rows.get(functionName) ?? this.#add(functionName)
    if (row === 0 || info === undefined) return
    this.#infos[row] = `function="${functionName}",runtime="${info.runtime}",memory_mb="${info.memoryMiB}"`
  }

  /**
   * Makes the series of functions that are there when the server starts, as long as there is room: what was idle for
   * long gives way to what is called.
   */
  foresee(functions: readonly { readonly name: string; readonly runtime: string; readonly memoryMiB: number }[]): void {
    for (const one of functions) {
      if (this.#rows.size >= this.#maxFunctions) return
      if (this.#rows.has(one.name)) continue
      this.ensure(one.name, one)
      this.#values[this.#rows.get(one.name)! * WIDTH + LAST_ACTIVE] = NEVER
    }
  }

  /** How many functions {@link FunctionMetrics.foresee} has room for. */
  get room(): number {
    return this.#maxFunctions - this.#rows.size
  }

  /** One more of what has to do with its events that are run later. @param column - Of function-columns.ts */
  countEvent(functionName: string, column: number): void {
    this.#count(functionName, column, USES_QUEUE)
  }

  /** Its URL was called. */
  urlAnswered(functionName: string, code: number): void {
    const index = Math.min(CODE_CLASSES.length - 1, Math.max(0, Math.floor(code / 100) - 2))
    this.#count(functionName, URL_CLASS + index, USES_URL)
  }

  /** One more of something rare. */
  count(functionName: string, column: number): void {
    this.#count(functionName, column, undefined)
  }

  /** Its instances used, or took, so much more of something. */
  add(functionName: string, column: number, amount: number): void {
    this.#values[(this.#rows.get(functionName) ?? 0) * WIDTH + column]! += amount
  }

  /** @returns how many of the function there were with it; 1 where it has no series of its own */
  settled(row: number, outcome: Outcome): number {
    const values = this.#values
    const at = row * WIDTH
    const running = row === 0 ? 1 : values[at + RUNNING]!
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
      this.#noteMemory(at, outcome.maxMemoryMiB * 1_048_576)
    }
    this.#release(row)
    return running
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
    this.#infos[row] = undefined
    this.#release(row)
  }

  /** Text in Prometheus' format, in pieces; between two of them the event loop may turn. */
  *render(): Generator<string> {
    const rows = [0, ...this.#rows.values()]
    yield* this.#renderInfos(rows)
    for (const family of FAMILIES) yield* this.#renderFamily(rows, family)
    yield `# HELP hearth_metrics_functions_folded Functions counted under function="${OTHER}".\n# TYPE hearth_metrics_functions_folded gauge\nhearth_metrics_functions_folded ${this.#folded.size}\n`
  }

  *#renderInfos(rows: readonly number[]): Generator<string> {
    const name = 'hearth_function_info'
    let text = `# HELP ${name} What a function is: always 1.\n# TYPE ${name} gauge\n`
    for (let i = 0; i < rows.length; i++) {
      const info = this.#infos[rows[i]!]
      if (info !== undefined) text += `${name}{${info}} 1\n`
      if (i % SLICE_ROWS !== SLICE_ROWS - 1) continue
      yield text
      text = ''
    }
    yield text
  }

  *#renderFamily(rows: readonly number[], { name, type, help, lines }: Family): Generator<string> {
    let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      // Gone or given to another function since the rendering began.
      if (row !== 0 && this.#names[row] === '') continue
      text += lines(this.#values, row * WIDTH, `function="${this.#names[row]}"`)
      if (i % SLICE_ROWS === SLICE_ROWS - 1) {
        yield text
        text = ''
      }
    }
    yield text
  }

  #count(functionName: string, column: number, uses: number | undefined): void {
    // One that was deleted meanwhile does not come back by it.
    const at = (this.#rows.get(functionName) ?? 0) * WIDTH
    this.#values[at + column]!++
    if (uses !== undefined) this.#values[at + uses] = 1
  }

  #noteMemory(at: number, bytes: number): void {
    const values = this.#values
    const minute = Math.floor(values[at + LAST_ACTIVE]! / MINUTE_MS)
    if (minute !== values[at + MEMORY_MINUTE]) {
      values[at + MEMORY_BEFORE] = values[at + MEMORY]!
      values[at + MEMORY] = 0
      values[at + MEMORY_MINUTE] = minute
    }
    if (bytes > values[at + MEMORY]!) values[at + MEMORY] = bytes
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
    for (let i = FIRST_COUNT; i < WIDTH; i++) this.#values[i]! += this.#values[row * WIDTH + i]!
    // One that was never called is not counted there.
    const wasCalled = this.#values[row * WIDTH + LAST_ACTIVE] !== NEVER
    this.remove(oldest)
    if (wasCalled) this.#folded.add(oldest)
    return true
  }

  #release(row: number): void {
    if (row === 0 || this.#names[row] !== '' || this.#values[row * WIDTH + RUNNING] !== 0) return
    this.#values.fill(0, row * WIDTH, (row + 1) * WIDTH)
    this.#free.push(row)
  }
}
