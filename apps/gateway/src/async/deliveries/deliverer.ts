import type { Delivery, EventQueue } from '@hearth/store'
import type { Clock } from '../clock.ts'
import type { AsyncCounts } from '../counts.ts'
import { DeliveryError, type DeliveryKind } from './kind.ts'
import { Targets } from './targets.ts'

export interface DelivererOptions {
  readonly queue: EventQueue
  readonly kinds: readonly DeliveryKind[]
  readonly counts: AsyncCounts
  readonly clock: Clock
  /** The queue cannot be used. */
  readonly onError: (err: unknown) => void
  /** The function's role does not allow it; it is tried again. */
  readonly onRefused: (delivery: Delivery) => void
  /** A delivery is given up. */
  readonly onGivenUp: (delivery: Delivery, reason: string) => void
}

/** Sends what is to be told of events that are over. */
export interface Deliverer {
  /** There may be something to send. */
  wake(): void
  /** Until then nothing is sent. */
  start(): void
  /** Begins nothing new. */
  stop(): void
  /** Breaks off what is under way, which is sent again after the next start; resolves when that is noted. */
  close(): Promise<void>
}

/** On their way at once. */
const AT_ONCE = 64
/** Taken from disk at a time. */
const CLAIM = 64
const BACKOFF_MS = { first: 1_000, most: 300_000 }
/** Until what cannot be delivered is given up. */
const GIVE_UP_MS = 86_400_000
const DISK_RETRY_MS = 1_000
const MAX_TIMER_MS = 3_600_000

/**
 * Takes deliveries from the queue and sends each until it has arrived or a day has passed, with longer and longer pauses.
 * A target that fails is left alone for a while with all that is for it, so that it keeps no place from the others.
 */
export function createDeliverer(options: DelivererOptions): Deliverer {
  const { queue, kinds, counts, clock, onError, onRefused, onGivenUp } = options
  const targets = new Targets()
  const stopping = new AbortController()
  let underWay = 0
  let claiming = false
  let more = false
  let started = false
  let stopped = false
  let timerAt = Number.POSITIVE_INFINITY
  let cancelTimer = (): void => undefined
  let onIdle: (() => void) | undefined

  function pump(): void {
    if (!started || stopped || claiming || !more || underWay >= AT_ONCE) return
    claiming = true
    more = false
    const now = clock.now()
    const except = targets.busy(now)
    queue.claimDeliveries(now, Math.min(CLAIM, AT_ONCE - underWay), except).then(
      ({ deliveries, nextDueAt }) => {
        claiming = false
        underWay += deliveries.length
        for (const delivery of deliveries) {
          targets.begin(delivery.target)
          void send(delivery)
        }
        if (deliveries.length > 0) more = true
        else wakeAt(Math.min(nextDueAt ?? Number.POSITIVE_INFINITY, targets.nextFreeAt(now)))
        pump()
      },
      (err: unknown) => {
        claiming = false
        onError(err)
        wakeAt(clock.now() + DISK_RETRY_MS)
      }
    )
  }

  async function send(delivery: Delivery): Promise<void> {
    const kind = kinds.find((one) => one.matches(delivery.target))
    let failure: DeliveryError | undefined
    try {
      if (kind === undefined) throw new DeliveryError('this server has no such kind of destination', true)
      await kind.send(delivery, stopping.signal)
    } catch (err) {
      failure = err instanceof DeliveryError ? err : new DeliveryError('it could not be sent now')
      if (!(err instanceof DeliveryError)) onError(err)
    }
    const now = clock.now()
    const isWorking = failure === undefined || failure.isFinal || failure.isRefused || stopping.signal.aborted
    targets.end(delivery.target, now, isWorking ? 0 : pauseAfter(targets.failures(delivery.target) + 1))
    await note(settle(delivery, failure, now))
    underWay -= 1
    more = true
    pump()
    if (underWay === 0) onIdle?.()
  }

  /** @returns writes down what became of it */
  function settle(delivery: Delivery, failure: DeliveryError | undefined, now: number): () => Promise<void> {
    const { id, functionName, purpose, attempts, createdAt } = delivery
    if (failure === undefined) {
      counts.delivered(functionName, purpose, 'delivered')
      return () => queue.endDelivery(id, true, { at: now, attempts, error: '' })
    }
    const error = failure.message
    if (stopping.signal.aborted) return () => queue.retryDelivery(id, now, { at: now, attempts, error: '' })
    const result = { at: now, attempts: attempts + 1, error }
    const dueAt = now + pauseAfter(attempts + 1)
    if (failure.isFinal || dueAt > createdAt + GIVE_UP_MS) {
      counts.delivered(functionName, purpose, 'failed')
      onGivenUp(delivery, error)
      return () => queue.endDelivery(id, false, result)
    }
    counts.delivered(functionName, purpose, failure.isRefused ? 'refused' : 'retried')
    if (failure.isRefused) onRefused(delivery)
    return () => queue.retryDelivery(id, dueAt, result)
  }

  /** As often as it takes: what is not noted would be sent again. */
  async function note(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await write()
        return
      } catch (err) {
        onError(err)
        if (stopped) return
        await new Promise<void>((resolve) => {
          clock.after(DISK_RETRY_MS, resolve)
        })
      }
    }
  }

  function wakeAt(at: number): void {
    if (at <= clock.now()) {
      more = true
      return
    }
    if (at >= timerAt) return
    cancelTimer()
    timerAt = at
    cancelTimer = clock.after(Math.min(Math.max(at - clock.now(), 0), MAX_TIMER_MS), () => {
      timerAt = Number.POSITIVE_INFINITY
      more = true
      pump()
    })
  }

  return {
    wake() {
      more = true
      pump()
    },
    start() {
      started = true
      more = true
      pump()
    },
    stop() {
      stopped = true
      cancelTimer()
    },
    async close() {
      stopping.abort()
      if (underWay === 0) return
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    }
  }
}

/** @param failures - In a row, at least 1 */
function pauseAfter(failures: number): number {
  return Math.min(BACKOFF_MS.first * 2 ** Math.min(failures - 1, 20), BACKOFF_MS.most)
}
