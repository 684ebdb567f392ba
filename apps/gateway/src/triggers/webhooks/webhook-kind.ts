import { createHash } from 'node:crypto'
import {
  type ArnScope,
  busArn,
  HearthError,
  LIMITS,
  literalValue,
  parseSecretReference,
  WEBHOOK_SERVICE,
  type Webhook,
  webhookArn
} from '@hearth/shared'
import type { DirectoryReader, EventQueue, Receipt, SealedWebhook } from '@hearth/store'
import { memberOf } from '../../secret-variables.ts'
import type { Traces } from '../../tracing/traces.ts'
import { type BusEvent, newBusEvent } from '../events/new-event.ts'
import { depthOf, firingsOf, MAX_DETAIL_DEPTH } from '../events/put-events.ts'
import type { RuleTable } from '../events/rule-table.ts'
import type { FireEvent, Firing } from '../firing.ts'
import type { TriggerKind } from '../kind.ts'
import type { Sample } from '../sample.ts'
import type { TriggerLog } from '../trigger-log.ts'
import { signatureFault } from './signatures.ts'
import { toWebhookEvent } from './webhook-event.ts'
import { jsonObjectOf, select, type WebhookRequest } from './webhook-request.ts'

export interface WebhookKindOptions {
  readonly scope: ArnScope
  readonly queue: Pick<EventQueue, 'receive'>
  readonly table: Pick<RuleTable, 'busOf'>
  readonly fire: FireEvent
  /** In the archives that want it; undefined: none does. */
  readonly keep: (
    bus: string,
    event: BusEvent,
    eventAt: number,
    receipt: Receipt | undefined
  ) => Promise<void> | undefined
  readonly log: TriggerLog
  /** Undefined until the database is there. */
  readonly reader: () => Pick<DirectoryReader, 'dataVersion' | 'findSecret'> | undefined
  readonly traces: Traces
  /** A request was not signed as it should be, or cannot be checked. */
  readonly onRefused: (refused: { readonly webhook: Webhook; readonly why: string }) => void
}

/** What a sender is told. */
export interface Acceptance {
  /** Of the first time that this delivery came. */
  readonly id: string
  readonly repeated: boolean
}

export interface WebhookKind extends TriggerKind {
  /** @param id - What the URL ends with. @throws HearthError CONTROL_PLANE_UNAVAILABLE before anything is known */
  find(id: string): Webhook | undefined
  findByArn(arn: string): Webhook | undefined
  arns(): readonly string[]
  /** @throws HearthError INVALID_WEBHOOK_SIGNATURE, TRIGGER_UNAVAILABLE when there is nothing to check with */
  verify(webhook: Webhook, request: WebhookRequest): void
  /**
   * Resolves when what becomes of it is on disk.
   *
   * @throws HearthError PAYLOAD_TOO_LARGE, QUEUE_UNAVAILABLE, TRIGGER_UNAVAILABLE when nobody may or can have it
   */
  accept(webhook: Webhook, request: WebhookRequest): Promise<Acceptance>
  /** What a sample does: nothing of it is remembered. */
  test(webhook: Webhook, sample: Sample, request: WebhookRequest): readonly Firing[]
}

/** When a sender should come again whom nobody can serve now, in seconds. */
const RETRY_AFTER_S = 60

/** URLs that others send events to. */
export function createWebhookKind(options: WebhookKindOptions): WebhookKind {
  const { scope, queue, table, fire, log } = options
  let byId: ReadonlyMap<string, SealedWebhook> | undefined
  let byArn: ReadonlyMap<string, SealedWebhook> = new Map()
  /** Opened secrets, for as long as the database is as it was. */
  let opened = new Map<string, { readonly value: string; readonly until: number }[]>()
  let openedAt = -1

  function secretsOf(webhook: SealedWebhook, now: number): readonly string[] {
    const reader = options.reader()!
    const version = reader.dataVersion()
    if (version !== openedAt) {
      opened = new Map()
      openedAt = version
    }
    let secrets = opened.get(webhook.id)
    if (secrets === undefined) {
      secrets = webhook.secrets().flatMap(({ value, until = Number.POSITIVE_INFINITY }) => {
        const text = resolve(reader, value)
        return text === undefined ? [] : [{ value: text, until }]
      })
      opened.set(webhook.id, secrets)
    }
    return secrets.filter(({ until }) => until > now).map(({ value }) => value)
  }

  const toFunction = (webhook: Webhook, target: string, request: WebhookRequest, payload: string): Firing => ({
    service: WEBHOOK_SERVICE,
    sourceArn: webhookArn(scope, webhook.name),
    roleArn: undefined,
    target,
    deadLetterArn: webhook.deadLetterArn,
    requestId: request.id,
    payload: Buffer.from(payload),
    traceId: options.traces.ofEvent(request.id, options.traces.received(request.headers), 'http'),
    dueAt: request.receivedAt,
    fired: undefined
  })

  const toBus = (webhook: Webhook, request: WebhookRequest, payload: () => string): BusEvent => {
    const { target } = webhook
    if (!('bus' in target)) throw new Error('not a webhook of a bus')
    const object = jsonObjectOf(request.body)
    const { detailType: type } = target
    const named = typeof type === 'string' ? type : select(type, request.headers, () => object)
    const text = request.body.toString()
    return newBusEvent(scope, {
      id: request.id,
      source: target.source,
      detailType: named === undefined ? 'Webhook' : named.slice(0, 256),
      time: request.receivedAt,
      resources: [webhookArn(scope, webhook.name)],
      // What is no object, or deeper than a rule may look, is wrapped.
      detail: object !== undefined && depthOf(text) <= MAX_DETAIL_DEPTH ? text : payload()
    })
  }

  const firingsOnBus = (bus: string, event: BusEvent, at: number, sent: string | undefined): readonly Firing[] => {
    const rules = table.busOf(bus)
    if (rules === undefined) throw unavailable(`the event bus ${bus} is gone`)
    return rules
      .find(event.value)
      .flatMap((rule) => firingsOf(rule, event, at, options.traces.ofEvent(event.id, sent, 'pubsub')))
  }

  async function putOnBus(
    webhook: Webhook,
    bus: string,
    event: BusEvent,
    { headers, receivedAt: at }: WebhookRequest,
    receipt: Receipt | undefined
  ): Promise<string | undefined> {
    // All of it is asked for in one turn, so it is one transaction.
    const firings = firingsOnBus(bus, event, at, options.traces.received(headers))
    const received = receipt === undefined ? undefined : queue.receive(receipt, at).catch(refuse)
    const kept = options.keep(bus, event, at, receipt)?.catch(refuse)
    const [firstId] = await Promise.all([
      received,
      kept,
      ...firings.map((firing) => fire(receipt === undefined ? firing : { ...firing, receipt }))
    ])
    if (firstId === undefined) {
      const target = busArn(scope, bus)
      log.note(webhookArn(scope, webhook.name), { at, requestId: event.id, target, error: undefined }, 0)
    }
    return firstId
  }

  return {
    update({ webhooks }) {
      byId = new Map(webhooks.map((webhook) => [webhook.id, webhook]))
      byArn = new Map(webhooks.map((webhook) => [webhookArn(scope, webhook.name), webhook]))
      opened = new Map()
    },
    start: () => undefined,
    stop: () => undefined,
    health: () => undefined,
    find(id) {
      if (byId === undefined) {
        throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting: its database is not there yet.')
      }
      return byId.get(id)
    },
    findByArn: (arn) => byArn.get(arn),
    arns: () => [...byArn.keys()],

    verify(webhook, request) {
      if (webhook.scheme === 'none') return
      const secrets = secretsOf(webhook as SealedWebhook, request.receivedAt)
      if (secrets.length === 0) {
        options.onRefused({ webhook, why: 'its secret is gone' })
        throw unavailable('its secret is gone')
      }
      const fault = signatureFault(webhook, request, secrets, request.receivedAt)
      if (fault === undefined) return
      log.refused(webhookArn(scope, webhook.name))
      options.onRefused({ webhook, why: fault })
      throw new HearthError('INVALID_WEBHOOK_SIGNATURE', 'The request is not signed as it should be.')
    },

    async accept(webhook, request) {
      const { target, deduplicateBy } = webhook
      const body = once(() => jsonObjectOf(request.body))
      const deliveryId = deduplicateBy && select(deduplicateBy, request.headers, body)
      const receipt: Receipt | undefined =
        deliveryId === undefined
          ? undefined
          : {
              key: `${webhook.id}/${createHash('sha256').update(deliveryId).digest('base64url')}`,
              id: request.id,
              expiresAt: request.receivedAt + webhook.windowSeconds * 1_000
            }
      const payload = once(() => toWebhookEvent(webhook, request, deliveryId))
      let firstId: string | undefined
      if ('bus' in target) {
        const event = toBus(webhook, request, payload)
        requireRoom(Buffer.byteLength(event.text))
        firstId = await putOnBus(webhook, target.bus, event, request, receipt)
      } else {
        const firing = toFunction(webhook, target.functionArn, request, payload())
        requireRoom(firing.payload.length)
        const fired = await fire({ ...firing, ...(receipt === undefined ? {} : { receipt }) })
        // It may be put right, and senders come again.
        if (fired.outcome === 'failed') throw unavailable(fired.failure.message)
        if (fired.outcome === 'repeated') firstId = fired.firstId
      }
      if (firstId !== undefined) log.repeated(webhookArn(scope, webhook.name))
      return { id: firstId ?? request.id, repeated: firstId !== undefined }
    },

    test(webhook, { detail }, request) {
      const sample = { ...request, body: Buffer.from(JSON.stringify(detail)) }
      const payload = (): string => toWebhookEvent(webhook, sample, undefined)
      const { target } = webhook
      if ('bus' in target)
        return firingsOnBus(target.bus, toBus(webhook, sample, payload), sample.receivedAt, undefined)
      return [toFunction(webhook, target.functionArn, sample, payload())]
    }
  }
}

/** @returns undefined when a reference leads to no text */
function resolve(reader: Pick<DirectoryReader, 'findSecret'>, value: string): string | undefined {
  const reference = parseSecretReference(value)
  if (reference === undefined) return literalValue(value)
  const secret = reader.findSecret(reference.name, reference.stage)
  if (secret === undefined || secret.isDeleted || secret.versionId === undefined) return undefined
  const { kind, text } = secret.value()
  if (kind === 'binary') return undefined
  return reference.jsonKey === undefined ? text : memberOf(text, reference.jsonKey)
}

function requireRoom(bytes: number): void {
  if (bytes <= LIMITS.asyncPayloadBytes) return
  throw new HearthError(
    'PAYLOAD_TOO_LARGE',
    `The request makes an event of ${bytes} bytes, and one may have ${LIMITS.asyncPayloadBytes}.`
  )
}

/** @param why - For the operator. */
function unavailable(why: string): HearthError {
  return new HearthError('TRIGGER_UNAVAILABLE', 'The webhook cannot take anything now. Send it again later.', {
    cause: new Error(why),
    retryAfterS: RETRY_AFTER_S
  })
}

function refuse(cause: unknown): never {
  throw new HearthError('QUEUE_UNAVAILABLE', 'Nothing was accepted: the queue cannot be written now.', { cause })
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
