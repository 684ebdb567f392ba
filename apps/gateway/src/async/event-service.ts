import type { EventQueue } from '@hearth/store'
import type { HTTPMethods } from 'fastify'
import { atMostEvery } from '../at-most-every.ts'
import type { Entry } from '../function-routes.ts'
import { createIdempotency, type Idempotency } from '../idempotency.ts'
import type { Log } from '../log.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { AsyncCounts } from './counts.ts'
import { type Clock, createDispatcher, type Dispatcher } from './dispatcher.ts'
import { invocationRoute, invocationsRoute, redriveRoute } from './routes.ts'

export interface EventServiceOptions {
  /** Closed with the service. */
  readonly queue: EventQueue
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  readonly counts: AsyncCounts
  readonly log: Log
  /** Of retries. Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Events that may run at once. Default: {@link EVENTS_AT_ONCE}. */
  readonly eventsAtOnce?: number | undefined
}

/** Everything that the gateway does with events that are run later. */
export interface EventService {
  readonly dispatcher: Dispatcher
  /** Keys are kept where events are: the two are written together. */
  readonly idempotency: Idempotency
  readonly routes: readonly EventRoute[]
  /** Begins nothing new; what runs goes on. */
  stop(): void
  /** Resolves when the ends of all that ran are on disk, and the queue is closed. */
  close(): Promise<void>
}

interface EventRoute {
  readonly methods: HTTPMethods[]
  readonly url: string
  readonly route: ServerRoute
}

const EVENTS_AT_ONCE = 64
/** Payloads that wait in memory; the others wait on disk. */
const WAITING_BYTES = 64 * 1_048_576
/** How long records of events that are over are kept, and how often old ones are looked for. */
const KEEP_MS = 7 * 86_400_000
const PRUNE_MS = 10_000
const PRUNE_ROWS = 1_000

const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => {
      clearTimeout(timer)
    }
  }
}

/** Accepts events from now on; runs none before its dispatcher is started. */
export function createEventService(options: EventServiceOptions): EventService {
  const { queue, find, counts, log, clock = SYSTEM_CLOCK, eventsAtOnce = EVENTS_AT_ONCE } = options
  const onError = atMostEvery(10_000, (err: unknown) => {
    log.error({ err }, 'the queue of events cannot be used')
  })
  const dispatcher = createDispatcher({
    queue,
    find,
    maxRunning: eventsAtOnce,
    maxWaitingBytes: WAITING_BYTES,
    counts,
    clock,
    onError
  })
  const idempotency = createIdempotency(queue.keys, () => clock.now(), onError)
  const pruning = setInterval(() => {
    queue.prune(clock.now() - KEEP_MS, PRUNE_ROWS).catch(onError)
    void idempotency.prune()
  }, PRUNE_MS)
  pruning.unref()
  return {
    dispatcher,
    idempotency,
    routes: [
      { methods: ['GET'], url: '/v1/invocations/:name', route: invocationRoute(queue, dispatcher) },
      { methods: ['GET'], url: '/v1/functions/:name/invocations', route: invocationsRoute(queue, dispatcher) },
      { methods: ['POST'], url: '/v1/functions/:name/dead-letters/redrive', route: redriveRoute(queue, dispatcher) }
    ],
    stop() {
      dispatcher.stop()
      clearInterval(pruning)
    },
    async close() {
      await dispatcher.settled()
      await queue.close()
    }
  }
}
