import { LIMITS } from '@hearth/shared'
import type { Stream } from './stream.ts'
import type { Invocation } from './types.ts'

/** An invocation inside the executor: what is known of it from arrival to answer. Times are `performance.now()` ms. */
export interface Flight {
  readonly invocation: Invocation
  readonly arrivedAt: number
  /** Number on the channel of the instance that has it; 0 before. */
  seq: number
  sentAt: number
  /** When the instance was free to begin with it: later than `sentAt` for a pre-sent event. */
  startedAt: number
  /** Sent behind another event. */
  presented: boolean
  /** Times that it was handed to an instance which was gone before it read it. */
  undelivered: number
  cold: boolean
  /** It came when all of its version's provisioned concurrency was in use. */
  spilled: boolean
  sandboxMs: number
  initMs: number
  /** Log lines for the caller, when asked for. */
  tail: string[] | undefined
  /** Its answer, once that has begun to come piece by piece. */
  stream: Stream | undefined
  /** Its START line has been written. */
  begun: boolean
  /** Answered already (timeout, protocol error): whatever comes later is dropped. */
  settled: boolean
}

export function createFlight(invocation: Invocation, now: number): Flight {
  return {
    invocation,
    arrivedAt: now,
    seq: 0,
    sentAt: 0,
    startedAt: 0,
    presented: false,
    undelivered: 0,
    cold: false,
    spilled: false,
    sandboxMs: 0,
    initMs: 0,
    tail: invocation.tail ? [] : undefined,
    stream: undefined,
    begun: false,
    settled: false
  }
}

/** The end of the log, as LogType=Tail returns it. */
export function lastBytes(lines: readonly string[]): Buffer {
  const all = Buffer.from(`${lines.join('\n')}\n`)
  return all.subarray(Math.max(0, all.length - LIMITS.logTailBytes))
}
