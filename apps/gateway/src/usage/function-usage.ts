import type { Outcome } from '@hearth/executor'
import {
  type Architecture,
  DAY_MS,
  dayOf,
  FREE_EPHEMERAL_MIB,
  FREE_STREAM_BYTES,
  type FunctionRecord,
  MEASURES,
  type Measure,
  type UsageKey
} from '@hearth/shared'

/** Counts that were taken out to be written. */
export interface UsageDelta {
  readonly keys: readonly (UsageKey & { readonly day: number })[]
  readonly values: Float64Array
}

const WIDTH = MEASURES.length
const column = (measure: Measure): number => MEASURES.indexOf(measure)
const REQUESTS = column('requests')
const EVENT_REQUESTS = column('eventRequests')
const BILLED_MS = column('billedMs')
const DURATION = column('durationMsMiB')
const PROVISIONED_DURATION = column('provisionedDurationMsMiB')
const PROVISIONED = column('provisionedMsMiB')
const EPHEMERAL = column('ephemeralMsMiB')
const STREAMED = column('streamedBytes')
const BILLED_STREAM = column('billedStreamBytes')

/** What a call is billed by. */
export type Billed = Pick<FunctionRecord, 'name' | 'role' | 'architecture' | 'memoryMiB' | 'ephemeralMiB'>

/**
 * What functions used since it was last taken out, in one flat array: a call costs a look-up and a few additions. A call
 * belongs to the day in which it ends, with the memory that its version had.
 */
export class FunctionUsageMeter {
  readonly #now: () => number
  #values = new Float64Array(WIDTH * 64)
  /** By row: whether it is in `changed`. */
  #isChanged = new Uint8Array(64)
  #changed: number[] = []
  #keys: UsageKey[] = []
  #rowsByKey = new Map<string, number>()
  #rowsByRecord = new WeakMap<object, number>()
  #day: number
  #endOfDay: number
  /** Of days that were over before they were taken out. */
  #over: UsageDelta[] = []

  /** @param now - Unix time in ms */
  constructor(now: () => number) {
    this.#now = now
    this.#day = dayOf(now())
    this.#endOfDay = (this.#day + 1) * DAY_MS
  }

  /** A call is over, however it came. @param now - Unix time in ms */
  settled(record: Billed, { status, billedMs, provisioned, streamed }: Outcome, now = this.#now()): void {
    // It never began.
    if (status === 'throttled' || status === 'unavailable') return
    const at = this.#of(record, now)
    const values = this.#values
    const { memoryMiB, ephemeralMiB } = record
    values[at + REQUESTS]! += 1
    values[at + BILLED_MS]! += billedMs
    values[at + (provisioned === true ? PROVISIONED_DURATION : DURATION)]! += billedMs * memoryMiB
    if (ephemeralMiB > FREE_EPHEMERAL_MIB) values[at + EPHEMERAL]! += billedMs * (ephemeralMiB - FREE_EPHEMERAL_MIB)
    if (streamed === undefined) return
    values[at + STREAMED]! += streamed.bytes
    if (streamed.bytes > FREE_STREAM_BYTES) values[at + BILLED_STREAM]! += streamed.bytes - FREE_STREAM_BYTES
  }

  /** An asynchronous event was so large that it counts as more requests than its first. */
  largeEvent(record: Billed, extraRequests: number): void {
    const at = this.#of(record, this.#now())
    this.#values[at + REQUESTS]! += extraRequests
    this.#values[at + EVENT_REQUESTS]! += extraRequests
  }

  /** Provisioned concurrency initialised an instance. @param initMs - Fractional */
  provisionedInit(key: UsageKey, memoryMiB: number, initMs: number): void {
    const at = this.#ofKey(key)
    const billedMs = Math.ceil(initMs)
    this.#values[at + BILLED_MS]! += billedMs
    this.#values[at + PROVISIONED_DURATION]! += billedMs * memoryMiB
  }

  /** Provisioned concurrency is kept. */
  provisioned(key: UsageKey, msMiB: number): void {
    this.#values[this.#ofKey(key) + PROVISIONED]! += msMiB
  }

  /** Takes out what was counted, by days; empty when there is nothing. */
  take(): readonly UsageDelta[] {
    // A day that is over is done with its rows.
    if (this.#now() >= this.#endOfDay) this.#turnDay()
    else this.#drain()
    const taken = this.#over
    this.#over = []
    return taken
  }

  #of(record: Billed, now: number): number {
    if (now >= this.#endOfDay) this.#turnDay()
    let row = this.#rowsByRecord.get(record)
    if (row === undefined) {
      row = this.#row({ functionName: record.name, role: record.role, architecture: record.architecture })
      this.#rowsByRecord.set(record, row)
    }
    return this.#change(row)
  }

  #ofKey(key: UsageKey): number {
    if (this.#now() >= this.#endOfDay) this.#turnDay()
    return this.#change(this.#row(key))
  }

  #change(row: number): number {
    if (this.#isChanged[row] === 0) {
      this.#isChanged[row] = 1
      this.#changed.push(row)
    }
    return row * WIDTH
  }

  #row(key: UsageKey): number {
    const name = `${key.functionName} ${key.architecture} ${key.role}`
    const known = this.#rowsByKey.get(name)
    if (known !== undefined) return known
    const row = this.#keys.push(key) - 1
    this.#rowsByKey.set(name, row)
    if (row >= this.#isChanged.length) {
      const values = new Float64Array(this.#values.length * 2)
      values.set(this.#values)
      this.#values = values
      const isChanged = new Uint8Array(this.#isChanged.length * 2)
      isChanged.set(this.#isChanged)
      this.#isChanged = isChanged
    }
    return row
  }

  #drain(): void {
    const changed = this.#changed
    if (changed.length === 0) return
    const values = new Float64Array(changed.length * WIDTH)
    const keys = changed.map((row, index) => {
      const from = row * WIDTH
      values.set(this.#values.subarray(from, from + WIDTH), index * WIDTH)
      this.#values.fill(0, from, from + WIDTH)
      this.#isChanged[row] = 0
      return { ...this.#keys[row]!, day: this.#day }
    })
    this.#over.push({ keys, values })
    this.#changed = []
  }

  /** Rows are given out anew each day: functions that are gone take none for good. */
  #turnDay(): void {
    this.#drain()
    this.#keys = []
    this.#rowsByKey = new Map()
    this.#rowsByRecord = new WeakMap()
    this.#day = dayOf(this.#now())
    this.#endOfDay = (this.#day + 1) * DAY_MS
  }
}

/** Of this machine: what an instance without a record runs on. */
export const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64'
