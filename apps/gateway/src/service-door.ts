import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HearthError, LIMITS, parseFunctionRef } from '@hearth/shared'
import type { Dispatcher } from './async/dispatcher.ts'
import type { Expectations } from './expectations.ts'
import type { Hallway } from './hallway.ts'
import { requireControlPlane } from './internal-route.ts'
import { readBody } from './read-body.ts'
import { judgeRefused } from './reception.ts'
import { toRefusal } from './refusal.ts'
import { refuse, respond } from './respond.ts'
import type { PlatformEvent } from './triggers/events/platform-events.ts'
import { createTargetCheck, type TargetCheckOptions } from './triggers/target-check.ts'
import type { TriggerService } from './triggers/trigger-service.ts'

export interface ServiceDoorOptions extends TargetCheckOptions {
  readonly hallway: Hallway
  readonly dispatcher: Pick<Dispatcher, 'accept' | 'now'>
  readonly triggers: Pick<TriggerService, 'putPlatformEvent'>
  readonly expectations: Expectations
  /** What the control plane proves itself with; undefined until the database is there. */
  readonly proof: () => string | undefined
  readonly isDraining: () => boolean
}

type Handle = (req: IncomingMessage, res: ServerResponse, id: string) => void

/** What a service has for a function, as the query says. */
interface Wanted {
  readonly functionArn: string
  readonly service: string
  readonly sourceArn: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const JSON_TYPE = ['content-type', 'application/json']
const ACCEPTED = JSON.stringify({ status: 'accepted' })
const CODES = {
  NO_RESOURCE: 'FUNCTION_NOT_FOUND',
  NO_PERMISSIONS: 'ACCESS_DENIED',
  INVALID_PAYLOAD: 'PAYLOAD_TOO_LARGE'
}
/** Beside what the event itself keeps of its id, in ms. */
const REMEMBERED_MS = 86_400_000
const PLATFORM_EVENT_BYTES = 524_288

/**
 * Where services of the control plane hand over what they have for functions: `POST /internal/service-invocations`, `…
 * -checks` and `/internal/platform-events`. For this machine and who has the internal token alone.
 */
export function serviceDoor(options: ServiceDoorOptions): readonly { readonly url: string; readonly handle: Handle }[] {
  const { hallway, dispatcher, triggers, expectations, scope } = options
  const check = createTargetCheck(options)

  const judge = (wanted: Wanted, requestId: string, payloadBytes: number): string | undefined => {
    const { service, sourceArn, functionArn } = wanted
    const failure = check({ service, sourceArn, roleArn: undefined, requestId, payloadBytes }, functionArn)
    return failure && JSON.stringify({ status: 'refused', code: CODES[failure.code], message: failure.message })
  }

  const invoke = async (req: IncomingMessage, body: Buffer): Promise<string> => {
    const query = queryOf(req)
    const wanted = wantedIn(query)
    const requestId = query.get('eventId') ?? ''
    if (!UUID.test(requestId)) throw new HearthError('INVALID_REQUEST', 'eventId: a lower-case UUID is expected.')
    const refused = judge(wanted, requestId, body.length)
    if (refused !== undefined) return refused
    const { name, qualifier = '' } = parseFunctionRef(scope, wanted.functionArn)
    const acceptedAt = dispatcher.now()
    await dispatcher.accept({
      requestId,
      functionName: name,
      qualifier,
      traceId: hallway.traces.ofEvent(requestId, undefined, 'other'),
      clientContext: '',
      payload: body,
      acceptedAt,
      receipt: { key: `service/${requestId}`, id: randomUUID(), expiresAt: acceptedAt + REMEMBERED_MS }
    })
    return ACCEPTED
  }

  const ask = async (req: IncomingMessage, _body: Buffer, requestId: string): Promise<string> =>
    judge(wantedIn(queryOf(req)), requestId, 0) ?? ACCEPTED

  const put = async (_req: IncomingMessage, body: Buffer): Promise<string> => {
    await triggers.putPlatformEvent(platformEventIn(body))
    return ACCEPTED
  }

  const handle =
    (limit: number, serve: (req: IncomingMessage, body: Buffer, requestId: string) => Promise<string>): Handle =>
    (req, res, id) => {
      const run = async (): Promise<void> => {
        requireControlPlane(req, options.proof())
        if (options.isDraining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
        expectations.meet(req, res)
        const body = await readBody(req, limit)
        respond(res, 200, [...JSON_TYPE], await serve(req, body, id))
      }
      run().catch((err: unknown) => {
        refuse(req, res, toRefusal(judgeRefused(hallway, err, undefined, id), 'problem', id))
      })
    }

  return [
    // One that is too large is refused as such, with what makes it so.
    { url: '/internal/service-invocations', handle: handle(2 * LIMITS.asyncPayloadBytes, invoke) },
    { url: '/internal/service-checks', handle: handle(0, ask) },
    { url: '/internal/platform-events', handle: handle(PLATFORM_EVENT_BYTES, put) }
  ]
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '')
}

function wantedIn(query: URLSearchParams): Wanted {
  const member = (name: string): string => {
    const value = query.get(name)
    if (value === null || value === '') throw new HearthError('INVALID_REQUEST', `${name} is missing.`)
    return value
  }
  return { functionArn: member('functionArn'), service: member('service'), sourceArn: member('sourceArn') }
}

function platformEventIn(body: Buffer): PlatformEvent {
  const wrong = (cause?: unknown) => new HearthError('INVALID_REQUEST', 'This is no event of the platform.', { cause })
  let event: Partial<Record<keyof PlatformEvent, unknown>>
  try {
    event = (JSON.parse(body.toString()) ?? {}) as typeof event
  } catch (cause) {
    throw wrong(cause)
  }
  const { id, source, detailType, resources, detail } = event
  if (typeof id !== 'string' || !UUID.test(id) || typeof source !== 'string' || typeof detailType !== 'string') {
    throw wrong()
  }
  if (!Array.isArray(resources) || !resources.every((one) => typeof one === 'string')) throw wrong()
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) throw wrong()
  return { id, source, detailType, resources, detail }
}
