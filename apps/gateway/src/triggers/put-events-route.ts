import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Authenticator,
  type Authorizer,
  contextKeys,
  HearthError,
  type RequestFacts,
  toAwsError
} from '@hearth/shared'
import type { Expectations } from '../expectations.ts'
import { peerAddress } from '../peer-address.ts'
import { readBody } from '../read-body.ts'
import { refuse, respond } from '../respond.ts'
import { readEntries, wishesOf } from './events/put-events.ts'
import type { TriggerService } from './trigger-service.ts'

/** What PutEvents needs; the first three are others after the database was opened. */
export interface PutEventsRouteDeps {
  readonly authenticator: () => Authenticator
  readonly access: () => Authorizer
  readonly refresh: () => void
  readonly triggers: TriggerService
  readonly scope: Parameters<typeof wishesOf>[0]
  readonly expectations: Expectations
  readonly isDraining: () => boolean
  readonly onBug: (err: unknown, requestId: string) => void
}

export const PUT_EVENTS = 'AWSEvents.PutEvents'
const TYPE = 'application/x-amz-json-1.1'
/** Ten entries of 256 KB together, each character escaped. */
const BODY_BYTES = 2_097_152
const TAKEN = { services: ['events'] }

/** EventBridge's PutEvents: here and not in the control plane, because what it accepts goes to the queue. */
export function putEventsRoute(deps: PutEventsRouteDeps) {
  const serve = async (req: IncomingMessage, res: ServerResponse, id: string): Promise<void> => {
    if (deps.isDraining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
    deps.refresh()
    const head = { method: req.method ?? '', rawUrl: req.url ?? '', headers: req.headers }
    // Before the body: a stranger is not asked to send it.
    const early = deps.authenticator().authenticateHead(head, TAKEN)
    deps.expectations.meet(req, res)
    const body = await readBody(req, BODY_BYTES)
    const principal = early ?? deps.authenticator().authenticate({ ...head, body }, TAKEN)
    const entries = readEntries(body)
    const facts: RequestFacts = {
      requestId: id,
      sourceIp: peerAddress(req),
      userAgent: req.headers['user-agent'],
      secure: false
    }
    for (const { resource, source, detailType } of wishesOf(deps.scope, entries)) {
      const keys = contextKeys({ 'events:source': source, 'events:detail-type': detailType })
      deps.access().require(principal, { action: 'events:PutEvents', resource, keys }, facts)
    }
    const results = await deps.triggers.putEvents(entries, req)
    const answer = { Entries: results, FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length }
    respond(res, 200, ['content-type', TYPE, 'x-amzn-requestid', id], JSON.stringify(answer))
  }
  return (req: IncomingMessage, res: ServerResponse, id: string): void => {
    serve(req, res, id).catch((err: unknown) => {
      if (!(err instanceof HearthError)) deps.onBug(err, id)
      const { status, type, body } = toAwsError(err)
      // JSON protocols have one status for all that is the caller's fault.
      const told = status >= 500 || status === 413 ? status : 400
      const message = body['message'] ?? body['Message'] ?? ''
      const headers = ['content-type', TYPE, 'x-amzn-errortype', type, 'x-amzn-requestid', id]
      refuse(req, res, { status: told, headers, body: JSON.stringify({ __type: type, message }) })
    })
  }
}
