import type { Flight } from './flight.ts'
import type { Outcome, OutcomeStatus, Phases } from './types.ts'

/** The end of the log is filled in when it is known. */
export type MutableOutcome = { -readonly [K in keyof Outcome]: Outcome[K] }

/** Where an event's time went. @param executeMs - How long it ran */
export function phasesOf(flight: Flight, executeMs: number): Phases {
  return {
    queueMs: Math.max(0, flight.sentAt - flight.arrivedAt - flight.sandboxMs - flight.initMs),
    sandboxMs: flight.sandboxMs,
    initMs: flight.initMs,
    executeMs
  }
}

/** What became of an event that an instance had. */
export function outcomeOf(
  flight: Flight,
  status: OutcomeStatus,
  payload: Buffer,
  errorType: string,
  executeMs: number,
  provisioned: boolean,
  maxMemoryMiB: number
): MutableOutcome {
  const { stream } = flight
  const initMs = flight.cold ? flight.initMs : 0
  return {
    status,
    payload,
    errorType,
    cold: flight.cold,
    phases: phasesOf(flight, executeMs),
    billedMs: Math.max(1, Math.ceil(executeMs + initMs)),
    provisioned,
    spilled: flight.spilled,
    maxMemoryMiB,
    streamed: stream === undefined ? undefined : { bytes: stream.bytes, firstByteMs: stream.firstByteMs },
    tail: undefined
  }
}

/** What became of an event that no instance had. @param errorType - A limit, or why the platform could not run it */
export function refusedOutcome(
  flight: Flight,
  status: OutcomeStatus & ('throttled' | 'unavailable'),
  errorType: string
): Outcome {
  return {
    status,
    payload: Buffer.alloc(0),
    errorType,
    cold: false,
    phases: { queueMs: performance.now() - flight.arrivedAt, sandboxMs: 0, initMs: 0, executeMs: 0 },
    billedMs: 0,
    maxMemoryMiB: 0,
    streamed: undefined,
    tail: undefined
  }
}
