import { createHash } from 'node:crypto'
import { HearthError } from '../errors.ts'
import { hasDotSegments } from './canonical-request.ts'
import type { AccessKey, Principal } from './principal.ts'
import type { OpenedToken, SessionTokens } from './session-tokens.ts'
import { invalidSignature, type SignedRequest } from './signed-request.ts'
import {
  isPresigned,
  type Payloads,
  parseSignature,
  type Signature,
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
  /** Opens the tokens of temporary credentials. Absent: none are taken. */
  readonly sessions?: Pick<SessionTokens, 'open'> | undefined
  /** Whether temporary credentials were taken back before they ended. */
  readonly isRevoked?: ((principal: Principal) => boolean) | undefined
  /** Signing names that are served here. */
  readonly services?: readonly string[]
}

/** What is taken for one request. */
export interface Taken {
  /** Signing names that it may be for. Default: those of the options. */
  readonly services?: readonly string[] | undefined
  /** What its body may be. Default: `signed`. */
  readonly payloads?: Payloads | undefined
}

/** A request whose sender is known. */
export interface Authenticated {
  readonly principal: Principal
  /** What was sent; of aws-chunked what is in the chunks. */
  readonly body: Buffer | undefined
  /** Undefined: it came with a Bearer key. */
  readonly signature: Signature | undefined
}

/** Finds out who sends a request. Synchronous: for a Bearer key that was seen before, one Map lookup. */
export interface Authenticator {
  /**
   * @throws HearthError UNAUTHENTICATED, INVALID_CREDENTIALS, EXPIRED_CREDENTIALS, INVALID_SIGNATURE,
   *   INCOMPLETE_SIGNATURE, INVALID_PAYLOAD
   */
  authenticate(request: SignedRequest, taken?: Taken): Principal
  /** As {@link authenticate}, with all that came out. */
  open(request: SignedRequest, taken?: Taken): Authenticated
  /**
   * As far as one gets before the body is there: refuses what can be refused already.
   *
   * @returns undefined when the body must be seen: then call {@link authenticate} with it
   * @throws as {@link authenticate}
   */
  authenticateHead(request: Omit<SignedRequest, 'body'>, taken?: Taken): Principal | undefined
  /** Replaces the keys and forgets all that was remembered about the old ones. */
  setKeys(keys: readonly AccessKey[]): void
}

/** Header values remembered; only those of valid keys get in, so this bounds odd spellings, not attackers. */
const CACHE_ENTRIES = 1_024

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const ownServices = options.services ?? ['lambda']
  const byHeader = new Map<string, AccessKey>()
  const signingKeys = new Map<string, Buffer>()
  // Opening costs key derivation and decryption; whoever has a token that opens may fill this, and nobody else.
  const openTokens = new Map<string, OpenedToken>()
  let byTokenHash = new Map<string, AccessKey>()
  let byId = new Map<string, AccessKey>()

  const setKeys = (keys: readonly AccessKey[]): void => {
    const usable = keys.filter((key) => key.status === 'Active' && key.principal.accountId === options.accountId)
    byTokenHash = new Map(usable.map((key) => [key.tokenHash, key]))
    byId = new Map(usable.map((key) => [key.accessKeyId, key]))
    byHeader.clear()
    signingKeys.clear()
    openTokens.clear()
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
    byHeader.set(authorization, key)
    return requireCurrent(key)
  }

  const keyOf = (signature: Signature): { principal: Principal; signingKey: Buffer } => {
    const key = signature.sessionToken === undefined ? longTermKey(signature) : temporaryKey(signature)
    const { accessKeyId, day, region, service } = signature
    const name = `${accessKeyId}/${day}/${region}/${service}`
    let derived = signingKeys.get(name)
    if (derived === undefined) {
      derived = signingKey(key.secretAccessKey, day, region, service)
      if (signingKeys.size >= CACHE_ENTRIES) signingKeys.clear()
      signingKeys.set(name, derived)
    }
    return { principal: key.principal, signingKey: derived }
  }

  const longTermKey = ({ accessKeyId }: Signature): AccessKey => {
    const key = byId.get(accessKeyId)
    if (key === undefined) throw unknownKey()
    requireCurrent(key)
    return key
  }

  const requireCurrent = ({ expiresAt, principal }: AccessKey): Principal => {
    // Times of one form are in the order of their letters.
    if (expiresAt === undefined || expiresAt > options.now().toISOString()) return principal
    throw new HearthError('EXPIRED_CREDENTIALS', 'This key has expired.', {
      awsMessage: 'The security token included in the request is expired'
    })
  }

  const temporaryKey = ({ accessKeyId, sessionToken = '' }: Signature): OpenedToken => {
    const name = `${accessKeyId}/${sessionToken}`
    const opened = openTokens.get(name) ?? options.sessions?.open(accessKeyId, sessionToken)
    // A token beside a key that needs none is no mistake that a client makes.
    if (opened === undefined) throw unknownKey()
    if (openTokens.size >= CACHE_ENTRIES) openTokens.clear()
    openTokens.set(name, opened)
    return opened
  }

  /** After the signature: who does not have the secret learns nothing of the session. */
  const requireAlive = (principal: Principal): void => {
    const { session } = principal
    if (session === undefined) return
    if (session.expiresAt <= options.now().getTime()) {
      throw new HearthError('EXPIRED_CREDENTIALS', 'The security token included in the request is expired')
    }
    if (options.isRevoked?.(principal) !== false) throw unknownKey()
  }

  const parse = (request: SignedRequest, { services = ownServices }: Taken): Signature => {
    if (hasDotSegments(request.rawUrl)) throw invalidSignature('The path of a signed request has no dot segments.')
    return parseSignature(request, { region: options.region, services, nowMs: options.now().getTime() })
  }

  const authenticate = (request: SignedRequest, taken: Taken = {}): Principal =>
    quick(request) ?? openSigned(request, taken).principal

  const openSigned = (request: SignedRequest, taken: Taken): Authenticated => {
    const signature = parse(request, taken)
    const { principal, signingKey: key } = keyOf(signature)
    const body = verifySignature(request, signature, key, taken.payloads ?? 'signed')
    requireAlive(principal)
    return { principal, body, signature }
  }

  /** All that is not a signature. */
  const quick = (request: Omit<SignedRequest, 'body'>): Principal | undefined => {
    const { authorization } = request.headers
    if (typeof authorization === 'string') {
      const known = byHeader.get(authorization)
      if (known !== undefined) return requireCurrent(known)
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
    open(request, taken = {}) {
      const known = quick(request)
      if (known === undefined) return openSigned(request, taken)
      return { principal: known, body: request.body, signature: undefined }
    },
    authenticateHead(request, taken = {}) {
      const known = quick(request)
      if (known !== undefined) return known
      const head = { ...request, body: undefined }
      const signature = parse(head, taken)
      verifyWithoutBody(head, signature, keyOf(signature).signingKey, taken.payloads ?? 'signed')
      return undefined
    },
    setKeys
  }
}

function unknownKey(): HearthError {
  return new HearthError('INVALID_CREDENTIALS', 'The security token included in the request is invalid.')
}
