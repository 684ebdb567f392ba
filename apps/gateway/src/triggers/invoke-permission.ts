import {
  type ArnScope,
  contextKeys,
  type Decision,
  evaluate,
  evaluateTrust,
  type PolicyCaller,
  type PrincipalSource,
  parsePolicy
} from '@hearth/shared'
import type { Entry } from '../function-routes.ts'

/** On whose account a function is invoked. */
export interface Invoker {
  /** `events.amazonaws.com` */
  readonly service: string
  /** Of the rule or schedule. */
  readonly sourceArn: string
  /** Undefined: the service itself asks, and the function's own policy must let it in. */
  readonly roleArn: string | undefined
}

const ACTION = 'lambda:InvokeFunction'
const NO: Decision = { allowed: false, explicit: false, by: 'identity', reason: undefined }

/**
 * Whether an invoker may invoke a function: a service by the function's resource policy, a role that trusts the service
 * by its own policies.
 *
 * @throws HearthError MALFORMED_POLICY when a stored policy is none
 * @see reference: IAM §3
 */
export function mayInvoke(
  entry: Pick<Entry, 'invokedArn' | 'policy'>,
  { service, sourceArn, roleArn }: Invoker,
  source: Pick<PrincipalSource, 'findRole'>,
  scope: ArnScope
): Decision {
  const { accountId } = scope
  const keys = contextKeys({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': accountId })
  const asService: PolicyCaller = { type: 'service', arn: '', accountId: '', service }
  const request = { action: ACTION, resource: entry.invokedArn, resourceAccount: accountId, keys }
  const own = entry.policy === undefined ? {} : { resource: entry.policy }
  if (roleArn === undefined) return evaluate({ identity: [], ...own }, { ...request, caller: asService })

  const role = source.findRole(roleArn.slice(roleArn.lastIndexOf('/') + 1))
  if (role === undefined || roleArn !== `arn:aws:iam::${accountId}:role${role.path}${role.name}`) return NO
  const taking = { ...request, action: 'sts:AssumeRole', resource: roleArn, caller: asService }
  const trust = evaluateTrust(parsePolicy(role.trust, 'trust', 'trust policy'), { identity: [] }, taking)
  if (!trust.allowed) return trust
  const session = `arn:aws:sts::${accountId}:assumed-role/${role.name}/${service.split('.')[0]}`
  const { boundary } = role
  const policies = {
    identity: role.policies.map(({ document, name }) => parsePolicy(document, 'identity', name)),
    ...(boundary === undefined ? {} : { boundary: parsePolicy(boundary.document, 'identity', boundary.name) }),
    ...own
  }
  return evaluate(policies, { ...request, caller: { type: 'session', arn: session, accountId, roleArn } })
}
