import { createHash, randomUUID } from 'node:crypto'
import type { Outcome } from '@hearth/executor'
import {
  type ApiAuthorizer,
  type ArnScope,
  type Authorizer,
  contextKeys,
  executeApiArn,
  HearthError,
  type PolicyRequest,
  parseFunctionRef
} from '@hearth/shared'
import type { Entry } from '../../function-routes.ts'
import type { Metrics } from '../../metrics.ts'
import { runFunction } from '../../run-function.ts'
import { sourceKeys } from '../../service-access.ts'
import type { Traces } from '../../tracing/traces.ts'
import type { GuardedRequest, Verdict } from '../guard.ts'
import { createAnswerCache } from './answer-cache.ts'
import { FAILED, FORBIDDEN, UNAUTHORIZED } from './answers.ts'
import { type AuthorizerAnswer, readAnswer } from './authorizer-answer.ts'
import { toAuthorizerEvent } from './authorizer-event.ts'
import { identityOf } from './request-values.ts'

export interface LambdaAuthorizerOptions {
  readonly scope: ArnScope
  /** @param qualifier - Or '' @returns undefined when there is no such function, version or alias */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  readonly access: () => Pick<Authorizer, 'mayService'>
  readonly metrics: Pick<Metrics, 'functions' | 'settled'>
  readonly traces: Traces
  readonly isOwnKey: (authorization: string) => boolean
  /** Unix time in ms. */
  readonly now: () => number
  /** An authorizer does not do its part. */
  readonly onFailure: (request: GuardedRequest, reason: string) => void
  /** Default: what AWS gives one. */
  readonly timeoutMs?: number
}

/** What one call of an authorizer's function came to. */
type Asked = AuthorizerAnswer | 'unauthorized' | 'failed'

const TIMEOUT_MS = 10_000
const CACHE_BYTES = 16 * 1_048_576
const SERVICE = 'apigateway.amazonaws.com'
/** What an authorizer's function throws to say that it knows nobody. */
const NOBODY = 'Unauthorized'

/** Lets in whom a function lets in; its answers are remembered as long as the authorizer says. */
export function createLambdaAuthorizer(options: LambdaAuthorizerOptions) {
  const { scope, find, access, metrics, traces, isOwnKey, now, onFailure, timeoutMs = TIMEOUT_MS } = options
  const remembered = createAnswerCache<AuthorizerAnswer>(CACHE_BYTES, now)
  /** Calls under way, by what they are remembered by. */
  const underWay = new Map<string, ((asked: Asked) => void)[]>()
  const fingerprints = new WeakMap<ApiAuthorizer, string>()

  /** Another definition is another authorizer. */
  const fingerprintOf = (authorizer: ApiAuthorizer): string => {
    const known = fingerprints.get(authorizer)
    if (known !== undefined) return known
    const made = JSON.stringify(authorizer)
    fingerprints.set(authorizer, made)
    return made
  }

  const check = (request: GuardedRequest, apiKeyId: string | undefined, done: (verdict: Verdict) => void): void => {
    const { authorizer, api, stage, req } = request
    if (authorizer === undefined) {
      done(FAILED)
      return
    }
    const { authorization } = req.headers
    const withheld = new Set<string>()
    if (authorization !== undefined && isOwnKey(authorization)) withheld.add('authorization')
    if (request.route.apiKeyRequired) withheld.add('x-api-key')
    const identity: string[] = []
    for (const source of authorizer.identitySources) {
      const value = identityOf(source, request)
      if (value === undefined || isOwnKey(value)) {
        done(UNAUTHORIZED)
        return
      }
      identity.push(value)
    }
    const routeArn = routeArnOf(scope, request)
    const conclude = (asked: Asked): void => {
      if (asked === 'failed') done(FAILED)
      else if (asked === 'unauthorized') done(UNAUTHORIZED)
      else if (!asked.allows(policyRequest(request, routeArn, scope))) done(FORBIDDEN)
      else {
        const { principalId, context } = asked
        done({ isAllowed: true, authorizer: { kind: 'lambda', principalId, context } })
      }
    }
    const ask = (then: (asked: Asked, bytes: number) => void): void => {
      invoke(request, { routeArn, identity, apiKeyId, withheld }, then)
    }
    const isRemembered = authorizer.ttlSeconds > 0 && identity.length > 0 && api.protocol === 'HTTP'
    if (!isRemembered) {
      ask(conclude)
      return
    }
    // Not what was sent: that is a secret, as often as not.
    const key = createHash('sha256')
      .update(JSON.stringify([api.id, stage.name, fingerprintOf(authorizer), identity]))
      .digest('base64')
    const known = remembered.find(key)
    if (known !== undefined) {
      conclude(known)
      return
    }
    const waiting = underWay.get(key)
    if (waiting !== undefined) {
      waiting.push(conclude)
      return
    }
    const all = [conclude]
    underWay.set(key, all)
    ask((asked, bytes) => {
      underWay.delete(key)
      if (typeof asked === 'object') remembered.put(key, asked, bytes, authorizer.ttlSeconds * 1_000)
      for (const one of all) one(asked)
    })
  }

  type EventParts = Omit<Parameters<typeof toAuthorizerEvent>[0], 'request' | 'scope' | 'at'>

  function invoke(request: GuardedRequest, parts: EventParts, then: (asked: Asked, bytes: number) => void): void {
    const fail = (reason: string): void => {
      onFailure(request, reason)
      then('failed', 0)
    }
    const authorizer = request.authorizer!
    const entry = findEntry(request, authorizer)
    if (typeof entry === 'string') {
      fail(entry)
      return
    }
    const requestId = randomUUID()
    const traceId = entry.lineage.enter(traces.ofChild(request.traceId, requestId))
    if (traceId === undefined) {
      fail('its function calls itself again and again')
      return
    }
    const event = toAuthorizerEvent({ request, scope, at: now(), ...parts })
    const span = { ...traces.originUnder(request.traceId), trigger: 'http' } as const
    const call = { requestId, traceId, payload: Buffer.from(event), span }
    runFunction(entry, call, timeoutMs, { metrics, traces }, (outcome) => {
      if (outcome === undefined) fail(`its function did not answer within ${timeoutMs / 1_000} s`)
      else if (outcome.status === 'error' && isNobody(outcome)) then('unauthorized', 0)
      else if (outcome.status !== 'ok') fail(`its function ended with ${outcome.errorType || outcome.status}`)
      else {
        const answer = readAnswer(outcome.payload, authorizer, request.api.protocol === 'WEBSOCKET')
        // In memory a policy takes several times what it does as text.
        if (answer === undefined) fail('its function answered what is no authorizer’s answer')
        else then(answer, outcome.payload.length * 4)
      }
    })
  }

  /** @returns or why there is none */
  function findEntry(request: GuardedRequest, { id, functionArn, credentialsArn }: ApiAuthorizer): Entry | string {
    try {
      if (functionArn === undefined) return 'it has no function'
      const { name, qualifier } = parseFunctionRef(scope, functionArn)
      const entry = find(name, qualifier ?? '')
      const wish = {
        action: 'lambda:InvokeFunction',
        resource: functionArn,
        resourcePolicy: entry?.policy,
        keys: sourceKeys(
          scope,
          `arn:aws:execute-api:${scope.region}:${scope.accountId}:${request.api.id}/authorizers/${id}`
        )
      }
      const facts = {
        requestId: request.requestId,
        sourceIp: request.sourceIp,
        userAgent: request.req.headers['user-agent'],
        secure: false
      }
      if (!access().mayService(SERVICE, credentialsArn, wish, facts)) return 'it may not invoke its function'
      if (entry === undefined) return 'there is no such function'
      return entry.record.state === 'Failed' ? 'its function is in the state Failed' : entry
    } catch (err) {
      // Such as a stored policy that is none.
      return err instanceof HearthError ? err.message : String(err)
    }
  }

  return check
}

/** As it is asked for; the path as routes and functions see it, so that no spelling is a way around a Deny. */
function routeArnOf(scope: ArnScope, { api, stage, route, req, path }: GuardedRequest): string {
  const rest = api.protocol === 'WEBSOCKET' ? route.key : `${req.method ?? ''}${path}`
  return executeApiArn(scope, api.id, stage.name, rest)
}

function policyRequest(
  { req, sourceIp }: GuardedRequest,
  resource: string,
  { accountId, region }: ArnScope
): PolicyRequest {
  return {
    // Nobody of this account: what the function says is all that is known.
    caller: { type: 'user', arn: '', accountId },
    action: 'execute-api:Invoke',
    resource,
    resourceAccount: accountId,
    keys: contextKeys({
      'aws:SourceIp': sourceIp,
      'aws:UserAgent': req.headers['user-agent'] ?? [],
      'aws:SecureTransport': 'false',
      'aws:RequestedRegion': region
    })
  }
}

function isNobody({ payload }: Outcome): boolean {
  try {
    return (JSON.parse(payload.toString()) as { readonly errorMessage?: unknown }).errorMessage === NOBODY
  } catch {
    return false
  }
}
