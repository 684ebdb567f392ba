import type { Principal } from '../auth/principal.ts'
import { type Policy, parsePolicy } from '../policy/document.ts'
import type { PolicyCaller } from '../policy/request.ts'
import type { IdentityRecord, PolicyText, PrincipalSource } from './principal-source.ts'

/** A caller with all that is to be known of it to decide, compiled. */
export interface Identity {
  readonly caller: PolicyCaller
  readonly policies: readonly Policy[]
  readonly boundary: Policy | undefined
  readonly session: readonly Policy[] | undefined
  readonly tags: Readonly<Record<string, string>>
  /** Of users. */
  readonly userName: string | undefined
}

/**
 * Looks up what a caller is allowed. Who is gone has no policies, and so may do nothing.
 *
 * @throws HearthError MALFORMED_POLICY when a stored document is none: nothing is allowed by what cannot be read
 */
export function identify(principal: Principal, source: PrincipalSource): Identity {
  const { arn, accountId, session } = principal
  if (session !== undefined) {
    const role = source.findRole(session.roleName)
    return {
      ...compile(role?.roleId === session.roleId ? role : undefined),
      caller: { type: 'session', arn, accountId, roleArn: session.roleArn },
      session: session.policies?.map((text, i) => parsePolicy(text, 'identity', `session policy ${i + 1}`)),
      tags: { ...role?.tags, ...session.tags },
      userName: undefined
    }
  }
  if (arn.endsWith(':root')) return { ...compile(undefined), caller: { type: 'root', arn, accountId }, ...NOBODY }
  const userName = arn.slice(arn.lastIndexOf('/') + 1)
  const user = source.findUser(userName)
  return {
    ...compile(user?.userId === principal.userId ? user : undefined),
    caller: { type: 'user', arn, accountId },
    session: undefined,
    tags: user?.tags ?? {},
    userName
  }
}

const NOBODY = { session: undefined, tags: {}, userName: undefined }

function compile(record: IdentityRecord | undefined): Pick<Identity, 'policies' | 'boundary'> {
  const read = ({ document, name }: PolicyText): Policy => parsePolicy(document, 'identity', name)
  return { policies: (record?.policies ?? []).map(read), boundary: record?.boundary && read(record.boundary) }
}
