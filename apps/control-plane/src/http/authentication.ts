import { type AuthBackoff, type Authenticator, HearthError, type RequestRate, type Taken } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'
import { createReplayGuard } from './replay-guard.ts'

export interface AuthenticationOptions {
  readonly authenticator: Authenticator
  /** Takes in keys that were made or revoked since. */
  readonly refresh: () => void
  /** Unix time in ms. */
  readonly now: () => number
  readonly backoff: AuthBackoff
  readonly rate: RequestRate
  /** Who sent a request, as far as that is known by itself. */
  readonly addressOf: (request: FastifyRequest) => string
  readonly metrics: Metrics
}

const REASONS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'missing',
  INVALID_CREDENTIALS: 'unknown_key',
  EXPIRED_CREDENTIALS: 'expired',
  INVALID_SIGNATURE: 'bad_signature',
  INCOMPLETE_SIGNATURE: 'incomplete_signature'
}

/**
 * Default deny: every request is asked who it comes from, those to no route too, unless its route says `access`.
 * As early as possible: a Bearer key and what can be seen of a signature before the body is read, so that a stranger
 * can't make the server take 50 MiB in; the signed body itself after it.
 */
export const authentication = fp<AuthenticationOptions>(
  async (app, { authenticator, refresh, now, backoff, rate, addressOf, metrics }) => {
    const replays = createReplayGuard(now)
    app.decorateRequest('principal', null)

    const counted = <T>(request: FastifyRequest, step: () => T): T => {
      try {
        return step()
      } catch (thrown) {
        const reason = thrown instanceof HearthError ? REASONS[thrown.code] : undefined
        if (reason !== undefined) metrics.authFailures.inc({ reason })
        const told = backoff.judge(thrown, addressOf(request))
        if (told !== thrown) metrics.throttled.inc({ reason: 'authentication' })
        throw told
      }
    }

    const limited = ({ principal }: FastifyRequest): void => {
      if (principal === null) return
      try {
        rate.take(principal.keyId)
      } catch (thrown) {
        metrics.throttled.inc({ reason: 'rate' })
        throw thrown
      }
    }

    app.addHook('onRequest', async (request) => {
      refresh()
      if (isFree(request)) return
      request.principal =
        counted(request, () => authenticator.authenticateHead(headOf(request), takenOf(request, false))) ?? null
      limited(request)
    })

    app.addHook('preValidation', async (request) => {
      if (request.principal !== null || isFree(request)) return
      const sent = Buffer.isBuffer(request.body) ? request.body : undefined
      request.principal = counted(request, () => {
        const whole = { ...headOf(request), body: sent }
        const { principal, body, signature } = authenticator.open(whole, takenOf(request, true))
        if (signature !== undefined && CHANGES.has(request.method)) replays.take(signature)
        if (body !== sent) request.body = body
        return principal
      })
      limited(request)
    })
  },
  { name: 'authentication' }
)

const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function headOf({ method, raw, headers }: FastifyRequest) {
  return { method, rawUrl: raw.url ?? '/', headers, rawHeaders: raw.rawHeaders }
}

function takenOf(request: FastifyRequest, isWhole: boolean): Taken {
  const { signedFor, payloads } = request.routeOptions.config
  return { services: signedFor?.(request, isWhole), payloads }
}

function isFree(request: FastifyRequest): boolean {
  const { access } = request.routeOptions.config
  if (access === 'open' || access === 'gateway') return true
  return access === 'signed-link' && request.headers.authorization === undefined && /[?&]signature=/.test(request.url)
}
