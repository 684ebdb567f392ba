import { HearthError, policySize } from '@hearth/shared'
import { checkDocument, POLICY_SIZES } from './policy-documents.ts'

interface Statement {
  readonly Principal?: unknown
  readonly NotPrincipal?: unknown
  readonly Action?: unknown
}

/**
 * @param exists - Whether a user or role of this account has this ARN; ARNs of other accounts are not asked about.
 * @throws HearthError MALFORMED_POLICY, LIMIT_EXCEEDED
 */
export function checkTrust(document: string, exists: (arn: string) => boolean | 'elsewhere'): void {
  checkDocument(document, 'trust')
  if (policySize(document) > POLICY_SIZES.trust) {
    throw new HearthError('LIMIT_EXCEEDED', `Cannot exceed quota for ACLSizePerRole: ${POLICY_SIZES.trust}`)
  }
  for (const statement of statementsOf(JSON.parse(document))) {
    const actions = [statement.Action ?? []].flat() as string[]
    const other = actions.find((action) => !/^(sts:|\*$)/i.test(action))
    if (other !== undefined) throw malformed('AssumeRole policy may only specify STS AssumeRole actions.')
    for (const arn of awsPrincipalsOf(statement)) {
      if (exists(arn) === false) throw malformed(`Invalid principal in policy: "AWS":"${arn}"`)
    }
  }
}

/**
 * Names a principal otherwise wherever statements name it: by its unique id when it is gone, so that the next of its name
 * is somebody else, or by its new ARN.
 *
 * @param policy - A document, or a list of statements.
 * @returns the same when it does not name it
 * @see reference: IAM §1.2
 */
export function renamePrincipal<Policy>(policy: Policy, from: string, to: string): Policy {
  const statements = statementsOf(policy)
  if (!statements.some((statement) => awsPrincipalsOf(statement).includes(from))) return policy
  const replace = (value: unknown): unknown => (Array.isArray(value) ? value.map(replace) : value === from ? to : value)
  const renamed = statements.map((statement) =>
    Object.fromEntries(
      Object.entries(statement).map(([name, value]: [string, unknown]) => {
        if ((name !== 'Principal' && name !== 'NotPrincipal') || !isObject(value)) return [name, value]
        return [name, 'AWS' in value ? { ...value, AWS: replace(value['AWS']) } : value]
      })
    )
  )
  return (Array.isArray(policy) ? renamed : { ...policy, Statement: renamed }) as Policy
}

/** {@link renamePrincipal} in a document's text. */
export function renamePrincipalInText(document: string, from: string, to: string): string {
  const before: unknown = JSON.parse(document)
  const after = renamePrincipal(before, from, to)
  return after === before ? document : JSON.stringify(after)
}

function statementsOf(policy: unknown): readonly Statement[] {
  const list = isObject(policy) ? policy['Statement'] : policy
  return (Array.isArray(list) ? list : [list]) as readonly Statement[]
}

function awsPrincipalsOf({ Principal, NotPrincipal }: Statement): readonly string[] {
  return [Principal, NotPrincipal].flatMap((value) =>
    isObject(value) ? ([value['AWS'] ?? []].flat() as string[]) : []
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(message: string): HearthError {
  return new HearthError('MALFORMED_POLICY', message, { errors: [{ path: 'document', message }] })
}
