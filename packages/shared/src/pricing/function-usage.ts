/**
 * What is counted of a function, in this order wherever it lies in an array. All are whole numbers; durations are billed
 * milliseconds times MiB.
 */
export const MEASURES = [
  /** Starts of the function, and what large events cost beside theirs. */
  'requests',
  /** Of these: for the size of asynchronous events. */
  'eventRequests',
  /** Billed milliseconds, wherever they were spent. */
  'billedMs',
  /** Duration on demand. */
  'durationMsMiB',
  /** Duration on provisioned concurrency, its inits included. */
  'provisionedDurationMsMiB',
  /** Provisioned concurrency that was kept. */
  'provisionedMsMiB',
  /** Ephemeral storage above what is free. */
  'ephemeralMsMiB',
  /** Bytes of streamed answers. */
  'streamedBytes',
  /** Of these: beyond what is free in each answer. */
  'billedStreamBytes'
] as const

export type Measure = (typeof MEASURES)[number]

export type FunctionUsage = Readonly<Record<Measure, number>>

export type Architecture = 'x86_64' | 'arm64'

/** What is counted apart. */
export interface UsageKey {
  readonly functionName: string
  /** ARN of the role that it had then, or ''. */
  readonly role: string
  readonly architecture: Architecture
}

/** Of one function, role and architecture on one day. */
export interface FunctionUsageDay extends UsageKey {
  /** Since 1970-01-01, UTC. */
  readonly day: number
  readonly usage: FunctionUsage
}

/** Storage that every environment has, in MiB, and the part of a streamed answer that is free, in bytes. */
export const FREE_EPHEMERAL_MIB = 512
export const FREE_STREAM_BYTES = 6 * 1_048_576
/** Provisioned concurrency is billed in blocks of five minutes. */
export const PROVISIONED_BLOCK_MS = 300_000

const FIRST_EVENT_BYTES = 256 * 1_024
const NEXT_EVENT_BYTES = 64 * 1_024

/**
 * Requests that an asynchronous event is billed beside its first: one per 64 KiB begun beyond 256 KiB.
 *
 * @param bytes - Of the event
 */
export function extraEventRequests(bytes: number): number {
  return Math.max(0, Math.ceil((bytes - FIRST_EVENT_BYTES) / NEXT_EVENT_BYTES))
}

export function noUsage(): Record<Measure, number> {
  return Object.fromEntries(MEASURES.map((measure) => [measure, 0])) as Record<Measure, number>
}

/** Adds `more` to `sum`. */
export function addUsage(sum: Record<Measure, number>, more: FunctionUsage): void {
  for (const measure of MEASURES) sum[measure] += more[measure]
}

/** @param msMiB - Milliseconds times MiB; a GB is 1024 MiB of memory, as on AWS */
export function toGbSeconds(msMiB: number): number {
  return msMiB / 1_024_000
}
