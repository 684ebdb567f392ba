import { type CryptoKey, compactVerify, decodeProtectedHeader, errors } from 'jose'
import { ALGORITHMS } from './public-keys.ts'

/** What a token must be. */
export interface TokenRules {
  readonly issuer: string
  readonly audience: readonly string[]
  /** Unix time in ms. */
  readonly now: number
  /** @throws when the issuer's keys cannot be had */
  readonly findKey: (kid: string, alg: string) => Promise<CryptoKey | undefined>
}

export type CheckedToken =
  | { readonly isValid: true; readonly claims: Readonly<Record<string, unknown>>; readonly scopes: readonly string[] }
  /** Why not, for whoever sent it: nothing of the server in it. */
  | { readonly isValid: false; readonly reason: string }

/** All headers of a request have at most so much on AWS. */
const MAX_CHARS = 10_240
/** Another machine's clock may be so far ahead, in seconds. */
const SKEW_S = 5
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Checks a JSON Web Token as AWS's HTTP APIs do: key id, signature, `iss`, `aud` or `client_id`, `exp`, `nbf`, `iat`. Of
 * its header only `kid` and `alg` are looked at: keys that it brings or points to are not.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export async function checkToken(token: string, rules: TokenRules): Promise<CheckedToken> {
  if (token.length > MAX_CHARS || !TOKEN.test(token)) return invalid('the token is malformed')
  let header: { readonly kid?: unknown; readonly alg?: unknown; readonly crit?: unknown }
  try {
    header = decodeProtectedHeader(token)
  } catch {
    return invalid('the token is malformed')
  }
  const { kid, alg } = header
  if (typeof alg !== 'string' || !ALGORITHMS.has(alg)) return invalid('the signing method is invalid')
  if (typeof kid !== 'string' || kid === '') return invalid('the token has no key id')
  // Nothing is understood that a token may insist on.
  if (header.crit !== undefined) return invalid('the token is malformed')
  const key = await rules.findKey(kid, alg)
  if (key === undefined) return invalid('the key id of the token is unknown')
  let claims: unknown
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [alg] })
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (err) {
    // A key that is too short is the issuer's fault, and no reason to let anybody in.
    const isSignature = err instanceof errors.JWSSignatureVerificationFailed || err instanceof TypeError
    return invalid(isSignature ? 'the signature of the token is invalid' : 'the token is malformed')
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return invalid('the token is malformed')
  return checkClaims(claims as Readonly<Record<string, unknown>>, rules)
}

function checkClaims(claims: Readonly<Record<string, unknown>>, rules: TokenRules): CheckedToken {
  const { iss, aud, client_id: clientId, exp, nbf, iat } = claims
  const now = rules.now / 1_000
  if (iss !== rules.issuer) return invalid('the token does not have a valid issuer')
  const audiences = texts(aud ?? clientId)
  if (!audiences.some((one) => rules.audience.includes(one))) {
    return invalid('the token does not have a valid audience')
  }
  if (typeof exp !== 'number') return invalid('the token has no expiry')
  if (exp <= now) return invalid('the token has expired')
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + SKEW_S))
    return invalid('the token is not valid yet')
  if (iat !== undefined && !(typeof iat === 'number' && iat <= now + SKEW_S)) {
    return invalid('the token was issued in the future')
  }
  const scopes = texts(claims['scope'] ?? claims['scp'])
    .flatMap((text) => text.split(' '))
    .filter((one) => one !== '')
  return { isValid: true, claims, scopes }
}

function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one) => typeof one === 'string')
}

function invalid(reason: string): CheckedToken {
  return { isValid: false, reason }
}

/** Claims as events have them: texts, whatever they were. */
export function claimTexts(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, textOf(value, 0)]))
}

/** As AWS writes them: `[a b]`, `map[a:1 b:2]`. */
function textOf(value: unknown, depth: number): string {
  if (depth > MOST_DEPTH) return ''
  if (Array.isArray(value)) return `[${value.map((one: unknown) => textOf(one, depth + 1)).join(' ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `map[${members.map(([name, one]) => `${name}:${textOf(one, depth + 1)}`).join(' ')}]`
  }
  return String(value)
}

const MOST_DEPTH = 16
