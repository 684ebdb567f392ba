import type { ArnScope } from '@hearth/shared'
import { acceptEvent, acceptedAnswer, prefersAsync } from './async/accept.ts'
import type { Door } from './call.ts'
import type { Hallway } from './hallway.ts'
import { enterFunction, qualifierOf, queryMember, refusalOf, requireInvoke } from './invoke.ts'
import { RawStream } from './raw-stream.ts'
import { requestedMode } from './response-mode.ts'
import { serverTiming } from './server-timing.ts'

/**
 * `POST /v1/functions/{name}/invocations`: JSON in, JSON out. A function that fails answers 502 (504 when its time
 * ran out) with its own error object as the body, so that whoever types curl sees what is wrong.
 */
export function createV1Door(hallway: Hallway, scope: ArnScope): Door {
  return {
    dialect: 'problem',
    route: hallway.metrics.route('/v1/functions/:name/invocations'),
    jsonOnly: true,
    takesKeys: true,
    trigger: 'other',

    mayEnter(call) {
      requireInvoke(call, hallway.directory, scope, call.reference, queryMember(call.req.url!, 'qualifier'))
    },

    enter(call, body) {
      const { headers } = call.req
      const { entry, invokedArn } = enterFunction(
        call,
        hallway.directory,
        scope,
        call.reference,
        queryMember(call.req.url!, 'qualifier')
      )
      call.traceId = hallway.traces.ofCaller(call.requestId, headers)
      if (prefersAsync(headers['prefer'])) {
        acceptEvent(hallway.dispatcher, call, entry, qualifierOf(invokedArn), body, acceptedAnswer(call))
        return
      }
      if (requestedMode(call.req.url!) === 'RESPONSE_STREAM') call.stream = new RawStream(call)
      call.run(entry, body, invokedArn)
    },

    answer(call, outcome) {
      const { status } = outcome
      if (status === 'throttled' || status === 'unavailable') {
        call.refuse(refusalOf(outcome))
        return
      }
      if (outcome.streamed !== undefined && call.stream instanceof RawStream) {
        call.stream.end(status !== 'ok')
        return
      }
      const headers = [
        'content-type',
        'application/json',
        'x-amzn-requestid',
        call.requestId,
        'x-amz-executed-version',
        call.version,
        'x-amzn-trace-id',
        call.traceId,
        'server-timing',
        serverTiming(outcome.phases)
      ]
      if (status !== 'ok') headers.push('x-hearth-function-error', errorTypeHeader(outcome.errorType))
      call.respond(status === 'ok' ? 200 : functionErrorStatus(status), headers, outcome.payload)
    }
  }
}

/** Status outside of AWS's dialect for a function that did not do its work. */
function functionErrorStatus(status: string): 502 | 504 {
  return status === 'timeout' ? 504 : 502
}

/** An error's type is the function's own text: what does not fit into a header is replaced. */
export function errorTypeHeader(errorType: string): string {
  return errorType === '' ? 'Error' : errorType.slice(0, 256).replace(/[^\x21-\x7e]/g, '?')
}
