import { type ArnScope, type ContextKeys, contextKeys, functionArn, HearthError, LIMITS } from '@hearth/shared'
import { acceptEvent, acceptedAnswer, prefersAsync } from './async/accept.ts'
import type { Call, Door } from './call.ts'
import type { Hallway } from './hallway.ts'
import { HttpStream } from './http-stream.ts'
import { enterFunction, findFunction, qualifierOf, refusalOf, requireInvoke } from './invoke.ts'
import { peerAddress } from './peer-address.ts'
import { payloadTooLarge } from './refusal.ts'
import { responseMode } from './response-mode.ts'
import { serverTiming } from './server-timing.ts'
import { toUrlEvent } from './url-event.ts'
import { toUrlResponse } from './url-response.ts'
import { errorTypeHeader } from './v1-door.ts'

/** How a function is reached as a URL. */
export interface UrlDoorKind {
  readonly dialect: Door['dialect']
  /** As the metrics name it. */
  readonly route: string
  /** What stands in the path before the function's own, `''` or with a name to skip: `/fn/`. */
  readonly pathPrefix: string
}

/** `ANY /fn/{name}` and below: for callers with a key. What follows the name is the path that the function sees. */
export const FN: UrlDoorKind = { dialect: 'problem', route: '/fn/:name', pathPrefix: '/fn/' }
/** A function URL by its path, `/url/{id}/…`. */
export const URL_BY_PATH: UrlDoorKind = { dialect: 'url', route: '/url/:id', pathPrefix: '/url/' }
/** A function URL by its host: the whole path is the function's. */
export const URL_BY_HOST: UrlDoorKind = { dialect: 'url', route: 'function-url', pathPrefix: '' }

/**
 * A page of a function that is served beside the API must not act as the API's own origin: the browser gives it one
 * of its own.
 */
export const OPAQUE_ORIGIN: readonly string[] = [
  'content-security-policy',
  'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts'
]

/**
 * A function as a URL: HTTP in, an event of payload format 2.0, and HTTP out of what the function returns.
 *
 * A failed function answers 502 with the text `Internal Server Error`, as on AWS: its error may hold what its clients
 * should not see. The error's type goes into a header, for whoever stands there with curl; not on public URLs.
 */
export function createUrlDoor(
  hallway: Hallway,
  scope: ArnScope,
  nowMs: () => number,
  { dialect, route, pathPrefix }: UrlDoorKind = FN
): Door {
  const beside = pathPrefix === URL_BY_PATH.pathPrefix ? OPAQUE_ORIGIN : []
  return {
    dialect,
    route: hallway.metrics.route(route),
    jsonOnly: false,
    takesKeys: pathPrefix === FN.pathPrefix,
    trigger: 'http',

    mayEnter(call) {
      requireInvoke(call, hallway.directory, scope, call.reference, undefined)
    },

    enter(call, body) {
      const { entry, invokedArn } = findEntry(hallway, scope, call)
      call.traceId = hallway.traces.ofVisitor(call.requestId, call.req.headers)
      const event = Buffer.from(eventOf(hallway, call, entry.record.name, pathPrefix, body, nowMs()))
      // A public URL's clients are not asked to poll: as on AWS, the header means nothing there.
      if (pathPrefix === FN.pathPrefix && prefersAsync(call.req.headers['prefer'])) {
        acceptEvent(hallway.dispatcher, call, entry, qualifierOf(invokedArn), event, acceptedAnswer(call))
        return
      }
      if (event.length > LIMITS.syncPayloadBytes) throw payloadTooLarge(event.length, LIMITS.syncPayloadBytes)
      if (responseMode(entry.record, call.url?.url) === 'RESPONSE_STREAM') call.stream = new HttpStream(call, beside)
      call.run(entry, event, invokedArn)
    },

    answer(call, outcome) {
      const { status } = outcome
      if (status === 'throttled' || status === 'unavailable') {
        call.refuse(refusalOf(outcome))
        return
      }
      const stream = call.stream instanceof HttpStream ? call.stream : undefined
      if (outcome.streamed !== undefined && stream?.isInvalid === false) {
        stream.end(status !== 'ok')
        return
      }
      const own = [
        'x-amzn-requestid',
        call.requestId,
        'x-amzn-trace-id',
        call.traceId,
        'server-timing',
        serverTiming(outcome.phases),
        ...beside
      ]
      const cors = call.url?.cors
      const response =
        status !== 'ok' || outcome.streamed !== undefined
          ? undefined
          : stream === undefined
            ? toUrlResponse(outcome.payload)
            : // What was not streamed is the body as it is: a streaming URL does not look into it.
              { status: 200, headers: ['content-type', 'application/json'], body: outcome.payload }
      if (response !== undefined) {
        const headers = cors === undefined ? response.headers : cors.apply(call.req, response.headers)
        call.respond(response.status, [...headers, ...own], response.body)
        return
      }
      own.push('content-type', 'text/plain')
      if (call.url?.url.authType !== 'NONE') {
        const errorType = status === 'ok' ? 'Hearth.InvalidResponse' : outcome.errorType
        own.push('x-hearth-function-error', errorTypeHeader(errorType))
      }
      call.respond(502, cors === undefined ? own : cors.apply(call.req, own), 'Internal Server Error')
    }
  }
}

const NONE_KEYS = urlKeys('NONE')
const IAM_KEYS = urlKeys('AWS_IAM')

function urlKeys(authType: string): ContextKeys {
  return contextKeys({ 'lambda:FunctionUrlAuthType': authType, 'lambda:InvokedViaFunctionUrl': 'true' })
}

/**
 * AWS asks new URLs for the right to InvokeFunction too; deploy tools that are in use give the first alone. A deny of the
 * second counts here as well.
 *
 * @see reference: IAM §2.4
 */
function findEntry(hallway: Hallway, scope: ArnScope, call: Call): ReturnType<typeof findFunction> {
  if (call.url === undefined) return enterFunction(call, hallway.directory, scope, call.reference, undefined)
  const { functionName, qualifier, authType } = call.url.url
  const arn = functionArn(scope, functionName, qualifier)
  const policy = hallway.directory.find(functionName, qualifier)?.policy
  const keys = authType === 'NONE' ? NONE_KEYS : IAM_KEYS
  call.requireAccess('lambda:InvokeFunctionUrl', arn, policy, keys)
  call.refuseDenied('lambda:InvokeFunction', arn, policy, keys)
  try {
    return findFunction(hallway.directory, scope, functionName, qualifier)
  } catch (err) {
    // An alias that was deleted leaves its URL behind; a stranger is not told what is missing.
    if (err instanceof HearthError && err.code === 'FUNCTION_NOT_FOUND') throw new HearthError('ACCESS_DENIED', '')
    throw err
  }
}

function eventOf(
  hallway: Hallway,
  call: Call,
  functionName: string,
  pathPrefix: string,
  body: Buffer,
  at: number
): string {
  const { req, url: target } = call
  const url = req.url!
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const afterName = pathPrefix === '' ? 0 : path.indexOf('/', pathPrefix.length)
  const host = req.headers.host ?? ''
  return toUrlEvent({
    method: req.method!,
    rawPath: afterName === -1 ? '/' : path.slice(afterName),
    rawQuery: mark === -1 ? '' : url.slice(mark + 1),
    httpVersion: req.httpVersion,
    rawHeaders: req.rawHeaders,
    body,
    sourceIp: peerAddress(req) ?? '',
    port: req.socket.localPort ?? 0,
    requestId: call.requestId,
    traceId: call.traceId,
    w3c: hallway.traces.w3c(call.traceId, req.headers),
    apiId: target?.url.id ?? functionName,
    domainName: target?.domainName ?? host.replace(/:\d+$/, ''),
    domainPrefix: target?.domainPrefix ?? functionName,
    authorization: target?.url.authType === 'NONE' && !isOwnKey(hallway, req.headers.authorization),
    principal: call.principal,
    at
  })
}

/** A key of this server is none of the function's business, even if somebody sends it to a public URL. */
export function isOwnKey(
  { authenticator }: Pick<Hallway, 'authenticator'>,
  authorization: string | undefined
): boolean {
  if (authorization === undefined) return false
  if (/^aws4-/i.test(authorization)) return true
  if (!/^bearer /i.test(authorization)) return false
  try {
    authenticator.authenticateHead({ method: '', rawUrl: '/', headers: { authorization } })
    return true
  } catch {
    return false
  }
}
