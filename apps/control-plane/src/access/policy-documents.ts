import { HearthError, type PolicyKind, parsePolicy, policySize } from '@hearth/shared'

/**
 * What a document of a kind may have, white space not counted. IAM calls the quota of a trust policy ACLSizePerRole; it
 * can be raised to this on AWS.
 *
 * @see reference: IAM §1.1
 */
export const POLICY_SIZES = { managed: 6_144, role: 10_240, user: 2_048, trust: 4_096 } as const

/** @throws HearthError MALFORMED_POLICY */
export function checkDocument(document: string, kind: PolicyKind): void {
  parsePolicy(document, kind, 'document')
}

/** @throws HearthError MALFORMED_POLICY, LIMIT_EXCEEDED */
export function checkManagedDocument(document: string): void {
  checkDocument(document, 'identity')
  if (policySize(document) > POLICY_SIZES.managed) {
    throw new HearthError('LIMIT_EXCEEDED', `Cannot exceed quota for PolicySize: ${POLICY_SIZES.managed}`)
  }
}

/** The whole of a user's or role's inline policies counts. @throws HearthError LIMIT_EXCEEDED */
export function checkInlineSize(kind: 'user' | 'role', owner: string, documents: readonly string[]): void {
  const size = documents.reduce((sum, document) => sum + policySize(document), 0)
  if (size > POLICY_SIZES[kind]) {
    throw new HearthError(
      'LIMIT_EXCEEDED',
      `Maximum policy size of ${POLICY_SIZES[kind]} bytes exceeded for ${kind} ${owner}`
    )
  }
}
