import { createHash } from 'node:crypto'
import { HearthError } from '../errors.ts'
import type { AccessKey, Principal } from './principal.ts'
import {
  isPresigned,
  parseSignature,
  type Signature,
  type SignedRequest,
  signingKey,
  verifySignature,
  verifyWithoutBody
} from './sigv4.ts'

export interface AuthenticatorOptions {
  readonly keys: readonly AccessKey[]
  readonly region: string
  /** Principals of other accounts have no business here. */
  readonly accountId: string
  readonly now: () => Date
  /** Signing names that are served here. */
  readonly services?: readonly string[]
}

/** Finds out who sends a request. Synchronous: for a Bearer key that was seen before, one Map lookup. */
export interface Authenticator {
  /**
   * @param services - Signing names that this very request may be for; default: those of the options.
   * @throws HearthError UNAUTHENTICATED, INVALID_CREDENTIALS, INVALID_SIGNATURE, INCOMPLETE_SIGNATURE
   */
  authenticate(request: SignedRequest, services?: readonly string[]): Principal
  /**
   * As far as one gets before the body is there: refuses what can be refused already.
   *
   * @returns undefined when the body must be seen: then call {@link authenticate} with it
   * @throws as {@link authenticate}
   */
  authenticateHead(request: Omit<SignedRequest, 'body'>, services?: readonly string[]): Principal | undefined
  /** Replaces the keys and forgets all that was remembered about the old ones. */
  setKeys(keys: readonly AccessKey[]): void
}

/** Header values remembered; only those of valid keys get in, so this bounds odd spellings, not attackers. */
const CACHE_ENTRIES = 1_024

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const ownServices = options.services ?? ['lambda']
  const byHeader = new Map<string, Principal>()
  const signingKeys = new Map<string, Buffer>()
  let byTokenHash = new Map<string, AccessKey>()
  let byId = new Map<string, AccessKey>()

  const setKeys = (keys: readonly AccessKey[]): void => {
    const usable = keys.filter((key) => key.status === 'Active' && key.principal.accountId === options.accountId)
    byTokenHash = new Map(usable.map((key) => [key.tokenHash, key]))
    byId = new Map(usable.map((key) => [key.accessKeyId, key]))
    byHeader.clear()
    signingKeys.clear()
  }

  const bearer = (authorization: string): Principal => {
    const token = authorization.slice(7).trim()
    // Looked up by its hash: comparing hashes tells nothing about the token, however long it takes.
    const key = byTokenHash.get(createHash('sha256').update(token).digest('hex'))
    if (key === undefined) {
      throw new HearthError('INVALID_CREDENTIALS', 'This Bearer key is not known to the server.', {
        awsMessage: 'The security token included in the request is invalid.'
      })
    }
    if (byHeader.size >= CACHE_ENTRIES) byHeader.clear()
    byHeader.set(authorization, key.principal)
    return key.principal
  }

  const keyOf = (signature: Signature): { key: AccessKey; signingKey: Buffer } => {
    const key = byId.get(signature.accessKeyId)
    if (key === undefined)
      throw new HearthError('INVALID_CREDENTIALS', 'The security token included in the request is invalid.')
    const name = `${key.accessKeyId}/${signature.day}/${signature.region}/${signature.service}`
    let derived = signingKeys.get(name)
    if (derived === undefined) {
      derived = signingKey(key.secretAccessKey, signature.day, signature.region, signature.service)
      if (signingKeys.size >= CACHE_ENTRIES) signingKeys.clear()
      signingKeys.set(name, derived)
    }
    return { key, signingKey: derived }
  }

  const parse = (request: SignedRequest, services = ownServices): Signature =>
    parseSignature(request, { region: options.region, services, nowMs: options.now().getTime() })

  const authenticate = (request: SignedRequest, services?: readonly string[]): Principal => {
    const known = quick(request)
    if (known !== undefined) return known
    const signature = parse(request, services)
    const found = keyOf(signature)
    verifySignature(request, signature, found.signingKey)
    refuseSessionToken(signature)
    return found.key.principal
  }

  /** All that is not a signature. */
  const quick = (request: Omit<SignedRequest, 'body'>): Principal | undefined => {
    const { authorization } = request.headers
    if (typeof authorization === 'string') {
      const known = byHeader.get(authorization)
      if (known !== undefined) return known
      if (/^bearer /i.test(authorization)) return bearer(authorization)
      if (authorization.startsWith('AWS4-')) return undefined
    } else if (isPresigned(request.rawUrl)) return undefined
    throw new HearthError(
      'UNAUTHENTICATED',
      'A key is needed: send "Authorization: Bearer <token>" (data/token on the server holds it), or sign the request as AWS clients do.',
      { awsMessage: 'Missing Authentication Token' }
    )
  }

  setKeys(options.keys)
  return {
    authenticate,
    authenticateHead(request, services) {
      const known = quick(request)
      if (known !== undefined) return known
      const head = { ...request, body: undefined }
      const signature = parse(head, services)
      verifyWithoutBody(head, signature, keyOf(signature).signingKey)
      return undefined
    },
    setKeys
  }
}

/** Temporary credentials are not given out, so a session token can't be a valid one. */
function refuseSessionToken(signature: Signature): void {
  if (signature.sessionToken === undefined) return
  throw new HearthError('INVALID_CREDENTIALS', 'The security token included in the request is invalid')
}
