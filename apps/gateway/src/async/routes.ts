import {
  type ArnScope,
  FUNCTION_NAME,
  fromCursor,
  functionArn,
  HearthError,
  type ListQuery,
  toCursor
} from '@hearth/shared'
import { type DeliveryRecord, type EventQueue, type InvocationRecord, QueueUnavailableError } from '@hearth/store'
import { respond } from '../respond.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { Dispatcher } from './dispatcher.ts'

const LIST_LIMIT = 100
/** Events that one redrive brings back. */
const REDRIVE_LIMIT = 10_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** When it was accepted, and its id. */
const KEY = /^\d{1,15}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const JSON_TYPE = ['content-type', 'application/json']

const STATUSES = ['queued', 'running', 'succeeded', 'failed'] as const
type Status = (typeof STATUSES)[number]

/**
 * `GET /v1/invocations/{requestId}`: for who may see those of its function. Others are told what they would be told if
 * there were none of this id.
 */
export function invocationRoute(queue: EventQueue, dispatcher: Dispatcher, scope: ArnScope): ServerRoute {
  return async (_req, res, id, _send, ask) => {
    const [record, deliveries] = UUID.test(id)
      ? await Promise.all([queue.find(id), queue.listDeliveries(id)]).catch(refuse)
      : []
    if (record === undefined || !isAllowed(() => ask(functionArn(scope, record.functionName)))) {
      ask('*')
      throw new HearthError(
        'INVOCATION_NOT_FOUND',
        'There is no such asynchronous invocation. Records are dropped some time after the end.'
      )
    }
    const body = { ...shown(record, dispatcher), deliveries: deliveries?.map(shownDelivery) }
    respond(res, 200, [...JSON_TYPE], JSON.stringify(body))
  }
}

/** `GET /v1/functions/{name}/invocations?status=&cursor=&limit=`: the newest first. */
export function invocationsRoute(queue: EventQueue, dispatcher: Dispatcher, find: Find): ServerRoute {
  return async (req, res, name) => {
    const query = new URLSearchParams(req.url!.split('?')[1] ?? '')
    const status = query.get('status') ?? undefined
    if (status !== undefined && !isStatus(status)) throw badQuery('status', `one of ${STATUSES.join(', ')}`)
    const limit = query.get('limit') ?? String(LIST_LIMIT)
    if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIST_LIMIT) {
      throw badQuery('limit', `1 to ${LIST_LIMIT}`)
    }
    const asked: ListQuery = ['invocations', name, status]
    const cursor = query.get('cursor') ?? undefined
    const before = cursor === undefined ? undefined : placeOf(fromCursor({ query: asked, cursor, key: KEY }))
    const running = dispatcher.running()
    const wanted = { functionName: name, status, running, before, limit: Number(limit) + 1 }
    const records = await queue.list(wanted).catch(refuse)
    if (records.length === 0) requireFunction(find, name)
    const page = records.slice(0, Number(limit))
    const last = records.length > page.length ? page.at(-1) : undefined
    const body = {
      invocations: page.map((record) => shown(record, dispatcher)),
      nextCursor: last === undefined ? null : toCursor(asked, `${last.acceptedAt}:${last.requestId}`)
    }
    respond(res, 200, [...JSON_TYPE], JSON.stringify(body))
  }
}

/** `POST /v1/functions/{name}/dead-letters/redrive`: failed events run again, under their old ids. */
export function redriveRoute(queue: EventQueue, dispatcher: Dispatcher, find: Find): ServerRoute {
  return async (_req, _res, name, send) => {
    requireFunction(find, name)
    const redriven = await queue.redrive(name, dispatcher.now(), REDRIVE_LIMIT).catch(refuse)
    dispatcher.wake(name)
    send(202, [...JSON_TYPE], Buffer.from(JSON.stringify({ redriven })))
  }
}

function isAllowed(ask: () => void): boolean {
  try {
    ask()
    return true
  } catch (err) {
    if (err instanceof HearthError && err.code === 'ACCESS_DENIED') return false
    throw err
  }
}

type Find = (functionName: string, qualifier: string) => unknown

function requireFunction(find: Find, name: string): void {
  if (!FUNCTION_NAME.test(name) || find(name, '') === undefined) {
    throw new HearthError('FUNCTION_NOT_FOUND', `There is no function ${name.slice(0, 64)}.`)
  }
}

function isStatus(text: string): text is Status {
  return (STATUSES as readonly string[]).includes(text)
}

function placeOf(key: string): { readonly acceptedAt: number; readonly requestId: string } {
  const [acceptedAt, requestId = ''] = key.split(':')
  return { acceptedAt: Number(acceptedAt), requestId }
}

function badQuery(member: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `query.${member}: ${message}`, {
    errors: [{ path: `query.${member}`, message }]
  })
}

function refuse(cause: unknown): never {
  if (!(cause instanceof QueueUnavailableError)) throw cause
  throw new HearthError(
    'QUEUE_UNAVAILABLE',
    'The queue of events cannot be used now. Try again later; the server log says why.',
    { cause }
  )
}

function shown(record: InvocationRecord, dispatcher: Dispatcher) {
  const { state, errorType, errorMessage } = record
  const isOpen = state === 'waiting' || state === 'claimed'
  return {
    requestId: record.requestId,
    functionName: record.functionName,
    qualifier: record.qualifier === '' ? undefined : record.qualifier,
    status: isOpen ? (dispatcher.isRunning(record.requestId) ? 'running' : 'queued') : state,
    attempts: record.attempts,
    condition: record.condition,
    acceptedAt: iso(record.acceptedAt),
    nextAttemptAt: state === 'waiting' ? iso(record.dueAt) : undefined,
    startedAt: iso(record.startedAt),
    endedAt: iso(record.endedAt),
    error: errorType || errorMessage ? { type: errorType, message: errorMessage } : undefined
  }
}

function shownDelivery({ id, purpose, target, state, attempts, endedAt, error }: DeliveryRecord) {
  return {
    id,
    purpose,
    target,
    status: state === 'delivered' || state === 'failed' ? state : 'pending',
    failedAttempts: attempts,
    endedAt: iso(endedAt),
    error: error === '' ? undefined : error
  }
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
