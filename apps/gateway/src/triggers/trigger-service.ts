import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import {
  type ArnScope,
  type Authorizer,
  compileEventPattern,
  matchesEvent,
  prepareEvent,
  ruleArn,
  type Schedule,
  scheduleArn,
  type Webhook
} from '@hearth/shared'
import type { DirectoryReader, EventQueue } from '@hearth/store'
import type { Clock } from '../async/clock.ts'
import type { Dispatcher } from '../async/dispatcher.ts'
import { atMostEvery } from '../at-most-every.ts'
import type { Entry } from '../function-routes.ts'
import type { Hallway } from '../hallway.ts'
import type { Log } from '../log.ts'
import { type ArchiveKind, createArchiveKind } from './archives/archive-kind.ts'
import { newBusEvent } from './events/new-event.ts'
import { type PlatformEvent, putPlatformEvent } from './events/platform-events.ts'
import { type EntryResult, firingsOf, type PutEntry, putEvents } from './events/put-events.ts'
import type { BusDoorOptions } from './events/put-once.ts'
import { createRuleTable } from './events/rule-table.ts'
import { createFireEvent, type Firing } from './firing.ts'
import type { TriggerKind, Triggers } from './kind.ts'
import { createLoadBalancerKind, type LoadBalancerKind } from './load-balancers/load-balancer-kind.ts'
import type { Sample } from './sample.ts'
import { createScheduleKind } from './schedules/schedule-kind.ts'
import { createTriggerLog, type TriggerStatus } from './trigger-log.ts'
import { createWebhookKind, type WebhookKind } from './webhooks/webhook-kind.ts'
import type { WebhookRequest } from './webhooks/webhook-request.ts'

export interface TriggerServiceOptions {
  readonly scope: ArnScope
  readonly clock: Clock
  readonly queue: EventQueue
  readonly dispatcher: Dispatcher
  /** Of those who are answered at once. */
  readonly hallway: Hallway
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** Says what services may. */
  readonly access: () => Pick<Authorizer, 'mayService'>
  readonly log: Log
  readonly onError: (err: unknown) => void
}

export interface TestResult {
  /** Whether a rule wants the sample; nothing was fired if not. */
  readonly matches: boolean
  readonly fired: readonly { readonly requestId: string; readonly function: string; readonly delivered: boolean }[]
}

/** What starts functions by itself. */
export interface TriggerService {
  readonly webhooks: WebhookKind
  readonly loadBalancers: LoadBalancerKind
  /** Serves what this database says from now on. */
  attach(reader: Pick<DirectoryReader, 'dataVersion' | 'triggerRevision' | 'readTriggers' | 'findSecret'>): void
  /** Takes in what was changed; microseconds when nothing was. */
  refresh(): void
  putEvents(entries: readonly PutEntry[], req: IncomingMessage): Promise<readonly EntryResult[]>
  /** Of this server itself, on the default bus. @throws HearthError as its namesake says */
  putPlatformEvent(event: PlatformEvent): Promise<void>
  statusOf(arn: string): TriggerStatus | undefined
  has(arn: string): boolean
  /** Sends a rule or webhook a sample event, or fires a schedule now. @returns undefined when there is no such trigger */
  test(arn: string, sample: Sample): Promise<TestResult | undefined>
  /** What keeps triggers from working, if anything does. */
  health(): string | undefined
  /** Schedules that are over and are to be deleted. */
  completed(): readonly { readonly group: string; readonly name: string; readonly id: string }[]
  /** How archives and replays are, for the control plane. */
  readonly archives: Pick<ArchiveKind, 'report' | 'taken'>
  stop(): void
}

/** How soon a new schedule is known when no event comes. */
const WATCH_MS = 1_000

export function createTriggerService(options: TriggerServiceOptions): TriggerService {
  const { scope, clock, dispatcher, queue } = options
  const { traces } = options.hallway
  const log = createTriggerLog()
  const table = createRuleTable(scope, options.onError)
  let reader: Parameters<TriggerService['attach']>[0] | undefined
  let dataVersion = -1
  let revision = -1
  let triggers: Triggers = {
    buses: [],
    rules: [],
    schedules: [],
    archives: [],
    replays: [],
    webhooks: [],
    loadBalancers: []
  }
  const completed = new Map<string, Schedule>()
  const fire = createFireEvent({
    scope,
    dispatcher,
    queue,
    find: options.find,
    access: options.access,
    log,
    onFailed({ sourceArn, target, requestId, traceId }, code) {
      options.log.warn({ trigger: sourceArn, target, requestId, traceId, code }, 'a target did not get an event')
    }
  })
  const schedules = createScheduleKind({
    counts: options.hallway.metrics.schedules,
    scope,
    clock,
    queue,
    fire,
    log,
    traces,
    onCompleted(schedule) {
      completed.set(schedule.id, schedule)
    },
    onError: options.onError
  })
  const archives = createArchiveKind({
    scope,
    clock,
    archives: queue.archives,
    table,
    fire,
    ready: () => dispatcher.ready(),
    traces,
    onError: options.onError
  })
  const events: TriggerKind = {
    update: (found) => {
      table.update(found)
    },
    start: () => undefined,
    stop: () => undefined,
    health: () => undefined
  }
  const busDoor: BusDoorOptions = {
    queue,
    table,
    fire,
    keep: (bus, event, eventAt, receipt) => archives.keep(bus, event, eventAt, receipt),
    traces
  }
  const webhooks = createWebhookKind({
    ...busDoor,
    scope,
    log,
    reader: () => reader,
    onRefused: atMostEvery(10_000, ({ webhook, why }: { readonly webhook: Webhook; readonly why: string }) => {
      options.log.warn({ webhook: webhook.name, why }, 'a request to a webhook was refused')
    })
  })
  const loadBalancers = createLoadBalancerKind({
    hallway: options.hallway,
    scope,
    clock,
    find: options.find,
    access: options.access,
    metrics: options.hallway.metrics,
    traces
  })
  const kinds = [events, schedules, archives, webhooks, loadBalancers]
  let watch: NodeJS.Timeout | undefined

  function refresh(): void {
    if (reader === undefined) return
    try {
      const currentData = reader.dataVersion()
      if (currentData === dataVersion) return
      const current = reader.triggerRevision()
      if (current !== revision) {
        triggers = reader.readTriggers()
        for (const kind of kinds) kind.update(triggers)
        const arns = [
          ...triggers.rules.map((rule) => ruleArn(scope, rule.bus, rule.name)),
          ...triggers.schedules.map((schedule) => scheduleArn(scope, schedule.group, schedule.name)),
          ...webhooks.arns(),
          ...loadBalancers.arns()
        ]
        log.forget(new Set(arns))
        const ids = new Set(triggers.schedules.map(({ id }) => id))
        for (const id of completed.keys()) if (!ids.has(id)) completed.delete(id)
      }
      revision = current
      dataVersion = currentData
    } catch (err) {
      // What is in memory goes on; the next look tries again.
      options.onError(err)
    }
  }

  const findSchedule = (arn: string): Schedule | undefined =>
    triggers.schedules.find(({ group, name }) => scheduleArn(scope, group, name) === arn)

  return {
    webhooks,
    loadBalancers,
    attach(opened) {
      reader = opened
      refresh()
      for (const kind of kinds) kind.start()
      watch = setInterval(refresh, WATCH_MS)
      watch.unref()
    },
    refresh,
    putEvents(entries, req) {
      refresh()
      return putEvents(
        {
          scope,
          table,
          fire,
          keep: (bus, event, eventAt) => archives.keep(bus, event, eventAt),
          now: () => clock.now(),
          traces,
          onError: options.onError
        },
        entries,
        traces.received(req.headers)
      )
    },
    async putPlatformEvent(event) {
      refresh()
      await putPlatformEvent({ ...busDoor, scope }, event, clock.now())
    },
    has: (arn) => {
      refresh()
      return (
        table.find(arn) !== undefined ||
        findSchedule(arn) !== undefined ||
        webhooks.findByArn(arn) !== undefined ||
        loadBalancers.statusOf(arn) !== undefined
      )
    },
    async test(arn, sample) {
      refresh()
      const at = clock.now()
      const rule = table.find(arn)
      const schedule = findSchedule(arn)
      const webhook = webhooks.findByArn(arn)
      const checks = loadBalancers.test(arn)
      if (checks !== undefined) {
        const checked = checks.map(async ({ healthy, ...check }) => ({ ...check, delivered: await healthy }))
        return { matches: true, fired: await Promise.all(checked) }
      }
      let firings: readonly Firing[]
      if (rule !== undefined) {
        const event = newBusEvent(scope, {
          source: sample.source,
          detailType: sample.detailType,
          time: at,
          resources: [],
          detail: JSON.stringify(sample.detail)
        })
        const isWanted =
          rule.pattern !== undefined && matchesEvent(compileEventPattern(rule.pattern), prepareEvent(event.value))
        firings = isWanted ? firingsOf(rule, event, at, traces.ofEvent(event.id, undefined, 'pubsub')) : []
        if (!isWanted) return { matches: false, fired: [] }
      } else if (schedule !== undefined) {
        firings = [schedules.firingOf(schedule, randomUUID(), at)]
      } else if (webhook !== undefined) {
        firings = webhooks.test(webhook, sample, sampleRequest(at))
      } else return undefined
      const fired = await Promise.all(
        firings.map(async (firing) => ({
          requestId: firing.requestId,
          function: firing.target,
          delivered: (await fire(firing)).outcome === 'delivered'
        }))
      )
      return { matches: true, fired }
    },
    statusOf: (arn) => log.find(arn),
    health: () => kinds.map((kind) => kind.health()).find((problem) => problem !== undefined),
    archives,
    completed: () => [...completed.values()].map(({ group, name, id }) => ({ group, name, id })),
    stop() {
      clearInterval(watch)
      for (const kind of kinds) kind.stop()
    }
  }
}

/** What a sample comes in, which nobody sent. */
function sampleRequest(receivedAt: number): WebhookRequest {
  return {
    id: randomUUID(),
    method: 'POST',
    url: '/',
    httpVersion: '1.1',
    headers: { 'content-type': 'application/json' },
    rawHeaders: ['content-type', 'application/json'],
    body: Buffer.alloc(0),
    sourceIp: '',
    authorization: false,
    receivedAt
  }
}
