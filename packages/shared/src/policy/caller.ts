import type { PolicyCaller } from './request.ts'

const ANONYMOUS: PolicyCaller = { type: 'anonymous', arn: '', accountId: '' }
const CALLER =
  /^arn:(aws[\w-]*):(iam|sts)::(\d{12}):(root|user\/[\w+=,.@/-]+|assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+)$/

/**
 * A caller from how policies write one: an ARN of a user, of an account's root or of a role's session, a service's name,
 * or `anonymous`. A session's ARN does not have its role's path; without `roleArn` the role is taken to have none.
 *
 * @returns undefined when it is none of these
 */
export function parseCaller(text: string, roleArn?: string): PolicyCaller | undefined {
  if (text === 'anonymous') return ANONYMOUS
  if (/^[a-z0-9.-]+\.(?:amazonaws\.com|hearth)$/.test(text)) return { ...ANONYMOUS, type: 'service', service: text }
  const [, partition, service, accountId, rest, role] = CALLER.exec(text) ?? []
  if (accountId === undefined || rest === undefined) return undefined
  if (role !== undefined) {
    if (service !== 'sts') return undefined
    return {
      type: 'session',
      arn: text,
      accountId,
      roleArn: roleArn ?? `arn:${partition}:iam::${accountId}:role/${role}`
    }
  }
  if (service !== 'iam') return undefined
  return { type: rest === 'root' ? 'root' : 'user', arn: text, accountId }
}
