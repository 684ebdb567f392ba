import type { Outcome } from '@hearth/executor'
import { HearthError } from '@hearth/shared'
import { type AttemptResult, type Condition, type EventQueue, type NewEvent, type QueuedEvent } from '@hearth/store'
import type { Entry } from '../function-routes.ts'
import { AsyncInvocation } from './async-invocation.ts'
import type { AsyncCounts } from './counts.ts'
import { describeOutcome } from './describe-outcome.ts'
import { Lane } from './lane.ts'
import { afterFailure, afterThrottle, DEFAULT_LIMITS, isTooOld, type Verdict } from './retry-rules.ts'

export interface DispatcherOptions {
  readonly queue: EventQueue
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** Events of all functions that may be with the executor at once. */
  readonly maxRunning: number
  /** Bytes of payload that wait in memory; the rest waits on disk. */
  readonly maxWaitingBytes: number
  readonly counts: AsyncCounts
  readonly clock: Clock
  readonly onError: (err: unknown) => void
}

/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Unix time in ms. */
  now(): number
  /** @returns cancels it */
  after(ms: number, run: () => void): () => void
}

export interface Dispatcher {
  /** Resolves when the event is on disk. @throws HearthError QUEUE_UNAVAILABLE; nothing was accepted then */
  accept(event: NewEvent): Promise<void>
  isRunning(requestId: string): boolean
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
/** Before something that the disk refused is tried again, in ms. */
const DISK_RETRY_MS = 1_000
/** Longest single timer, in ms: Node's own limit is 2^31. */
const MAX_TIMER_MS = 3_600_000

/**
 * Runs events in their turn: round-robin over functions, each of which has at most as many running as there are places
 * free. So one function alone takes half of the places, and another's first event always finds one.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, find, maxRunning, maxWaitingBytes, counts, clock, onError } = options
  const lanes = new Map<string, Lane>()
  let ring: Lane[] = []
  const running = new Set<string>()
  let waitingBytes = 0
  let started = false
  let stopped = false
  let pumping = false
  let noting = 0
  let onNoted: (() => void) | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let cancelTimer = (): void => undefined

  function laneOf(name: string): Lane {
    let lane = lanes.get(name)
    if (lane === undefined) {
      lane = new Lane(name)
      lanes.set(name, lane)
    }
    return lane
  }

  function offer(lane: Lane): void {
    if (!lane.queued && lane.isRunnable) {
      lane.queued = true
      ring.push(lane)
    }
    // Another of the name may have come after it.
    if (lane.isIdle && lanes.get(lane.functionName) === lane) lanes.delete(lane.functionName)
    if (!pumping && started && !stopped) pump()
  }

  function pump(): void {
    pumping = true
    // Each lane is asked until a whole round brings nothing.
    for (let moved = true; moved && !stopped; ) {
      moved = false
      const round = ring
      ring = []
      for (const lane of round) {
        lane.queued = false
        if (step(lane)) moved = true
        if (lane.isRunnable && !lane.queued) {
          lane.queued = true
          ring.push(lane)
        }
      }
    }
    pumping = false
  }

  /** @returns whether something was begun */
  function step(lane: Lane): boolean {
    if (running.size >= maxRunning || lane.running >= maxRunning - running.size) return false
    // One too many would be throttled, and come back late.
    if (lane.running >= lane.limit) return false
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
        offer(lane)
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
      later(lane, event, afterThrottle(event.throttles + 1, event.acceptedAt, startedAt, DEFAULT_LIMITS))
      return
    }
    if (entry === undefined) {
      finish(lane, event, 'FunctionNotFound', resultOf(event, 'FunctionNotFound', 'The function was deleted.'))
      return
    }
    const { reservedConcurrency } = entry.record
    lane.limit = reservedConcurrency === undefined ? Number.POSITIVE_INFINITY : Math.max(1, reservedConcurrency)
    if (reservedConcurrency === 0) {
      finish(lane, event, 'ZeroReservedConcurrency', resultOf(event, '', 'The function is switched off.'))
      return
    }
    if (isTooOld(event.acceptedAt, startedAt, DEFAULT_LIMITS)) {
      finish(lane, event, 'EventAgeExceeded', resultOf(event, '', 'The event waited for too long.'))
      return
    }
    counts.begun(startedAt - event.acceptedAt)
    const { counter } = entry
    const invocation = new AsyncInvocation(event, entry.invokedArn, (outcome) => {
      counter?.record(outcome)
      settle(lane, event, startedAt, outcome)
    })
    entry.pool.invoke(invocation)
  }

  function settle(lane: Lane, event: QueuedEvent, startedAt: number, outcome: Outcome): void {
    const now = clock.now()
    const isTried = outcome.status !== 'throttled' && outcome.status !== 'unavailable'
    const attempts = event.attempts + (isTried ? 1 : 0)
    const result: AttemptResult = { startedAt, endedAt: now, attempts, ...describeOutcome(outcome) }
    // What a stopping server cut short was not the function's fault: it runs again after the start.
    if (stopped && outcome.status === 'crash') {
      note(lane, event, () => queue.retry(event.requestId, now, 0, { ...result, attempts: event.attempts }))
      return
    }
    if (outcome.status === 'ok') {
      finish(lane, event, 'Success', result)
      return
    }
    const throttles = isTried ? 0 : event.throttles + 1
    const verdict = isTried
      ? afterFailure(attempts, event.acceptedAt, now, DEFAULT_LIMITS)
      : afterThrottle(throttles, event.acceptedAt, now, DEFAULT_LIMITS)
    later(lane, event, verdict, throttles, result)
  }

  function later(
    lane: Lane,
    event: QueuedEvent,
    verdict: Verdict,
    throttles = event.throttles + 1,
    result = resultOf(event, '', '')
  ): void {
    if ('over' in verdict) {
      finish(lane, event, verdict.over, result)
      return
    }
    counts.retried()
    note(lane, event, async () => {
      await queue.retry(event.requestId, verdict.dueAt, throttles, result)
      wakeAt(laneOf(event.functionName), verdict.dueAt)
    })
  }

  function finish(lane: Lane, event: QueuedEvent, condition: Condition, result: AttemptResult): void {
    counts.ended(condition)
    note(lane, event, () => queue.complete(event.requestId, condition, result))
  }

  /** Writes down how an attempt went, as often as it takes: an event whose end is not noted would run again. */
  function note(lane: Lane, event: QueuedEvent, write: () => Promise<void>): void {
    noting += 1
    const attempt = (): void => {
      write().then(noted, (err: unknown) => {
        onError(err)
        // Nobody waits for a queue that is closed: the next process runs the event again.
        if (stopped) noted()
        else clock.after(DISK_RETRY_MS, attempt)
      })
    }
    const noted = (): void => {
      noting -= 1
      if (noting === 0) onNoted?.()
    }
    attempt()
    running.delete(event.requestId)
    lane.running -= 1
    // Not at once: the executor is in the middle of its own turn.
    queueMicrotask(() => {
      offer(lane)
    })
  }

  function resultOf(event: QueuedEvent, errorType: string, errorMessage: string): AttemptResult {
    return { startedAt: undefined, endedAt: clock.now(), attempts: event.attempts, errorType, errorMessage }
  }

  function wakeAt(lane: Lane, at: number): void {
    if (at <= clock.now()) {
      lane.more = true
      offer(lane)
      return
    }
    if (at < lane.dueAt) lane.dueAt = at
    if (lane.dueAt < timerAt) arm(lane.dueAt)
  }

  function arm(at: number): void {
    cancelTimer()
    timerAt = at
    cancelTimer = clock.after(Math.min(Math.max(at - clock.now(), 0), MAX_TIMER_MS), onTimer)
  }

  function onTimer(): void {
    timerAt = Number.POSITIVE_INFINITY
    if (stopped) return
    const now = clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const lane of [...lanes.values()]) {
      if (lane.dueAt <= now) {
        lane.dueAt = Number.POSITIVE_INFINITY
        lane.more = true
        offer(lane)
      } else if (lane.dueAt < next) next = lane.dueAt
    }
    if (next < timerAt) arm(next)
  }

  function takeUp(): void {
    queue.waiting().then(
      (found) => {
        for (const { functionName, dueAt } of found) wakeAt(laneOf(functionName), dueAt)
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
      const known = lanes.get(event.functionName)
      // From memory only while nothing older waits on disk, and as long as there is room.
      const fromMemory =
        started &&
        !stopped &&
        waitingBytes + event.payload.length <= maxWaitingBytes &&
        (known === undefined || (!known.more && !known.claiming && known.ready.length < CLAIM))
      if (fromMemory) waitingBytes += event.payload.length
      try {
        await queue.enqueue(event, fromMemory)
      } catch (cause) {
        if (fromMemory) waitingBytes -= event.payload.length
        throw new HearthError(
          'QUEUE_UNAVAILABLE',
          'The event was not accepted: the queue cannot be written now. Send it again later; the server log says why.',
          { cause }
        )
      }
      counts.accepted()
      const lane = laneOf(event.functionName)
      if (fromMemory) lane.ready.push({ ...event, attempts: 0, throttles: 0 })
      else lane.more = true
      // The caller hears of it first.
      setImmediate(offer, lane)
    },
    now: () => clock.now(),
    isRunning: (requestId) => running.has(requestId),
    wake(functionName) {
      const lane = laneOf(functionName)
      lane.more = true
      offer(lane)
    },
    start() {
      started = true
      takeUp()
      for (const lane of [...lanes.values()]) offer(lane)
    },
    stop() {
      stopped = true
      cancelTimer()
    },
    settled: () =>
      new Promise((resolve) => {
        onNoted = resolve
        if (noting === 0) resolve()
      })
  }
}
