import { HearthError } from '@hearth/shared'
import { type EventQueue, type InvocationRecord, QueueUnavailableError } from '@hearth/store'
import { respond } from '../respond.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { Dispatcher } from './dispatcher.ts'

const LIST_LIMIT = 100
/** Events that one redrive brings back. */
const REDRIVE_LIMIT = 10_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const JSON_TYPE = ['content-type', 'application/json']

const STATES: Readonly<Record<string, readonly InvocationRecord['state'][]>> = {
  queued: ['waiting', 'claimed'],
  running: ['claimed'],
  succeeded: ['succeeded'],
  failed: ['failed']
}

/** `GET /v1/invocations/{requestId}` */
export function invocationRoute(queue: EventQueue, dispatcher: Dispatcher): ServerRoute {
  return async (_req, res, id) => {
    const record = UUID.test(id) ? await queue.find(id).catch(refuse) : undefined
    if (record === undefined) {
      throw new HearthError(
        'INVOCATION_NOT_FOUND',
        'There is no such asynchronous invocation. Records are dropped some time after the end.'
      )
    }
    respond(res, 200, [...JSON_TYPE], JSON.stringify(shown(record, dispatcher)))
  }
}

/** `GET /v1/functions/{name}/invocations?status=`: the newest 100. */
export function invocationsRoute(queue: EventQueue, dispatcher: Dispatcher): ServerRoute {
  return async (req, res, name) => {
    const status = new URLSearchParams(req.url!.split('?')[1] ?? '').get('status')
    const states = status === null ? Object.values(STATES).flat() : Object.hasOwn(STATES, status) && STATES[status]
    if (!states) {
      const message = `one of ${Object.keys(STATES).join(', ')}`
      throw new HearthError('INVALID_REQUEST', `query.status: ${message}`, {
        errors: [{ path: 'query.status', message }]
      })
    }
    const records = (await queue.list(name, states, LIST_LIMIT).catch(refuse)).map((record) =>
      shown(record, dispatcher)
    )
    const invocations = status === null ? records : records.filter((record) => record.status === status)
    respond(res, 200, [...JSON_TYPE], JSON.stringify({ invocations }))
  }
}

/** `POST /v1/functions/{name}/dead-letters/redrive`: failed events run again, under their old ids. */
export function redriveRoute(queue: EventQueue, dispatcher: Dispatcher): ServerRoute {
  return async (_req, _res, name, send) => {
    const redriven = await queue.redrive(name, dispatcher.now(), REDRIVE_LIMIT).catch(refuse)
    dispatcher.wake(name)
    send(202, [...JSON_TYPE], Buffer.from(JSON.stringify({ redriven })))
  }
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

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
