import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import type { PolicyStatement, ResourcePolicy } from '@hearth/store'

/** Source: Lambda quotas, resource-based policy. */
const POLICY_BYTES = 20_480

/** The whole policy in IAM's grammar. */
export function policyDocument({ statements }: ResourcePolicy): Readonly<Record<string, unknown>> {
  return { Version: '2012-10-17', Id: 'default', Statement: statements }
}

/** @throws HearthError STATEMENT_EXISTS, POLICY_TOO_LARGE */
export function withStatement(current: ResourcePolicy | undefined, statement: PolicyStatement): ResourcePolicy {
  const statements = current?.statements ?? []
  if (statements.some(({ Sid }) => Sid === statement.Sid)) {
    throw new HearthError(
      'STATEMENT_EXISTS',
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`
    )
  }
  const policy = { revisionId: randomUUID(), statements: [...statements, statement] }
  const bytes = Buffer.byteLength(JSON.stringify(policyDocument(policy)))
  if (bytes <= POLICY_BYTES) return policy
  throw new HearthError(
    'POLICY_TOO_LARGE',
    `The final policy size (${bytes}) is bigger than the limit (${POLICY_BYTES}).`
  )
}

/** @returns undefined when it was the last one @throws HearthError POLICY_NOT_FOUND */
export function withoutStatement(current: ResourcePolicy, statementId: string): ResourcePolicy | undefined {
  const statements = current.statements.filter(({ Sid }) => Sid !== statementId)
  if (statements.length === current.statements.length) {
    throw new HearthError('POLICY_NOT_FOUND', `Statement ${statementId} is not found in resource policy.`)
  }
  return statements.length === 0 ? undefined : { revisionId: randomUUID(), statements }
}

/**
 * @param revisionId - What the policy must have; undefined: whatever it has.
 * @param operation - That tells the right one.
 * @throws HearthError REVISION_MISMATCH
 */
export function requireRevision(
  current: ResourcePolicy | undefined,
  revisionId: string | undefined,
  operation: 'GetPolicy' | 'GetLayerPolicy'
): void {
  if (revisionId === undefined || current?.revisionId === revisionId) return
  throw new HearthError(
    'REVISION_MISMATCH',
    `The Revision Id provided does not match the latest Revision Id. Call the ${operation} API to retrieve the latest Revision Id`
  )
}

export function noPolicy(): HearthError {
  return new HearthError('POLICY_NOT_FOUND', 'No policy is associated with the given resource.')
}
