import { type ArnScope, type Authorizer, functionArn, parseFunctionRef } from '@hearth/shared'
import type { Delivery, EventQueue } from '@hearth/store'
import type { HTTPMethods } from 'fastify'
import { atMostEvery } from '../at-most-every.ts'
import type { Entry } from '../function-routes.ts'
import { createIdempotency, type Idempotency } from '../idempotency.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { Traces } from '../tracing/traces.ts'
import { type Clock, SYSTEM_CLOCK } from './clock.ts'
import type { FunctionBacklog } from './counts.ts'
import { createDeliverer } from './deliveries/deliverer.ts'
import { DeliveryError, refused } from './deliveries/kind.ts'
import { createToFunction } from './deliveries/to-function.ts'
import { createToWebhook } from './deliveries/to-webhook.ts'
import { createDispatcher, type Dispatcher, type ReadyEvents } from './dispatcher.ts'
import { invocationRoute, invocationsRoute, redriveRoute } from './routes.ts'

export interface EventServiceOptions {
  /** Closed with the service. */
  readonly queue: EventQueue
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** What functions' roles may do. */
  readonly access: () => Pick<Authorizer, 'mayFunction'>
  readonly metrics: Pick<Metrics, 'functions' | 'settled' | 'usage' | 'events'>
  readonly traces: Traces
  readonly log: Log
  readonly scope: ArnScope
  /** How long records of events are kept after their end, in ms. */
  readonly keepMs: number
  /** Networks that webhooks may reach beside public addresses. */
  readonly webhookNetworks: readonly string[]
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
  /** Takes up what an earlier process left. */
  start(): void
  /** Begins nothing new; what runs goes on. */
  stop(): void
  /** Resolves when the ends of all that ran are on disk, and the queue is closed. */
  close(): Promise<void>
}

interface EventRoute {
  readonly methods: HTTPMethods[]
  readonly url: string
  /** What a caller must be allowed. */
  readonly action: string
  /** On what: the function that the path names, or what the route asks for by itself. */
  readonly on: 'function' | 'in-route'
  readonly route: ServerRoute
}

const EVENTS_AT_ONCE = 64
/** Payloads that wait in memory; the others wait on disk. */
const WAITING_BYTES = 64 * 1_048_576
/** How often records that were kept for long enough are looked for. */
const PRUNE_MS = 10_000
const PRUNE_ROWS = 1_000
/** Functions whose backlog has a series of its own. */
const BACKLOG_SERIES = 100

/** Accepts events from now on; runs none before its dispatcher is started. */
export function createEventService(options: EventServiceOptions): EventService {
  const { queue, find, metrics, log, scope, clock = SYSTEM_CLOCK, eventsAtOnce = EVENTS_AT_ONCE } = options
  const counts = metrics.events
  const onError = atMostEvery(10_000, (err: unknown) => {
    log.error({ err }, 'the queue of events cannot be used')
  })
  const toFunction = createToFunction({
    scope,
    queue,
    exists: (name, qualifier) => find(name, qualifier) !== undefined,
    requireAccess,
    onAccepted(functionName) {
      counts.accepted(functionName)
      dispatcher.wake(functionName)
    },
    now: () => clock.now()
  })
  function requireAccess({ functionName, qualifier, target, requestId }: Delivery): void {
    const role = find(functionName, qualifier)?.record.role
    if (role === undefined) throw new DeliveryError('the function is gone, and with it what its role allowed', true)
    const { name, qualifier: as } = parseFunctionRef(scope, target)
    const wish = {
      action: 'lambda:InvokeFunction',
      resource: functionArn(scope, name, as),
      resourcePolicy: find(name, as ?? '')?.policy
    }
    const facts = { requestId, sourceIp: undefined, userAgent: undefined, secure: false }
    if (!options.access().mayFunction(role, functionArn(scope, functionName), wish, facts)) throw refused()
  }
  const toWebhook = createToWebhook({
    secretOf({ functionName, qualifier, purpose, target }) {
      const events = find(functionName, qualifier)?.events
      const destination = purpose === 'OnSuccess' ? events?.onSuccess : events?.onFailure
      return destination?.target === target ? destination.secret : undefined
    },
    networks: options.webhookNetworks,
    now: () => clock.now()
  })
  const logRefused = atMostEvery(10_000, ({ functionName, requestId, traceId, purpose, target }: Delivery) => {
    const facts = { fn: functionName, requestId, traceId, purpose, target }
    log.warn(facts, 'a function’s role does not allow to deliver an outcome')
  })
  const deliverer = createDeliverer({
    queue,
    kinds: [toFunction, toWebhook],
    counts,
    clock,
    onError,
    onRefused: logRefused,
    onGivenUp({ functionName, requestId, traceId, purpose, id }, reason) {
      log.warn(
        { fn: functionName, requestId, traceId, purpose, delivery: id, reason },
        'an outcome could not be delivered'
      )
    }
  })
  const dispatcher = createDispatcher({
    queue,
    find,
    maxRunning: eventsAtOnce,
    maxWaitingBytes: WAITING_BYTES,
    counts,
    metrics,
    traces: options.traces,
    clock,
    scope,
    onDelivery: () => {
      deliverer.wake()
    },
    onError
  })
  const idempotency = createIdempotency(queue.keys, () => clock.now(), onError)
  counts.observeBacklog(async () => {
    const [onDisk, deliveries] = await Promise.all([queue.backlog(BACKLOG_SERIES), queue.pendingDeliveries()])
    const ready = dispatcher.ready()
    const now = clock.now()
    const oldestAt = Math.min(onDisk.oldestAt ?? now, ...ready.map((one) => one.oldestAt))
    return {
      functions: withReady(onDisk.functions, ready, now),
      events: {
        waiting: ready.reduce((sum, { count }) => sum + count, onDisk.waiting),
        oldestAgeMs: now - oldestAt
      },
      deliveries: { waiting: deliveries.count, oldestAgeMs: now - (deliveries.oldestAt ?? now) }
    }
  })
  const pruning = setInterval(() => {
    queue.prune(clock.now() - options.keepMs, PRUNE_ROWS).catch(onError)
    queue.pruneReceipts(clock.now(), PRUNE_ROWS).catch(onError)
    void idempotency.prune()
  }, PRUNE_MS)
  pruning.unref()
  return {
    dispatcher,
    idempotency,
    routes: [
      {
        methods: ['GET'],
        url: '/v1/invocations/:name',
        action: 'hearth:GetInvocation',
        on: 'in-route',
        route: invocationRoute(queue, dispatcher, scope)
      },
      {
        methods: ['GET'],
        url: '/v1/functions/:name/invocations',
        action: 'hearth:ListInvocations',
        on: 'function',
        route: invocationsRoute(queue, dispatcher, find)
      },
      {
        methods: ['POST'],
        url: '/v1/functions/:name/dead-letters/redrive',
        action: 'hearth:RedriveDeadLetters',
        on: 'function',
        route: redriveRoute(queue, dispatcher, find)
      }
    ],
    start() {
      dispatcher.start()
      deliverer.start()
    },
    stop() {
      dispatcher.stop()
      deliverer.stop()
      clearInterval(pruning)
    },
    async close() {
      await dispatcher.settled()
      await deliverer.close()
      await queue.close()
    }
  }
}

/** What waits on disk and in memory, the functions with most of it. */
function withReady(
  onDisk: readonly { readonly functionName: string; readonly waiting: number; readonly oldestAt: number }[],
  ready: readonly ReadyEvents[],
  now: number
): FunctionBacklog[] {
  const all = new Map(onDisk.map(({ functionName, waiting, oldestAt }) => [functionName, { waiting, oldestAt }]))
  for (const { functionName, count, oldestAt } of ready) {
    const { waiting, oldestAt: before } = all.get(functionName) ?? { waiting: 0, oldestAt: now }
    all.set(functionName, { waiting: waiting + count, oldestAt: Math.min(before, oldestAt) })
  }
  return [...all]
    .map(([functionName, { waiting, oldestAt }]) => ({ functionName, waiting, oldestAgeMs: now - oldestAt }))
    .sort((a, b) => b.waiting - a.waiting)
    .slice(0, BACKLOG_SERIES)
}
