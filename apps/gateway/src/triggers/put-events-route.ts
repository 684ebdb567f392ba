import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ArnScope, contextKeys, HearthError, toJsonError } from '@hearth/shared'
import type { Hallway } from '../call.ts'
import type { Expectations } from '../expectations.ts'
import { peerAddress } from '../peer-address.ts'
import { judgeRefused, receive } from '../reception.ts'
import { refuse, respond } from '../respond.ts'
import { readEntries, wishesOf } from './events/put-events.ts'
import type { TriggerService } from './trigger-service.ts'

export interface PutEventsRouteDeps {
  readonly hallway: Hallway
  readonly triggers: Pick<TriggerService, 'putEvents'>
  readonly scope: ArnScope
  readonly expectations: Expectations
  readonly isDraining: () => boolean
}

export const PUT_EVENTS = 'AWSEvents.PutEvents'
const TYPE = 'application/x-amz-json-1.1'
/** Ten entries of 256 KB together, each character escaped. */
const BODY_BYTES = 2_097_152
const RULES = { bodyBytes: BODY_BYTES, services: ['events'] }

/** EventBridge's PutEvents: here and not in the control plane, because what it accepts goes to the queue. */
export function putEventsRoute({ hallway, triggers, scope, expectations, isDraining }: PutEventsRouteDeps) {
  const serve = async (req: IncomingMessage, res: ServerResponse, id: string): Promise<void> => {
    if (isDraining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
    const { principal, facts, body } = await receive(hallway, expectations, req, res, id, RULES)
    const entries = readEntries(body)
    for (const { resource, source, detailType } of wishesOf(scope, entries)) {
      const keys = contextKeys({ 'events:source': source, 'events:detail-type': detailType })
      hallway.access.require(principal, { action: 'events:PutEvents', resource, keys }, facts)
    }
    const results = await triggers.putEvents(entries, req)
    const answer = { Entries: results, FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length }
    respond(res, 200, ['content-type', TYPE, 'x-amzn-requestid', id], JSON.stringify(answer))
  }
  return (req: IncomingMessage, res: ServerResponse, id: string): void => {
    serve(req, res, id).catch((err: unknown) => {
      const { status, body } = toJsonError(judgeRefused(hallway, err, peerAddress(req), id))
      const headers = ['content-type', TYPE, 'x-amzn-errortype', body.__type, 'x-amzn-requestid', id]
      refuse(req, res, { status, headers, body: JSON.stringify(body) })
    })
  }
}
