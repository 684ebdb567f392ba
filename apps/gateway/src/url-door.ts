import { type ArnScope, LIMITS } from '@hearth/shared'
import type { Call, Door, Hallway } from './call.ts'
import { HttpStream } from './http-stream.ts'
import { findFunction, refusalOf } from './invoke.ts'
import { payloadTooLarge } from './refusal.ts'
import { responseMode } from './response-mode.ts'
import { serverTiming } from './server-timing.ts'
import { toUrlEvent } from './url-event.ts'
import { toUrlResponse } from './url-response.ts'
import { errorTypeHeader } from './v1-door.ts'

/**
 * `ANY /fn/{name}` and `/fn/{name}/…`: the function's URL. What follows the name is the path that the function sees.
 *
 * A failed function answers 502 with the text `Internal Server Error`, as on AWS: its error may hold what its clients
 * should not see. The error's type goes into a header, for whoever stands there with curl.
 */
export function createUrlDoor(
  hallway: Hallway,
  scope: ArnScope,
  traceId: (requestId: string, sent: string | string[] | undefined) => string,
  nowMs: () => number
): Door {
  return {
    dialect: 'problem',
    route: hallway.metrics.route('/fn/:name'),
    jsonOnly: false,

    enter(call, body) {
      const { entry, invokedArn } = findFunction(hallway.directory, scope, call.reference, undefined)
      // A client's own trace header is dropped here, as function URLs do.
      call.traceId = traceId(call.requestId, undefined)
      const event = Buffer.from(eventOf(call, entry.record.name, body, nowMs()))
      if (event.length > LIMITS.syncPayloadBytes) throw payloadTooLarge(event.length, LIMITS.syncPayloadBytes)
      if (responseMode(entry.record) === 'RESPONSE_STREAM') call.stream = new HttpStream(call)
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
        serverTiming(outcome.phases)
      ]
      const response =
        status !== 'ok' || outcome.streamed !== undefined
          ? undefined
          : stream === undefined
            ? toUrlResponse(outcome.payload)
            : // What was not streamed is the body as it is: a streaming URL does not look into it.
              { status: 200, headers: ['content-type', 'application/json'], body: outcome.payload }
      if (response !== undefined) {
        call.respond(response.status, [...response.headers, ...own], response.body)
        return
      }
      const errorType = status === 'ok' ? 'Hearth.InvalidResponse' : outcome.errorType
      own.push('content-type', 'text/plain', 'x-hearth-function-error', errorTypeHeader(errorType))
      call.respond(502, own, 'Internal Server Error')
    }
  }
}

function eventOf(call: Call, functionName: string, body: Buffer, at: number): string {
  const { req } = call
  const url = req.url!
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const afterName = path.indexOf('/', '/fn/'.length)
  return toUrlEvent({
    method: req.method!,
    rawPath: afterName === -1 ? '/' : path.slice(afterName),
    rawQuery: mark === -1 ? '' : url.slice(mark + 1),
    httpVersion: req.httpVersion,
    rawHeaders: req.rawHeaders,
    body,
    sourceIp: req.socket.remoteAddress ?? '',
    port: req.socket.localPort ?? 0,
    requestId: call.requestId,
    traceId: call.traceId,
    functionName,
    principal: call.principal!,
    at
  })
}
