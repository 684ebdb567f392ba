import type { Outcome } from '@hearth/executor'
import { type ArnScope, extraEventRequests, HearthError } from '@hearth/shared'
import { type AttemptResult, type Condition, type EventQueue, type NewEvent, type QueuedEvent } from '@hearth/store'
import type { Entry } from '../function-routes.ts'
import type { Metrics } from '../metrics.ts'
import { recursionStopped } from '../refusal.ts'
import type { Traces } from '../tracing/traces.ts'
import { AsyncInvocation } from './async-invocation.ts'
import { attemptRecord } from './attempt-record.ts'
import type { Clock } from './clock.ts'
import type { AsyncCounts } from './counts.ts'
import { describeOutcome } from './describe-outcome.ts'
import { DueTimer } from './due-timer.ts'
import type { Lane } from './lane.ts'
import { Lanes } from './lanes.ts'
import { DISK_RETRY_MS, Notes } from './notes.ts'
import { deliveriesOf } from './outcome-record.ts'
import { afterFailure, afterThrottle, isTooOld } from './retry-rules.ts'

export interface DispatcherOptions {
  readonly queue: EventQueue
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** Events of all functions that may be with the executor at once. */
  readonly maxRunning: number
  /** Bytes of payload that wait in memory; the rest waits on disk. */
  readonly maxWaitingBytes: number
  readonly counts: AsyncCounts
  /** Events are calls of their functions like any other. */
  readonly metrics: Pick<Metrics, 'functions' | 'settled' | 'usage'>
  readonly traces: Traces
  readonly clock: Clock
  readonly scope: ArnScope
  /** Something is to be sent, and is on disk. */
  readonly onDelivery: () => void
  readonly onError: (err: unknown) => void
}

/** An event and what is known of its function. */
export interface Attempt {
  readonly lane: Lane
  readonly event: QueuedEvent
  readonly entry: Entry
  readonly traceId: string
  readonly startedAt: number
}

export interface ReadyEvents {
  readonly functionName: string
  readonly count: number
  /** When the oldest was accepted, Unix time in ms. */
  readonly oldestAt: number
}

export interface Dispatcher {
  /**
   * Resolves when the event is on disk. @throws HearthError QUEUE_UNAVAILABLE; nothing was accepted then
   *
   * @returns the id of the first of its delivery, where this is not the first: nothing was accepted, and nothing need be
   */
  accept(event: NewEvent): Promise<string | undefined>
  isRunning(requestId: string): boolean
  /** Ids of the events that run now, of all functions. */
  running(): readonly string[]
  /** Events that were taken from disk, or never waited there, and have not begun. */
  ready(): readonly ReadyEvents[]
  /** Unix time in ms, as the retries see it. */
  now(): number
  /** Events of this function on disk are to be looked for. */
  wake(functionName: string): void
  /** Takes up what an earlier process left. Until then events are accepted and not run. */
  start(): void
  /** Begins nothing new; what runs goes on, and is noted when it ends. */
  stop(): void
  /** Resolves when all that ended is noted. */
  settled(): Promise<void>
}

/** Events taken from disk at a time. */
const CLAIM = 32

/**
 * Runs events in their turn: round-robin over functions, each of which has at most as many running as there are places
 * free. So one function alone takes half of the places, and another's first event always finds one.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, find, maxRunning, maxWaitingBytes, counts, metrics, traces, clock, scope, onDelivery, onError } =
    options
  const lanes = new Lanes(step)
  const notes = new Notes(clock, onError)
  const dueTimer = new DueTimer(clock, () => lanes.all(), lookAgain)
  const running = new Set<string>()
  let waitingBytes = 0
  let stopped = false
  const offer = (lane: Lane): void => {
    lanes.offer(lane)
  }

  /** @returns whether something was begun */
  function step(lane: Lane): boolean {
    if (running.size >= maxRunning || lane.running >= maxRunning - running.size) return false
    // One too many would be throttled, and come back late.
    if (lane.running >= lane.limit) return false
    if (!lane.mayRun(clock.now())) {
      growLater(lane)
      return false
    }
    const event = lane.ready.shift()
    if (event !== undefined) {
      waitingBytes -= event.payload.length
      run(lane, event)
      return true
    }
    if (!lane.more || lane.claiming) return false
    claim(lane)
    return true
  }

  /** However long its events take, a function with a backlog gets more of them at once. */
  function growLater(lane: Lane): void {
    if (lane.growing) return
    lane.growing = true
    clock.after(Math.max(lane.growsAt - clock.now(), 0), () => {
      lane.growing = false
      if (!stopped) lanes.offer(lane)
    })
  }

  function claim(lane: Lane): void {
    lane.claiming = true
    // Set again by whatever is written to disk from here on.
    lane.more = false
    queue.claim(lane.functionName, clock.now(), waitingBytes < maxWaitingBytes ? CLAIM : 1).then(
      ({ events, nextDueAt }) => {
        lane.claiming = false
        for (const event of events) {
          waitingBytes += event.payload.length
          lane.ready.push(event)
        }
        if (nextDueAt !== undefined) wakeAt(lane, nextDueAt)
        lanes.offer(lane)
      },
      (err: unknown) => {
        lane.claiming = false
        onError(err)
        wakeAt(lane, clock.now() + DISK_RETRY_MS)
      }
    )
  }

  function run(lane: Lane, event: QueuedEvent): void {
    lane.running += 1
    running.add(event.requestId)
    const startedAt = clock.now()
    let entry: Entry | undefined
    try {
      entry = find(event.functionName, event.qualifier)
    } catch (err) {
      onError(err)
      // Nobody can be told of it, nor how long it may wait: it does.
      later(lane, event, startedAt + DISK_RETRY_MS, event.throttles, resultOf(event, '', ''), undefined)
      return
    }
    if (entry === undefined) {
      counts.ended(event.functionName, 'FunctionNotFound')
      const result = resultOf(event, 'FunctionNotFound', 'The function was deleted.')
      note(lane, event, () => queue.complete(event.requestId, 'FunctionNotFound', result))
      return
    }
    const { reservedConcurrency } = entry.record
    lane.limit = reservedConcurrency === undefined ? Number.POSITIVE_INFINITY : Math.max(1, reservedConcurrency)
    const { limits } = entry.events
    const traceId = entry.lineage.enter(traces.ofAttempt(event.requestId, event.traceId))
    const attempt = { lane, event, entry, traceId: traceId ?? event.traceId, startedAt }
    if (reservedConcurrency === 0) {
      end(attempt, 'ZeroReservedConcurrency', resultOf(event, '', 'The function is switched off.'))
      return
    }
    if (traceId === undefined) {
      end(attempt, 'RecursiveInvocationDetected', resultOf(event, '', recursionStopped(event.functionName).message))
      return
    }
    if (isTooOld(event.acceptedAt, startedAt, limits)) {
      end(attempt, 'EventAgeExceeded', resultOf(event, '', 'The event waited for too long.'))
      return
    }
    counts.begun(event.functionName, startedAt - event.acceptedAt)
    const row = metrics.functions.started(event.functionName)
    const invocation = new AsyncInvocation(event, traceId, entry.invokedArn, (outcome) => {
      metrics.settled(row, entry, outcome)
      if (traces.keeps(traceId, outcome)) traces.record(attemptRecord(attempt, outcome))
      settle(attempt, outcome)
    })
    entry.pool.invoke(invocation)
  }

  function settle(attempt: Attempt, outcome: Outcome): void {
    const { lane, event, entry, startedAt } = attempt
    const now = clock.now()
    const isTried = outcome.status !== 'throttled' && outcome.status !== 'unavailable'
    const attempts = event.attempts + (isTried ? 1 : 0)
    if (attempts === 1 && isTried) noteSize(entry, event)
    const result: AttemptResult = { startedAt, endedAt: now, attempts, ...describeOutcome(outcome) }
    const trace = traces.afterAttempt(event.traceId, attempt.traceId)
    // What a stopping server cut short was not the function's fault: it runs again after the start.
    if (stopped && outcome.status === 'crash') {
      note(lane, event, () => queue.retry(event.requestId, now, 0, { ...result, attempts: event.attempts }, trace))
      return
    }
    if (outcome.status === 'ok') {
      lane.settled(true, now)
      end(attempt, 'Success', result, outcome)
      return
    }
    lane.settled(isTried, now)
    const throttles = isTried ? 0 : event.throttles + 1
    const { limits } = entry.events
    const verdict = isTried
      ? afterFailure(attempts, event.acceptedAt, now, limits)
      : afterThrottle(throttles, event.acceptedAt, now, limits)
    if ('over' in verdict) end(attempt, verdict.over, result, isTried ? outcome : undefined)
    else later(lane, event, verdict.dueAt, throttles, result, trace)
  }

  /** At the first attempt alone: further ones are requests, and no further events. */
  function noteSize({ record }: Entry, { payload }: QueuedEvent): void {
    const extra = extraEventRequests(payload.length)
    if (extra > 0) metrics.usage.largeEvent(record, extra)
  }

  function later(
    lane: Lane,
    event: QueuedEvent,
    dueAt: number,
    throttles: number,
    result: AttemptResult,
    trace: string | undefined
  ): void {
    counts.retried()
    note(lane, event, async () => {
      await queue.retry(event.requestId, dueAt, throttles, result, trace)
      wakeAt(lanes.of(event.functionName), dueAt)
    })
  }

  /** The event is over, and whoever is to be told of it will be. */
  function end(
    { lane, event, entry, traceId }: Attempt,
    condition: Condition,
    result: AttemptResult,
    outcome?: Outcome
  ): void {
    const deliveries = deliveriesOf({ event, entry, condition, result, outcome, traceId }, scope)
    counts.ended(event.functionName, condition)
    note(lane, event, async () => {
      await queue.complete(event.requestId, condition, result, deliveries)
      if (deliveries.length > 0) onDelivery()
    })
  }

  /** Writes down how an attempt went: it does not run any more. */
  function note(lane: Lane, event: QueuedEvent, write: () => Promise<void>): void {
    notes.write(write)
    running.delete(event.requestId)
    lane.running -= 1
    // Not at once: the executor is in the middle of its own turn.
    queueMicrotask(() => {
      lanes.offer(lane)
    })
  }

  function resultOf(event: QueuedEvent, errorType: string, errorMessage: string): AttemptResult {
    return { startedAt: undefined, endedAt: clock.now(), attempts: event.attempts, errorType, errorMessage }
  }

  function wakeAt(lane: Lane, at: number): void {
    if (at <= clock.now()) lookAgain(lane)
    else dueTimer.note(lane, at)
  }

  /** There may be something on disk. */
  function lookAgain(lane: Lane): void {
    lane.more = true
    lanes.offer(lane)
  }

  function takeUp(): void {
    queue.waiting().then(
      (found) => {
        for (const { functionName, dueAt } of found) wakeAt(lanes.of(functionName), dueAt)
      },
      (err: unknown) => {
        onError(err)
        clock.after(DISK_RETRY_MS, () => {
          if (!stopped) takeUp()
        })
      }
    )
  }

  return {
    async accept(event) {
      const known = lanes.find(event.functionName)
      // From memory only while nothing older waits on disk, and as long as there is room.
      const fromMemory =
        lanes.isOpen &&
        // The queue says whether there is another of its due time or delivery.
        event.fired === undefined &&
        event.receipt === undefined &&
        waitingBytes + event.payload.length <= maxWaitingBytes &&
        (known === undefined || (!known.more && !known.claiming && known.ready.length < CLAIM))
      if (fromMemory) waitingBytes += event.payload.length
      let first: string | undefined
      try {
        first = await queue.enqueue(event, fromMemory)
      } catch (cause) {
        if (fromMemory) waitingBytes -= event.payload.length
        throw new HearthError(
          'QUEUE_UNAVAILABLE',
          'The event was not accepted: the queue cannot be written now. Send it again later; the server log says why.',
          { cause }
        )
      }
      if (first !== undefined) return first
      counts.accepted(event.functionName)
      const lane = lanes.of(event.functionName)
      if (fromMemory) lane.ready.push({ ...event, attempts: 0, throttles: 0 })
      else lane.more = true
      // The caller hears of it first.
      setImmediate(offer, lane)
      return undefined
    },
    now: () => clock.now(),
    isRunning: (requestId) => running.has(requestId),
    running: () => [...running],
    ready: () =>
      lanes
        .all()
        .flatMap(({ functionName, ready }) =>
          ready.length === 0
            ? []
            : [{ functionName, count: ready.length, oldestAt: Math.min(...ready.map(({ acceptedAt }) => acceptedAt)) }]
        ),
    wake(functionName) {
      lookAgain(lanes.of(functionName))
    },
    start() {
      takeUp()
      lanes.start()
    },
    stop() {
      stopped = true
      lanes.stop()
      notes.stop()
      dueTimer.stop()
    },
    settled: () => notes.settled()
  }
}
