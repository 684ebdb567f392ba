import { type InitMessage, MAX_RESPONSE_BYTES, MAX_STREAM_BYTES } from '../../protocol.ts'
import { describeError, RuntimeError, unsettledHandler } from './errors.ts'
import type { Handler } from './handler-loader.ts'
import { clock, isPromise, now, parse, stringify, then } from './primordials.ts'
import { ResponseStream, type StreamPort } from './response-stream.ts'
import type { InvokeEvent } from './wire.ts'

/** What a handler's outcome looks like on the channel: an error type of '' is a result. */
export interface Answer {
  readonly errorType: string
  /** JSON; bytes when a streaming handler's answer was collected. */
  readonly body: string | Uint8Array
  /** It ends a stream. */
  readonly streamed: boolean
}

/** The parts of the context that are the same for every event. */
export type FunctionFacts = Pick<
  InitMessage,
  'functionName' | 'functionVersion' | 'memoryMiB' | 'logGroup' | 'logStream'
>

/** Called once, when the handler's outcome is known. */
export type Settled = (invocation: Invocation, ok: boolean, value: unknown) => void

/** What up to nodejs22.x the context has besides: the ways of answering from before promises. */
interface OldContext {
  callbackWaitsForEmptyEventLoop: unknown
}

/**
 * One event in the hands of the handler. It settles by what comes first: the returned thenable, the callback, the
 * context's old methods, or an event loop with nothing left in it. Later ones have no effect.
 */
export class Invocation {
  readonly seq: number
  readonly requestId: string
  readonly startedAt: number = clock()
  settled = false
  /** What a streaming handler writes to. */
  stream: ResponseStream | undefined
  readonly #handler: Handler
  readonly #onSettled: Settled
  #oldContext: OldContext | undefined
  /** The callback was called, and its result waits for an empty event loop. */
  #called = false
  #held: unknown = null
  /** A streaming handler has returned, and its stream has not ended. */
  #returned = false
  /** More was written than an answer may have. */
  #overflowed = false

  constructor(event: InvokeEvent, handler: Handler, onSettled: Settled) {
    this.seq = event.seq
    this.requestId = event.requestId
    this.#handler = handler
    this.#onSettled = onSettled
  }

  /** Runs the handler; it may settle before this returns. */
  run(event: InvokeEvent, facts: FunctionFacts, port: StreamPort): void {
    if (this.#handler.streaming !== undefined) {
      this.#runStreaming(event, facts, event.streamed ? port : undefined)
      return
    }
    // Taken out of the record, so that the function does not get the record as its `this`.
    const { call, callbacks } = this.#handler
    const succeed = (value: unknown): void => {
      this.#settle(true, value)
    }
    const fail = (reason: unknown): void => {
      this.#settle(false, callbacks ? (reason ?? 'handled') : reason)
    }
    try {
      const payload: unknown = event.payload === '' ? {} : parse(event.payload)
      const result = callbacks
        ? call(payload, this.#contextWithMethods(event, facts, succeed, fail), this.#callback)
        : call(payload, contextOf(event, facts))
      if (isPromise(result)) then(result, succeed, fail)
      else if (isThenable(result)) result.then(succeed, fail)
      else if (!callbacks) succeed(result)
    } catch (error) {
      this.#settle(false, error)
    }
  }

  /** Nothing is left on the event loop that could still wake this handler. */
  loopIsEmpty(): void {
    if (this.#returned) {
      this.#settle(false, new Error('Response stream is not finished.'))
      return
    }
    const held = this.#called
    this.#called = false
    if (held || !this.#handler.isAsync) this.#settle(true, this.#held)
    else this.#settle(false, unsettledHandler())
  }

  /** The answer that its outcome makes. Never throws. @param failed - Called with what is to be logged of a failure */
  answer(ok: boolean, value: unknown, failed: (thrown: unknown) => void): Answer {
    const { stream } = this
    if (stream === undefined) return answerOf(ok, value, failed)
    if (this.#overflowed) return stream.started ? streamTooLarge : tooLarge
    if (!ok) {
      failed(value)
      return this.failing(errorAnswer(value))
    }
    return { errorType: '', body: stream.started ? '' : stream.collected, streamed: stream.started }
  }

  /** The answer that tells of a failure, in the form that is due: the stream may have begun. */
  failing(answer: Answer): Answer {
    return this.stream?.started === true ? { ...answer, streamed: true } : answer
  }

  /** Whole microseconds since the handler was called. */
  micros(): number {
    const value = (clock() - this.startedAt) * 1000
    return value < 0xffffffff ? Math.round(value) : 0xffffffff
  }

  readonly #callback = (error?: unknown, result?: unknown): void => {
    if (this.settled || this.#called) return
    if (error !== undefined && error !== null) {
      this.#settle(false, error)
    } else if (this.#oldContext?.callbackWaitsForEmptyEventLoop) {
      this.#called = true
      this.#held = result
    } else {
      this.#settle(true, result)
    }
  }

  #settle(ok: boolean, value: unknown): void {
    if (this.settled || this.#called) return
    this.settled = true
    this.stream?.detach()
    this.#onSettled(this, ok, value)
  }

  #runStreaming(event: InvokeEvent, facts: FunctionFacts, port: StreamPort | undefined): void {
    const { call, streaming } = this.#handler
    const stream = new ResponseStream(event.seq, port, streaming?.highWaterMark, () => {
      this.#overflowed = true
      this.#settle(false, undefined)
    })
    this.stream = stream
    const returned = (): void => {
      this.#returned = true
      stream.whenFinished(() => {
        this.#settle(true, undefined)
      })
    }
    const fail = (reason: unknown): void => {
      this.#settle(false, reason)
    }
    try {
      const payload: unknown = event.payload === '' ? {} : parse(event.payload)
      const result = call(payload, stream, contextOf(event, facts))
      if (isPromise(result)) then(result, returned, fail)
      else if (isThenable(result)) result.then(returned, fail)
      else fail(new Error('Streaming does not support non-async handlers.'))
    } catch (error) {
      fail(error)
    }
  }

  #contextWithMethods(
    event: InvokeEvent,
    facts: FunctionFacts,
    succeed: (value: unknown) => void,
    fail: (reason: unknown) => void
  ): object {
    const { deadlineMs } = event
    // Spelled out, not put together: this is made for every event.
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      succeed,
      fail,
      done: (error: unknown, value: unknown) => {
        if (error === undefined || error === null) this.#settle(true, value)
        else this.#settle(false, error)
      },
      functionVersion: facts.functionVersion,
      functionName: facts.functionName,
      memoryLimitInMB: String(facts.memoryMiB),
      logGroupName: facts.logGroup,
      logStreamName: facts.logStream,
      clientContext: event.clientContext === '' ? undefined : parseClientContext(event.clientContext),
      identity: undefined,
      invokedFunctionArn: event.invokedArn,
      awsRequestId: event.requestId,
      tenantId: undefined,
      getRemainingTimeInMillis: () => deadlineMs - now()
    }
    this.#oldContext = context
    return context
  }
}

/** The context from nodejs24.x on. */
function contextOf(event: InvokeEvent, facts: FunctionFacts): object {
  const { deadlineMs } = event
  return {
    functionVersion: facts.functionVersion,
    functionName: facts.functionName,
    memoryLimitInMB: String(facts.memoryMiB),
    logGroupName: facts.logGroup,
    logStreamName: facts.logStream,
    clientContext: event.clientContext === '' ? undefined : parseClientContext(event.clientContext),
    identity: undefined,
    invokedFunctionArn: event.invokedArn,
    awsRequestId: event.requestId,
    tenantId: undefined,
    getRemainingTimeInMillis: () => deadlineMs - now()
  }
}

/**
 * Turns an outcome into what the caller gets. Never throws.
 * @param failed - Called with what is to be logged when the answer is an error
 */
function answerOf(ok: boolean, value: unknown, failed: (thrown: unknown) => void): Answer {
  if (!ok) {
    failed(value)
    return errorAnswer(value)
  }
  try {
    // A function or a symbol has no JSON at all.
    return { errorType: '', body: stringify(value === undefined ? null : value) ?? 'null', streamed: false }
  } catch {
    const error = new RuntimeError('JSONStringifyError', 'Unable to stringify response body')
    failed(error)
    return errorAnswer(error)
  }
}

/** The answer that tells of a failure. */
export function errorAnswer(thrown: unknown): Answer {
  const body = describeError(thrown)
  return { errorType: body.errorType, body: stringify(body), streamed: false }
}

const TOO_LARGE_TYPE = 'Function.ResponseSizeTooLarge'

function tooLargeAnswer(bytes: number, streamed: boolean): Answer {
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${bytes} bytes).`
  return { errorType: TOO_LARGE_TYPE, body: stringify({ errorMessage, errorType: TOO_LARGE_TYPE }), streamed }
}

/** Said instead of an answer that is larger than Lambda allows. */
export const tooLarge = tooLargeAnswer(MAX_RESPONSE_BYTES, false)
const streamTooLarge = tooLargeAnswer(MAX_STREAM_BYTES, true)

function parseClientContext(json: string): unknown {
  try {
    return parse(json)
  } catch (error) {
    throw new Error(`Cannot parse ClientContext as json: ${String(error)}`)
  }
}

function isThenable(
  value: unknown
): value is { then(ok: (value: unknown) => void, failed: (reason: unknown) => void): unknown } {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
