import { randomBytes } from 'node:crypto'
import {
  type ArnScope,
  busArn,
  contextKeys,
  HearthError,
  parseSecretReference,
  secretWish,
  WEBHOOK_PRESETS,
  WEBHOOK_SERVICE,
  type Webhook,
  type WebhookScheme,
  type WebhookSecret,
  type WebhookSelector,
  type WebhookSettings,
  type Wish,
  webhookArn
} from '@hearth/shared'
import type { EventRulesRepository, SecretInUse, WebhooksRepository } from '@hearth/store'
import type { z } from 'zod'
import { randomId } from '../random-id.ts'
import type { TriggerKind, TriggerShown } from './kind.ts'
import type { ServicePermissions } from './service-permission.ts'
import { checkSecret, checkWebhook, hmacOf, type RotateBody, WebhookBody, wrong } from './webhook-settings.ts'

export interface WebhookKindDeps {
  readonly repository: WebhooksRepository
  readonly buses: Pick<EventRulesRepository, 'findBus'>
  readonly permissions: ServicePermissions
  readonly findSecret: (name: string, stage: string) => SecretInUse | undefined
  readonly scope: ArnScope
  readonly now: () => Date
}

export interface WebhookKind extends TriggerKind<typeof WebhookBody> {
  /** What is asked for {@link WebhookKind.rotate}. */
  rotationWishes(name: string, body: z.output<typeof RotateBody>): readonly Wish[]
  /** Another secret from now on; the one before counts for a while too. @throws HearthError RESOURCE_NOT_FOUND, INVALID_REQUEST */
  rotate(name: string, body: z.output<typeof RotateBody>): TriggerShown
}

const DAY_S = 86_400
/** Secrets that count at a time: who rotates again and again ends the oldest. */
const MAX_SECRETS = 5
const ID_CHARS = 32

/** URLs that others send events to. */
export function createWebhookKind(deps: WebhookKindDeps): WebhookKind {
  const { repository, permissions, scope, now } = deps
  const arnOf = (name: string): string => webhookArn(scope, name)
  const statementOf = (name: string): string => `hearth-webhook-${name.replaceAll('.', '_')}`

  const show = (webhook: Webhook, created = false, made?: string): TriggerShown => {
    const { name, target } = webhook
    const secrets = repository.secretsOf(webhook)
    const at = now().getTime()
    return {
      arn: arnOf(name),
      created,
      locate: (origin) => ({ url: `${origin}/hooks/${webhook.id}` }),
      view: {
        kind: 'webhook',
        name,
        arn: arnOf(name),
        path: `/hooks/${webhook.id}`,
        functions: 'functionArn' in target ? [target.functionArn] : [],
        bus: 'bus' in target ? target.bus : null,
        source: 'bus' in target ? target.source : null,
        detailType: 'bus' in target ? target.detailType : null,
        enabled: webhook.isEnabled,
        description: webhook.description ?? '',
        methods: webhook.methods,
        verification: {
          scheme: webhook.scheme,
          ...webhook.hmac,
          // What stands for a secret may be seen; a secret is seen once, by whoever had it made.
          ...(made === undefined ? {} : { secret: made }),
          secrets: secrets
            .filter(({ until = at + 1 }) => until > at)
            .map(({ value, until }) => ({
              reference: parseSecretReference(value) === undefined ? null : value,
              until: until === undefined ? null : new Date(until).toISOString()
            }))
        },
        deduplication:
          webhook.deduplicateBy === undefined
            ? null
            : { by: webhook.deduplicateBy, windowSeconds: webhook.windowSeconds },
        deadLetterFunction: webhook.deadLetterArn ?? null,
        createdAt: new Date(webhook.createdAt).toISOString()
      }
    }
  }

  const getOwn = (name: string): Webhook => {
    const webhook = repository.find(name)
    if (webhook === undefined) {
      throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name} of kind webhook.`)
    }
    return webhook
  }

  const settingsOf = (name: string, body: WebhookBody): WebhookSettings => {
    const { scheme } = body.verification
    const preset: { id?: WebhookSelector; detailType?: WebhookSelector } = WEBHOOK_PRESETS[scheme]
    const { deduplication } = body
    const isOn = deduplication?.enabled !== false
    if (deduplication?.enabled === true && deduplication.by == null && preset.id === undefined) {
      throw wrong('body.deduplication.by', `say where the id of a delivery is: ${scheme} has no place for it`)
    }
    return {
      target:
        body.function == null
          ? {
              bus: body.bus!,
              source: body.source ?? `webhook.${name}`,
              detailType: body.detailType ?? preset.detailType ?? 'Webhook'
            }
          : { functionArn: permissions.arnOf(body.function) },
      scheme,
      hmac: hmacOf(body),
      methods: [...new Set(body.methods ?? ['POST'])],
      deduplicateBy: isOn ? (deduplication?.by ?? preset.id) : undefined,
      windowSeconds: deduplication?.windowSeconds ?? DAY_S,
      deadLetterArn: body.deadLetterFunction == null ? undefined : permissions.arnOf(body.deadLetterFunction),
      description: body.description ?? undefined
    }
  }

  /** Reading a secret that the webhook is to check with is reading it. */
  const secretWishes = (secret: string | null | undefined): readonly Wish[] => {
    const reference = secret == null ? undefined : parseSecretReference(secret)
    if (reference === undefined) return []
    return [secretWish(reference, deps.findSecret(reference.name, reference.stage) ?? { suffix: '', tags: {} }, scope)]
  }
  const requireSecret = (secret: string): void => {
    const reference = parseSecretReference(secret)
    if (reference === undefined) return
    const found = deps.findSecret(reference.name, reference.stage)
    if (found !== undefined && !found.isDeleted && found.versionId !== undefined) return
    throw new HearthError(
      'INVALID_SECRET_REFERENCE',
      `There is no secret ${reference.name} with a version that has the label ${reference.stage}.`
    )
  }

  const own = (action: string, name: string): Wish => ({
    action: `hearth:${action}`,
    resource: name === '' ? '*' : arnOf(name)
  })

  return {
    kind: 'webhook',
    body: WebhookBody,
    summary: 'a request of somebody else',
    wishes(step, name, body) {
      const action = { put: 'PutTrigger', get: 'GetTrigger', delete: 'DeleteTrigger', list: 'ListTriggers' }
      if (step === 'pause' || step === 'resume') return [own('PutTrigger', name)]
      if (body === undefined) return [own(action[step], name)]
      checkWebhook(body)
      const source = body.source ?? `webhook.${name}`
      const target: Wish =
        body.function == null
          ? {
              action: 'events:PutEvents',
              resource: busArn(scope, body.bus!),
              keys: contextKeys({ 'events:source': source })
            }
          : permissions.wish(body.function, 'lambda:AddPermission')
      const letters =
        body.deadLetterFunction == null ? [] : [permissions.wish(body.deadLetterFunction, 'lambda:AddPermission')]
      return [own(action[step], name), target, ...letters, ...secretWishes(body.verification.secret)]
    },

    put(name, body) {
      checkWebhook(body)
      const before = repository.find(name)
      const settings = settingsOf(name, body)
      const { target, scheme } = settings
      const { secret } = body.verification
      if ('bus' in target && deps.buses.findBus(target.bus) === undefined) {
        throw new HearthError('RESOURCE_NOT_FOUND', `Event bus ${target.bus} does not exist.`)
      }
      if (secret != null) requireSecret(secret)
      const old = before !== undefined && before.scheme === scheme ? repository.secretsOf(before) : []
      const made = scheme === 'none' || secret != null || old.length > 0 ? undefined : newSecret(scheme)
      const value = secret ?? made
      // The same secret again ends nothing that counts beside it.
      const isSame = value === undefined || old.some((one) => one.until === undefined && one.value === value)
      const secrets: readonly WebhookSecret[] = scheme === 'none' ? [] : isSame ? old : [{ value }]
      const functionArn = 'functionArn' in target ? target.functionArn : undefined
      if (body.function != null) permissions.allow(body.function, statementOf(name), WEBHOOK_SERVICE, arnOf(name))
      if (settings.deadLetterArn !== undefined) {
        permissions.allow(settings.deadLetterArn, statementOf(name), WEBHOOK_SERVICE, arnOf(name))
      }
      revokeFrom(before, name, [functionArn, settings.deadLetterArn])
      const at = now().getTime()
      const webhook: Webhook = {
        ...settings,
        name,
        id: before?.id ?? randomId(ID_CHARS),
        isEnabled: body.enabled ?? true,
        createdAt: before?.createdAt ?? at,
        modifiedAt: at
      }
      repository.put(webhook, secrets)
      return show(webhook, before === undefined, made)
    },
    get: (name) => show(getOwn(name)),
    setEnabled(name, isEnabled) {
      getOwn(name)
      repository.setEnabled(name, isEnabled, now().getTime())
      return show(getOwn(name))
    },
    delete(name) {
      revokeFrom(getOwn(name), name, [])
      repository.remove(name)
    },
    list: (after, limit) => repository.list(after, limit).map((webhook) => show(webhook)),

    rotationWishes: (name, body) => [own('RotateTriggerSecret', name), ...secretWishes(body.secret)],
    rotate(name, { keepPreviousSeconds = DAY_S, secret }) {
      const webhook = getOwn(name)
      if (webhook.scheme === 'none') throw wrong('params.name', 'the webhook has the scheme none, and no secret')
      if (secret != null) {
        checkSecret(webhook.scheme, secret, 'body.secret')
        requireSecret(secret)
      }
      const made = secret == null ? newSecret(webhook.scheme) : undefined
      const at = now().getTime()
      const until = at + keepPreviousSeconds * 1_000
      const value = secret ?? made!
      const old = repository
        .secretsOf(webhook)
        .map((one) => ({ value: one.value, until: one.until ?? until }))
        .filter((one) => one.until > at && one.value !== value)
      const changed = { ...webhook, modifiedAt: at }
      repository.put(changed, [{ value }, ...old].slice(0, MAX_SECRETS))
      return show(changed, false, made)
    }
  }

  /** Functions that are let in no longer. */
  function revokeFrom(before: Webhook | undefined, name: string, keep: readonly (string | undefined)[]): void {
    if (before === undefined) return
    const had = ['functionArn' in before.target ? before.target.functionArn : undefined, before.deadLetterArn]
    for (const arn of had) if (arn !== undefined && !keep.includes(arn)) permissions.revoke(arn, statementOf(name))
  }
}

/** 256 bits. */
function newSecret(scheme: WebhookScheme): string {
  const bytes = randomBytes(32)
  return scheme === 'standard-webhooks' ? `whsec_${bytes.toString('base64')}` : bytes.toString('hex')
}
