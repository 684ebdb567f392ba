import type { Authenticator, Principal, SignedRequest } from '@hearth/shared'
import { type ReporterOptions, startReporter } from './control-plane-reporter.ts'

/** An authenticator that remembers whose keys it saw. */
export interface NotingAuthenticator extends Authenticator {
  /** By key: what it was used for. Emptied by whoever tells the control plane. */
  readonly uses: Map<string, 'lambda' | 'hearth'>
}

export function noteKeyUses(inner: Authenticator): NotingAuthenticator {
  const uses = new Map<string, 'lambda' | 'hearth'>()
  const note = (principal: Principal, { headers: { authorization } }: Pick<SignedRequest, 'headers'>): Principal => {
    // Bearer keys begin with a B in any case; all else is a signature.
    const isBearer = typeof authorization === 'string' && (authorization.charCodeAt(0) | 32) === 98
    uses.set(principal.keyId, isBearer ? 'hearth' : 'lambda')
    return principal
  }
  return {
    uses,
    authenticate: (request, taken) => note(inner.authenticate(request, taken), request),
    open(request, taken) {
      const opened = inner.open(request, taken)
      note(opened.principal, request)
      return opened
    },
    authenticateHead(request, taken) {
      const principal = inner.authenticateHead(request, taken)
      return principal && note(principal, request)
    },
    setKeys: (keys) => {
      inner.setKeys(keys)
    }
  }
}

export interface KeyUseReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly uses: Map<string, 'lambda' | 'hearth'>
  readonly intervalMs?: number
}

/** How exact the time of a key's last use is. */
const INTERVAL_MS = 2_000

/** Tells the control plane, which keeps keys, which of them were used here. @returns stops it */
export function startKeyUseReporter({ uses, intervalMs = INTERVAL_MS, ...rest }: KeyUseReporterOptions) {
  // Those that are being told: what comes in between is told the next time.
  let telling: ReadonlyMap<string, 'lambda' | 'hearth'> = new Map()
  return startReporter({
    ...rest,
    path: '/v1/internal/key-uses',
    intervalMs,
    report() {
      telling = new Map([...telling, ...uses])
      uses.clear()
      return telling.size === 0
        ? undefined
        : JSON.stringify({ uses: Array.from(telling, ([accessKeyId, service]) => ({ accessKeyId, service })) })
    },
    onTaken() {
      telling = new Map()
    }
  })
}
