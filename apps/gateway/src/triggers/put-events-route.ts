import { type ArnScope, contextKeys } from '@hearth/shared'
import { type AwsJsonRouteDeps, awsJsonRoute } from '../aws-json-route.ts'
import { readEntries, wishesOf } from './events/put-events.ts'
import type { TriggerService } from './trigger-service.ts'

export interface PutEventsRouteDeps extends AwsJsonRouteDeps {
  readonly triggers: Pick<TriggerService, 'putEvents'>
  readonly scope: ArnScope
}

export const PUT_EVENTS = 'AWSEvents.PutEvents'
/** Ten entries of 256 KB together, each character escaped. */
const BODY_BYTES = 2_097_152

/** EventBridge's PutEvents: here and not in the control plane, because what it accepts goes to the queue. */
export function putEventsRoute({ triggers, scope, ...deps }: PutEventsRouteDeps) {
  return awsJsonRoute(deps, {
    service: 'events',
    bodyBytes: BODY_BYTES,
    async serve({ principal, facts, body }, req) {
      const entries = readEntries(body)
      for (const { resource, source, detailType } of wishesOf(scope, entries)) {
        const keys = contextKeys({ 'events:source': source, 'events:detail-type': detailType })
        deps.hallway.access.require(principal, { action: 'events:PutEvents', resource, keys }, facts)
      }
      const results = await triggers.putEvents(entries, req)
      return { Entries: results, FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length }
    }
  })
}
