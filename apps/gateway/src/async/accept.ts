import { LIMITS } from '@hearth/shared'
import type { KeyedAnswer } from '@hearth/store'
import type { Call } from '../call.ts'
import type { Entry } from '../function-routes.ts'
import { payloadTooLarge } from '../refusal.ts'
import type { Dispatcher } from './dispatcher.ts'

const EMPTY_EVENT = Buffer.from('{}')

/**
 * Takes the event of a call to be run later, and answers 202 once it is on disk.
 *
 * @param answer - What is answered then; kept with the event when the call has an Idempotency-Key
 * @throws HearthError PAYLOAD_TOO_LARGE
 */
export function acceptEvent(
  dispatcher: Dispatcher,
  call: Call,
  entry: Entry,
  qualifier: string | undefined,
  payload: Buffer,
  answer: KeyedAnswer
): void {
  if (payload.length > LIMITS.asyncPayloadBytes) {
    throw payloadTooLarge(payload.length, LIMITS.asyncPayloadBytes, 'Event')
  }
  const event = {
    requestId: call.requestId,
    functionName: entry.record.name,
    qualifier: qualifier ?? '',
    traceId: call.traceId,
    clientContext: call.clientContext,
    payload: payload.length === 0 ? EMPTY_EVENT : payload,
    acceptedAt: dispatcher.now(),
    ...(call.keyed === undefined ? {} : { keyed: call.keyed.withAnswer(answer) })
  }
  dispatcher.accept(event).then(
    () => {
      call.keyed?.kept()
      call.sent(entry)
      call.respond(answer.status, [...answer.headers], Buffer.from(answer.body))
    },
    (err: unknown) => {
      call.refuse(err)
    }
  )
}

/** `Prefer: respond-async`, alone or in a list. @see RFC 7240 */
export function prefersAsync(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  return String(header)
    .split(',')
    .some((preference) => preference.split(';')[0]!.trim().toLowerCase() === 'respond-async')
}

/** Outside of AWS's dialect: says where to ask how it goes. */
export function acceptedAnswer(call: Call): KeyedAnswer {
  const headers = [
    'content-type',
    'application/json',
    'preference-applied',
    'respond-async',
    'location',
    `/v1/invocations/${call.requestId}`,
    'x-amzn-requestid',
    call.requestId,
    'x-amzn-trace-id',
    call.traceId
  ]
  const body = Buffer.from(JSON.stringify({ requestId: call.requestId, status: 'queued' }))
  return { status: 202, headers, body }
}
