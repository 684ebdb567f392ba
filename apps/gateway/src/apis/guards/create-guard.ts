import type { ArnScope, Authorizer } from '@hearth/shared'
import type { EventQueue } from '@hearth/store'
import { atMostEvery } from '../../at-most-every.ts'
import type { Entry } from '../../function-routes.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Traces } from '../../tracing/traces.ts'
import type { Guard, GuardedRequest, Verdict } from '../guard.ts'
import { FAILED, FORBIDDEN, OVER_QUOTA, TOO_MANY } from './answers.ts'
import { createJwtAuthorizer } from './jwt-authorizer.ts'
import { createKeySets } from './key-sets.ts'
import { createKeySource } from './key-source.ts'
import { createKeyTable, type KnownKey, type UsagePlanReader } from './key-table.ts'
import { createLambdaAuthorizer } from './lambda-authorizer.ts'
import { headerOf } from './request-values.ts'
import { createUsageMeter } from './usage-meter.ts'
import { type UsageRoute, usageRoutes } from './usage-routes.ts'

export interface GuardDeps {
  readonly scope: ArnScope
  /** @param qualifier - Or '' @returns undefined when there is no such function, version or alias */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  readonly access: () => Pick<Authorizer, 'mayService'>
  readonly metrics: Pick<Metrics, 'functions' | 'settled' | 'guards'>
  readonly traces: Traces
  readonly queue: Pick<EventQueue, 'usage'>
  readonly log: Pick<Log, 'warn' | 'error'>
  /** Networks where key sets may be fetched from beside public addresses. */
  readonly networks: readonly string[]
  /** Folder of the operator's key sets. */
  readonly keySetsDir: string | undefined
  /** Whether an Authorization header is a key of this server, which is none of an API's business. */
  readonly isOwnKey: (authorization: string) => boolean
  /** Unix time in ms. */
  readonly now: () => number
  /** What an authorizer's function may take, in ms. Default: AWS's. */
  readonly authorizerMs?: number
}

/** A guard with what it needs beside requests. */
export interface OpenGuard extends Guard {
  /** `GET /v1/usage-plans/{name}/usage`. */
  readonly routes: readonly UsageRoute[]
  /** Keys and plans of this database count from now on. */
  attach(reader: UsagePlanReader): void
  /** Writes what was counted; before the queue is closed. */
  close(): Promise<void>
}

const TELL_MS = 10_000

/**
 * Who is let in to routes of APIs: JWT and Lambda authorizers, then API keys. Routes that are open, or for callers with
 * IAM's rights, are the runtime's to decide; their API keys are looked at here.
 */
export function createGuard(deps: GuardDeps): OpenGuard {
  const { scope, find, access, metrics, log, isOwnKey, now, authorizerMs } = deps
  const counts = metrics.guards
  const tellOfKeys = atMostEvery(TELL_MS, ({ issuer, err }: { issuer: string; err: unknown }) => {
    log.warn({ issuer, err }, 'keys of an issuer of tokens cannot be had')
  })
  const tellOfAuthorizer = atMostEvery(TELL_MS, (found: object) => {
    log.warn(found, 'an authorizer does not work')
  })
  const tellOfUsage = atMostEvery(TELL_MS, (err: unknown) => {
    log.error({ err }, 'API keys and their usage cannot be read or written')
  })
  const checkToken = createJwtAuthorizer({
    keySets: createKeySets({
      load: createKeySource({ networks: deps.networks, dir: deps.keySetsDir }),
      now,
      onLoaded(issuer, err) {
        counts.keysLoaded(err === undefined)
        if (err !== undefined) tellOfKeys({ issuer, err })
      }
    }),
    isOwnKey,
    now,
    onUnavailable(issuer, err) {
      tellOfKeys({ issuer, err })
    }
  })
  const askFunction = createLambdaAuthorizer({
    scope,
    find,
    access,
    metrics,
    traces: deps.traces,
    isOwnKey,
    now,
    onFailure({ api, authorizer, requestId }, reason) {
      tellOfAuthorizer({ api: api.id, authorizer: authorizer?.id, requestId, reason })
    },
    ...(authorizerMs === undefined ? {} : { timeoutMs: authorizerMs })
  })
  const keys = createKeyTable(tellOfUsage)
  const meter = createUsageMeter({ counts: deps.queue.usage, now, onError: tellOfUsage })

  const authorize = (request: GuardedRequest, key: KnownKey | undefined, done: (verdict: Verdict) => void): void => {
    switch (request.route.authorization) {
      case 'JWT':
        checkToken(request).then(done, (err: unknown) => {
          log.error({ err, requestId: request.requestId }, 'a token could not be checked')
          done(FAILED)
        })
        return
      case 'CUSTOM':
        askFunction(request, key?.id, done)
        return
      default:
        done({ isAllowed: true, authorizer: undefined })
    }
  }

  const judgeKey = (request: GuardedRequest, key: KnownKey | undefined): Verdict | undefined => {
    const { api, stage } = request
    const plan = key?.plans.find(({ stages }) => stages.some((one) => one.apiId === api.id && one.stage === stage.name))
    if (key === undefined || plan === undefined || !key.isEnabled) return FORBIDDEN
    const result = meter.take(plan, key.id)
    return result === 'taken' ? undefined : result === 'too-fast' ? TOO_MANY : OVER_QUOTA
  }

  const admit = (request: GuardedRequest, key: KnownKey | undefined, verdict: Verdict, done: (v: Verdict) => void) => {
    if (!verdict.isAllowed) {
      done(verdict)
      return
    }
    const refusal = judgeKey(request, key)
    const admitted = refusal ?? { ...verdict, apiKeyId: key?.id }
    counts.decided('key', admitted)
    done(admitted)
  }

  const check = (request: GuardedRequest, done: (verdict: Verdict) => void): void => {
    const { authorization, apiKeyRequired } = request.route
    const told = (verdict: Verdict): void => {
      if (authorization === 'JWT') counts.decided('jwt', verdict)
      else if (authorization === 'CUSTOM') counts.decided('lambda', verdict)
    }
    if (!apiKeyRequired) {
      authorize(request, undefined, (verdict) => {
        told(verdict)
        done(verdict)
      })
      return
    }
    const value = headerOf(request, 'x-api-key')
    const key = value === undefined ? undefined : keys.findKey(value)
    authorize(request, key, (verdict) => {
      told(verdict)
      if (meter.isReady || !verdict.isAllowed) admit(request, key, verdict, done)
      else {
        meter.ready().then(
          () => {
            admit(request, key, verdict, done)
          },
          () => {
            done(FAILED)
          }
        )
      }
    })
  }

  return {
    routes: usageRoutes({ keys, meter, scope, now }),
    attach(reader) {
      keys.attach(reader)
      meter.ready().catch(() => undefined)
    },
    check(request, done) {
      try {
        check(request, done)
      } catch (err) {
        log.error({ err, requestId: request.requestId }, 'a request could not be decided about')
        done(FAILED)
      }
    },
    close: () => meter.close()
  }
}
