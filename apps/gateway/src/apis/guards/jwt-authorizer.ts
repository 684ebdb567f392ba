import type { GuardedRequest, Verdict } from '../guard.ts'
import { FAILED, FORBIDDEN, UNAUTHORIZED } from './answers.ts'
import type { KeySets } from './key-sets.ts'
import { identityOf } from './request-values.ts'
import { type CheckedToken, checkToken, claimTexts } from './token.ts'

export interface JwtAuthorizerOptions {
  readonly keySets: KeySets
  /** Whether a token is a key of this server, which is none of an API's business. */
  readonly isOwnKey: (authorization: string) => boolean
  /** Unix time in ms. */
  readonly now: () => number
  /** The issuer's keys cannot be had. */
  readonly onUnavailable: (issuer: string, err: unknown) => void
}

/** Lets in who has a token of the authorizer's issuer. */
export function createJwtAuthorizer({ keySets, isOwnKey, now, onUnavailable }: JwtAuthorizerOptions) {
  return async ({ route, authorizer, ...request }: GuardedRequest): Promise<Verdict> => {
    const [source] = authorizer?.identitySources ?? []
    const jwt = authorizer?.jwt
    if (source === undefined || jwt === undefined) return FAILED
    const value = identityOf(source, { route, authorizer, ...request })
    if (value === undefined || isOwnKey(value)) return challenged(UNAUTHORIZED, 'Bearer')
    const wanted = route.scopes ?? []
    let checked: CheckedToken
    try {
      checked = await checkToken(value.replace(/^bearer +/i, ''), {
        ...jwt,
        now: now(),
        findKey: (kid, alg) => keySets.find(jwt.issuer, kid, alg)
      })
    } catch (err) {
      onUnavailable(jwt.issuer, err)
      // As AWS: nobody is let in, and the header says that it is not the token's fault.
      checked = { isValid: false, reason: 'OIDC discovery endpoint communication error' }
    }
    if (!checked.isValid) return challenged(UNAUTHORIZED, challenge(wanted, 'invalid_token', checked.reason))
    const { claims, scopes } = checked
    if (wanted.length > 0 && !wanted.some((one) => scopes.includes(one))) {
      return challenged(FORBIDDEN, challenge(wanted, 'insufficient_scope', 'the token does not have a required scope'))
    }
    const authorized = { kind: 'jwt', claims: claimTexts(claims), scopes: wanted.length === 0 ? null : scopes } as const
    return { isAllowed: true, authorizer: authorized }
  }
}

function challenged(verdict: Extract<Verdict, { isAllowed: false }>, value: string): Verdict {
  return { ...verdict, headers: ['www-authenticate', value] }
}

/** Separated by blanks, as AWS writes it. */
function challenge(scopes: readonly string[], error: string, description: string): string {
  // What an API's owner has written must not end the text, or the header.
  const scope = scopes.join(' ').replace(/[^\x20-\x7e]|["\\]/g, '')
  return `Bearer scope="${scope}" error="${error}" error_description="${description}"`
}
