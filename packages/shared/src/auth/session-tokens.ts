import { newKeyId, newSecretKey } from './new-ids.ts'
import type { Principal, Session } from './principal.ts'

/** Credentials that end by themselves. */
export interface TemporaryCredentials {
  /** ASIA…, 20 characters. */
  readonly accessKeyId: string
  /** 40 characters. */
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Unix time in ms. */
  readonly expiresAt: number
}

export interface OpenedToken {
  readonly secretAccessKey: string
  readonly principal: Principal & { readonly session: Session }
}

/**
 * Temporary credentials that nothing has to be stored for: the token holds, sealed under the server's master key, all
 * that is to be known of them. Every process of the server can check them, and only those.
 */
export interface SessionTokens {
  issue(session: Session): TemporaryCredentials
  /** @returns undefined when this server did not give it out with this key id */
  open(accessKeyId: string, token: string): OpenedToken | undefined
}

/** Seals texts, bound to a name; @hearth/store's secret box is one. */
export interface Sealer {
  seal(plaintext: string, record: string): Buffer
  /** @throws when it was not sealed here under this name */
  open(sealed: Buffer, record: string): string
}

/** A role's policies are no part of it; session policies and tags are, and are bounded where they are taken in. */
const MAX_TOKEN_CHARS = 16_384

interface Sealed {
  readonly secret: string
  readonly session: Session
}

/** @param accountId - Of the server; 12 digits. */
export function createSessionTokens(sealer: Sealer, accountId: string): SessionTokens {
  return {
    issue(session) {
      const accessKeyId = newKeyId('ASIA')
      const secret = newSecretKey()
      const sealed: Sealed = { secret, session }
      return {
        accessKeyId,
        secretAccessKey: secret,
        sessionToken: sealer.seal(JSON.stringify(sealed), recordOf(accessKeyId)).toString('base64'),
        expiresAt: session.expiresAt
      }
    },
    open(accessKeyId, token) {
      if (token.length > MAX_TOKEN_CHARS || !/^ASIA[A-Z2-7]{16}$/.test(accessKeyId)) return undefined
      let sealed: Sealed
      try {
        sealed = JSON.parse(sealer.open(Buffer.from(token, 'base64'), recordOf(accessKeyId))) as Sealed
      } catch {
        return undefined
      }
      return { secretAccessKey: sealed.secret, principal: sessionPrincipal(sealed.session, accountId, accessKeyId) }
    }
  }
}

/** Who a session is. */
export function sessionPrincipal(
  session: Session,
  accountId: string,
  keyId: string
): Principal & { readonly session: Session } {
  return {
    arn: `arn:aws:sts::${accountId}:assumed-role/${session.roleName}/${session.name}`,
    userId: `${session.roleId}:${session.name}`,
    accountId,
    keyId,
    session
  }
}

function recordOf(accessKeyId: string): string {
  return `sessions/${accessKeyId}`
}
