import type { Decision, Principal, RequestFacts, Wish } from '@hearth/shared'
import type { AuditEntry } from './audit-log.ts'

/** A decision as the trail has it. */
export function toAuditEntry(
  principal: Principal | undefined,
  { action, resource }: Wish,
  { requestId, sourceIp, userAgent }: RequestFacts,
  decision: Decision,
  at: Date
): AuditEntry {
  const { allowed, by, reason } = decision
  return {
    at: at.toISOString(),
    requestId,
    principal: principal?.arn ?? 'anonymous',
    keyId: principal?.keyId,
    sourceIp,
    userAgent,
    action,
    resource,
    decision: allowed ? 'allowed' : decision.explicit ? 'explicitDeny' : 'implicitDeny',
    by,
    statement: reason
  }
}
