import type { Outcome } from '@hearth/executor'
import { type ArnScope, HearthError, LIMITS } from '@hearth/shared'
import { acceptEvent } from './async/accept.ts'
import type { Call, Door } from './call.ts'
import { EventStream } from './event-stream.ts'
import type { Hallway } from './hallway.ts'
import { enterFunction, qualifierOf, queryMember, refusalOf, requireInvoke } from './invoke.ts'
import { serverTiming } from './server-timing.ts'

const EMPTY = Buffer.alloc(0)
const PATH = '/2015-03-31/functions/'

/**
 * `POST /2015-03-31/functions/{FunctionName}/invocations`: Lambda's Invoke, as clients see it.
 *
 * @see reference: Lambda control API §16
 */
export function createAwsDoor(hallway: Hallway, scope: ArnScope): Door {
  return {
    dialect: 'aws',
    route: hallway.metrics.route(`${PATH}:FunctionName/invocations`),
    jsonOnly: true,
    takesKeys: true,
    trigger: 'other',

    mayEnter(call) {
      requireInvoke(call, hallway.directory, scope, call.reference, queryMember(call.req.url!, 'Qualifier'))
    },

    enter(call, body) {
      enter(hallway, scope, call, body)
    },

    answer(call, outcome: Outcome) {
      if (outcome.status === 'throttled' || outcome.status === 'unavailable') {
        call.refuse(refusalOf(outcome))
        return
      }
      const headers = [
        'content-type',
        'application/json',
        'x-amzn-requestid',
        call.requestId,
        'x-amzn-remapped-content-length',
        '0',
        'x-amz-executed-version',
        call.version,
        'x-amzn-trace-id',
        call.traceId,
        'server-timing',
        serverTiming(outcome.phases)
      ]
      // Lambda tells a failed function by this header alone; the status stays 200.
      if (outcome.status !== 'ok') headers.push('x-amz-function-error', 'Unhandled')
      if (outcome.tail !== undefined) headers.push('x-amz-log-result', outcome.tail.toString('base64'))
      call.respond(200, headers, outcome.payload)
    }
  }
}

/**
 * `POST /2021-11-15/functions/{FunctionName}/response-streaming-invocations`: InvokeWithResponseStream. A function that
 * fails says so in the last message of the stream, InvokeComplete.
 *
 * @see reference: Lambda control API §16
 */
export function createAwsStreamDoor(hallway: Hallway, scope: ArnScope): Door {
  return {
    dialect: 'aws',
    route: hallway.metrics.route('/2021-11-15/functions/:FunctionName/response-streaming-invocations'),
    jsonOnly: true,
    takesKeys: true,
    trigger: 'other',

    mayEnter(call) {
      requireInvoke(call, hallway.directory, scope, call.reference, queryMember(call.req.url!, 'Qualifier'))
    },

    enter(call, body) {
      if (call.req.headers['x-amz-invocation-type'] === 'Event') {
        throw notInEnum('Event', 'invocationType', 'RequestResponse, DryRun')
      }
      call.stream = new EventStream(call)
      enter(hallway, scope, call, body)
    },

    answer(call, outcome) {
      if (outcome.status === 'throttled' || outcome.status === 'unavailable') call.refuse(refusalOf(outcome))
      else if (call.stream instanceof EventStream) call.stream.end(outcome)
    }
  }
}

function enter(hallway: Hallway, scope: ArnScope, call: Call, body: Buffer): void {
  const { headers } = call.req
  const type = headers['x-amz-invocation-type']
  const qualifier = queryMember(call.req.url!, 'Qualifier')
  const { entry, invokedArn } = enterFunction(call, hallway.directory, scope, call.reference, qualifier)
  if (type !== undefined && type !== 'RequestResponse' && type !== 'Event' && refuseOrDryRun(call, type)) return
  if (headers['x-amz-log-type'] !== undefined) call.tail = wantsTail(headers['x-amz-log-type'])
  const context = headers['x-amz-client-context']
  if (context !== undefined) call.clientContext = readClientContext(context)
  call.traceId = hallway.traces.ofCaller(call.requestId, headers)
  if (type === 'Event') {
    acceptEvent(hallway.dispatcher, call, entry, qualifierOf(invokedArn), body, {
      status: 202,
      headers: ['x-amzn-requestid', call.requestId, 'x-amzn-trace-id', call.traceId],
      body: EMPTY
    })
    return
  }
  call.run(entry, body, invokedArn)
}

/** @returns whether the call is answered */
function refuseOrDryRun(call: Call, type: string | string[]): boolean {
  if (type === 'DryRun') {
    call.respond(204, ['x-amzn-requestid', call.requestId], '')
    return true
  }
  throw notInEnum(String(type), 'invocationType', 'Event, RequestResponse, DryRun')
}

function wantsTail(logType: string | string[]): boolean {
  if (logType === 'Tail') return true
  if (logType === 'None') return false
  throw notInEnum(String(logType), 'logType', 'None, Tail')
}

/** @returns JSON text */
function readClientContext(header: string | string[]): string {
  const base64 = String(header)
  if (base64.length > LIMITS.clientContextChars) {
    throw new HearthError(
      'VALIDATION_FAILED',
      `1 validation error detected: Value '${base64}' at 'clientContext' failed to satisfy constraint: Member must have length less than or equal to ${LIMITS.clientContextChars}`
    )
  }
  const text = Buffer.from(base64, 'base64').toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Told below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HearthError('INVALID_PAYLOAD', 'Client context must be a valid Base64-encoded JSON object.')
  }
  return text
}

function notInEnum(value: string, path: string, values: string): HearthError {
  return new HearthError(
    'VALIDATION_FAILED',
    `1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: Member must satisfy enum value set: [${values}]`
  )
}
