import type { Decider, Decision } from './evaluate.ts'
import type { PolicyRequest } from './request.ts'

const NAMES: Readonly<Record<Decider, string>> = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy'
}

/** AWS's sentence for a refused request. @see reference: IAM §2.5 */
export function denialMessage(decision: Decision & { allowed: false }, request: PolicyRequest): string {
  const who = request.caller.arn === '' ? (request.caller.service ?? 'anonymous') : request.caller.arn
  const what = request.resource === '*' ? '' : ` on resource: ${request.resource}`
  const name = NAMES[decision.by]
  const why = decision.explicit
    ? `with an explicit deny in ${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
    : `because no ${name} allows the ${request.action} action`
  return `User: ${who} is not authorized to perform: ${request.action}${what} ${why}`
}
