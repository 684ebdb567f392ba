import type { IncomingMessage, ServerResponse } from 'node:http'
import { HearthError, LIMITS, type Webhook } from '@hearth/shared'
import type { Expectations } from '../../expectations.ts'
import type { Hallway } from '../../hallway.ts'
import { peerAddress } from '../../peer-address.ts'
import { readBody } from '../../read-body.ts'
import { judgeRefused } from '../../reception.ts'
import { toRefusal } from '../../refusal.ts'
import { refuse, respond } from '../../respond.ts'
import { isOwnKey } from '../../url-door.ts'
import type { WebhookCounts, WebhookResult } from './webhook-counts.ts'
import type { WebhookKind } from './webhook-kind.ts'
import { jsonObjectOf, type WebhookRequest } from './webhook-request.ts'

export interface WebhookRouteDeps {
  readonly hallway: Hallway
  readonly webhooks: Pick<WebhookKind, 'find' | 'verify' | 'accept'>
  readonly counts: WebhookCounts
  /** Takes in what was changed. */
  readonly refresh: () => void
  readonly expectations: Expectations
  readonly isDraining: () => boolean
  /** Unix time in ms. */
  readonly now: () => number
}

/** When a sender should come again whose webhook is paused, in seconds. */
const PAUSED_S = 300

/** `/hooks/{id}`: whoever is let in by the webhook's own rules is answered once what was sent is on disk. */
export function webhookRoute(deps: WebhookRouteDeps) {
  const { hallway, webhooks, counts } = deps
  const serve = async (req: IncomingMessage, res: ServerResponse, id: string, name: string): Promise<void> => {
    if (deps.isDraining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
    deps.refresh()
    const webhook = webhooks.find(name)
    if (webhook === undefined) throw new HearthError('RESOURCE_NOT_FOUND', 'There is no webhook here.')
    if (!webhook.isEnabled) {
      throw new PausedError()
    }
    const request = await receive(webhook, req, res, id)
    webhooks.verify(webhook, request)
    const challenge = challengeOf(webhook, request)
    if (challenge !== undefined) {
      respond(res, 200, ['content-type', 'text/plain', 'x-amzn-requestid', id], challenge)
      return
    }
    const accepted = await webhooks.accept(webhook, request)
    counts.ended(accepted.repeated ? 'repeated' : 'accepted')
    const body = JSON.stringify({ requestId: accepted.id, status: 'accepted' })
    respond(res, 202, ['content-type', 'application/json', 'x-amzn-requestid', accepted.id], body)
  }

  const receive = async (
    webhook: Webhook,
    req: IncomingMessage,
    res: ServerResponse,
    id: string
  ): Promise<WebhookRequest> => {
    const method = req.method ?? ''
    if (!webhook.methods.includes(method)) {
      throw new MethodError(webhook.methods, `The webhook takes ${webhook.methods.join(', ')}.`)
    }
    // Before the body: who sends too much is not asked to.
    if (!(Number(req.headers['content-length'] ?? 0) > LIMITS.asyncPayloadBytes)) deps.expectations.meet(req, res)
    const body = await readBody(req, LIMITS.asyncPayloadBytes)
    return {
      id,
      method,
      url: req.url ?? '/',
      httpVersion: req.httpVersion,
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body,
      sourceIp: peerAddress(req) ?? '',
      authorization: !isOwnKey(hallway, req.headers.authorization),
      receivedAt: deps.now()
    }
  }

  return (req: IncomingMessage, res: ServerResponse, id: string, name: string): void => {
    serve(req, res, id, name).catch((err: unknown) => {
      const result = resultOf(err)
      if (result !== undefined) counts.ended(result)
      const told = judgeRefused(hallway, err, peerAddress(req), id)
      const refusal = toRefusal(told, 'problem', id)
      const more = err instanceof MethodError ? ['allow', err.methods.join(', ')] : []
      refuse(req, res, { ...refusal, headers: [...refusal.headers, ...more] })
    })
  }
}

class MethodError extends HearthError {
  readonly methods: readonly string[]

  constructor(methods: readonly string[], message: string) {
    super('METHOD_NOT_ALLOWED', message)
    this.methods = methods
  }
}

class PausedError extends HearthError {
  constructor() {
    super('TRIGGER_UNAVAILABLE', 'The webhook is paused. Send it again later.', { retryAfterS: PAUSED_S })
  }
}

function resultOf(err: unknown): WebhookResult | undefined {
  if (err instanceof PausedError) return 'paused'
  return err instanceof HearthError ? RESULTS[err.code] : 'failed'
}

/** What a request that was refused counts as. */
const RESULTS: Readonly<Record<string, WebhookResult>> = {
  INVALID_WEBHOOK_SIGNATURE: 'refused',
  PAYLOAD_TOO_LARGE: 'too-large',
  QUEUE_UNAVAILABLE: 'failed',
  TRIGGER_UNAVAILABLE: 'failed'
}

/** Slack asks whoever owns the URL to say something back. @see https://docs.slack.dev/reference/events/url_verification */
function challengeOf({ scheme }: Webhook, { body }: WebhookRequest): string | undefined {
  if (scheme !== 'slack') return undefined
  const asked = jsonObjectOf(body)
  const challenge = asked?.['type'] === 'url_verification' ? asked['challenge'] : undefined
  return typeof challenge === 'string' ? challenge : undefined
}
