import type { Principal } from '../auth/principal.ts'
import type { ContextKeys } from '../policy/request.ts'
import type { Identity } from './identity.ts'

/** What of a request policies may ask for, beside who sends it. */
export interface RequestFacts {
  readonly requestId: string
  /** Of the client; undefined when it cannot be known. */
  readonly sourceIp: string | undefined
  readonly userAgent: string | undefined
  /** Whether it came over TLS. */
  readonly secure: boolean
}

const PRINCIPAL_TAG = 'aws:principaltag/'

/**
 * The global condition keys of one request; values are made when a policy asks for them.
 *
 * @param own - Keys of the action.
 * @see reference: IAM §1.4
 */
export function requestKeys(
  identity: Identity,
  principal: Principal | undefined,
  facts: RequestFacts,
  region: string,
  nowMs: () => number,
  own: ContextKeys | undefined
): ContextKeys {
  return (name) => {
    const value = own?.(name)
    if (value !== undefined) return value
    if (name.startsWith(PRINCIPAL_TAG)) return tagOf(identity.tags, name.slice(PRINCIPAL_TAG.length))
    switch (name) {
      case 'aws:principalarn':
        return identity.caller.roleArn ?? (identity.caller.arn || undefined)
      case 'aws:principalaccount':
        return identity.caller.accountId || undefined
      case 'aws:principaltype':
        return TYPES[identity.caller.type]
      case 'aws:principalisawsservice':
        return String(identity.caller.type === 'service')
      case 'aws:principalservicename':
        return identity.caller.service
      case 'aws:userid':
        return principal?.userId
      case 'aws:username':
        return identity.userName
      case 'aws:sourceip':
        return facts.sourceIp
      case 'aws:useragent':
        return facts.userAgent
      case 'aws:securetransport':
        return String(facts.secure)
      case 'aws:currenttime':
        return new Date(nowMs()).toISOString()
      case 'aws:epochtime':
        return String(Math.floor(nowMs() / 1_000))
      case 'aws:tokenissuetime':
        return principal?.session && new Date(principal.session.issuedAt).toISOString()
      case 'aws:requestedregion':
        return region
      case 'lambda:sourcefunctionarn':
        return principal?.session?.functionArn
      default:
        return undefined
    }
  }
}

const TYPES: Readonly<Record<Identity['caller']['type'], string | undefined>> = {
  root: 'Account',
  user: 'User',
  session: 'AssumedRole',
  anonymous: 'Anonymous',
  service: undefined
}

/** Tags' keys are compared in any case. */
function tagOf(tags: Readonly<Record<string, string>>, lowerName: string): string | undefined {
  for (const [name, value] of Object.entries(tags)) if (name.toLowerCase() === lowerName) return value
  return undefined
}
