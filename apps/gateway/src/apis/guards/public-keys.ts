import type { JWK } from 'jose'

/** A key that signatures may be checked with. */
export interface PublicKey {
  readonly kid: string
  /** What it may be used for. */
  readonly algorithms: readonly string[]
  /** Its public members alone. */
  readonly jwk: JWK
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const CURVES: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512']
}
const ED25519 = ['EdDSA', 'Ed25519']

/**
 * Algorithms that tokens may be signed with. AWS takes RSA's only. Those with a shared secret are none: the issuer's
 * keys are public.
 */
export const ALGORITHMS: ReadonlySet<string> = new Set([...RSA, ...Object.values(CURVES).flat(), ...ED25519])

/** Keys read of one set. */
const MOST_KEYS = 100
/** 8,192 bits in base64url. */
const LONGEST_MODULUS = 1_366
const LONGEST_EXPONENT = 6
const LONGEST_KID = 1_024

/**
 * The keys of a JSON Web Key Set that can be used; others are passed over, as RFC 7517 §5 says.
 *
 * @throws Error when it is no such set
 */
export function readKeys(document: unknown): readonly PublicKey[] {
  const { keys } = (document ?? {}) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('it has no key set')
  return keys.slice(0, MOST_KEYS).flatMap((key: unknown) => {
    const read = typeof key === 'object' && key !== null ? readKey(key as Record<string, unknown>) : undefined
    return read === undefined ? [] : [read]
  })
}

function readKey(key: Readonly<Record<string, unknown>>): PublicKey | undefined {
  const { kid, use, alg } = key
  if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  const kind = kindOf(key)
  if (kind === undefined) return undefined
  const algorithms = alg === undefined ? kind.algorithms : kind.algorithms.filter((one) => one === alg)
  return algorithms.length === 0 ? undefined : { ...kind, algorithms, kid }
}

function kindOf({ kty, n, e, crv, x, y }: Readonly<Record<string, unknown>>): Omit<PublicKey, 'kid'> | undefined {
  if (kty === 'RSA' && isShort(n, LONGEST_MODULUS) && isShort(e, LONGEST_EXPONENT)) {
    return { algorithms: RSA, jwk: { kty, n, e } }
  }
  if (kty === 'EC' && isShort(x, 88) && isShort(y, 88) && typeof crv === 'string') {
    const algorithms = Object.hasOwn(CURVES, crv) ? CURVES[crv] : undefined
    return algorithms && { algorithms, jwk: { kty, crv, x, y } }
  }
  if (kty === 'OKP' && crv === 'Ed25519' && isShort(x, 43)) return { algorithms: ED25519, jwk: { kty, crv, x } }
  return undefined
}

function isShort(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most
}
