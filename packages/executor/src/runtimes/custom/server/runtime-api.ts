import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_RESPONSE_BYTES, MAX_STREAM_BYTES } from '../../../protocol.ts'
import type { Event } from './event.ts'
import { accepted, header, readBody, refuse } from './http.ts'
import { ResponseStream } from './response-stream.ts'

/** As the real platform's errors name them. */
type State = 'Started' | 'InitError' | 'Ready' | 'Running' | 'ResponseSent'

/** What the runtime did, for whoever drives it. */
export interface RuntimeApiListener {
  /** It asks for an event: its init is over, or its work on the last one. */
  onNext(): void
  onResult(event: Event, payload: Buffer): void
  onError(event: Event, errorType: string, payload: Buffer): void
  onStreamStart(event: Event, contentType: string): void
  onStreamData(event: Event, bytes: Buffer): void
  /** @param errorType - '' is success */
  onStreamEnd(event: Event, errorType: string, payload: Buffer): void
  onInitError(errorType: string, payload: Buffer): void
}

const PREFIX = '/2018-06-01/'
const INVOCATION = /^runtime\/invocation\/([^/]+)\/(response|error)$/
/** Other types than these are the function's own affair and not counted by name. */
const KNOWN_TYPE = /^(Runtime|Function)\.[A-Z][a-zA-Z]+$/
const NOTHING = Buffer.alloc(0)
const INIT_ERROR_BYTES = MAX_RESPONSE_BYTES

/** How long the rest of a request may take whose sender has ended. */
const LAST_WORDS_MS = 500

/** The Runtime API, version 2018-06-01: one runtime, one event at a time. */
export class RuntimeApi {
  readonly #listener: RuntimeApiListener
  #state: State = 'Started'
  #waiting: ServerResponse | undefined
  #event: Event | undefined
  #stream: { readonly seq: number; readonly body: ResponseStream } | undefined
  /** Requests that have not been read to their ends. */
  #open = 0
  #onRead: (() => void) | undefined

  constructor(listener: RuntimeApiListener) {
    this.#listener = listener
  }

  /** Whether it waits for an event. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** The event that it is at. */
  get event(): Event | undefined {
    return this.#event
  }

  /** Whether this request is one of this API's; it is then answered. */
  handle(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    if (!path.startsWith(PREFIX)) return false
    this.#open++
    req.once('close', () => {
      this.#open--
      if (this.#open === 0) this.#onRead?.()
    })
    const call = `${req.method ?? ''} ${path.slice(PREFIX.length)}`
    if (call === 'GET ping') {
      res.writeHead(200, { 'content-type': 'text/plain', 'content-length': 4 })
      res.end('pong')
    } else if (call === 'GET runtime/invocation/next') this.#next(res)
    else if (call === 'POST runtime/init/error') this.#initError(req, res)
    else {
      const [, id = '', kind] = INVOCATION.exec(path.slice(PREFIX.length)) ?? []
      if (kind === undefined || req.method !== 'POST') return false
      if (kind === 'response') this.#response(req, res, id)
      else this.#error(req, res, id)
    }
    return true
  }

  /**
   * Calls `then` once, when all that the runtime has sent is read: its end may be heard of first. A response that the
   * gateway has no room for is not waited for.
   */
  afterRequests(then: () => void): void {
    // What the kernel has of it comes with the next look at the sockets, new connections with the one after.
    setImmediate(() =>
      setImmediate(() => {
        const timer = setTimeout(done, LAST_WORDS_MS)
        this.#onRead = done
        if (this.#open === 0) done()
        function done(): void {
          clearTimeout(timer)
          then()
          then = () => undefined
        }
      })
    )
  }

  /** Gives the runtime its next event. Only when {@link isWaiting}. */
  deliver(event: Event): void {
    const res = this.#waiting
    this.#waiting = undefined
    this.#event = event
    this.#state = 'Running'
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': event.payload.length,
      'lambda-runtime-aws-request-id': event.requestId,
      'lambda-runtime-deadline-ms': String(Math.floor(event.deadlineMs)),
      'lambda-runtime-invoked-function-arn': event.invokedArn
    }
    if (event.traceId !== '') headers['lambda-runtime-trace-id'] = event.traceId
    if (event.clientContext !== '') headers['lambda-runtime-client-context'] = latin1(event.clientContext)
    res?.writeHead(200, headers)
    res?.end(event.payload)
  }

  /** The gateway has taken as much of an event's streamed response. */
  credit(seq: number, cost: number): void {
    if (this.#stream?.seq === seq) this.#stream.body.credit(cost)
  }

  /** What is still streamed goes nowhere. */
  stopStream(): void {
    this.#stream?.body.stop()
    this.#stream = undefined
  }

  #next(res: ServerResponse): void {
    if (this.#state === 'Running' || this.#state === 'InitError') {
      this.#wrongState(res, 'Ready')
      return
    }
    this.#state = 'Ready'
    // Who asks again has given the first question up.
    this.#waiting?.destroy()
    this.#waiting = res
    res.once('close', () => {
      if (this.#waiting === res) this.#waiting = undefined
    })
    this.#listener.onNext()
  }

  #response(req: IncomingMessage, res: ServerResponse, id: string): void {
    const event = this.#claim(req, res, id, 'InvocationResponse')
    if (event === undefined) return
    const mode = header(req, 'lambda-runtime-function-response-mode')
    if (mode !== '' && mode !== 'streaming') {
      req.resume()
      const message = 'Invalid function response mode'
      refuse(res, 400, 'InvalidFunctionResponseMode', message)
      this.#fail(event, 'Runtime.InvalidResponseModeHeader', message)
      return
    }
    if (mode === 'streaming' && event.streamed) {
      this.#passOn(req, res, event)
      return
    }
    readBody(req, MAX_RESPONSE_BYTES, (body) => {
      if (body.kind === 'truncated') {
        this.#fail(event, 'Runtime.TruncatedResponse', 'Response truncated')
        return
      }
      if (body.kind === 'too-large') {
        const message = `Exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`
        refuse(res, 413, 'RequestEntityTooLarge', message)
        this.#fail(
          event,
          'Function.ResponseSizeTooLarge',
          `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`
        )
        return
      }
      accepted(res)
      const failure = mode === 'streaming' ? trailerError(req) : undefined
      this.#settle()
      if (failure === undefined) this.#listener.onResult(event, body.bytes)
      else this.#listener.onError(event, failure.errorType, failure.payload)
    })
  }

  #passOn(req: IncomingMessage, res: ServerResponse, event: Event): void {
    this.#listener.onStreamStart(event, header(req, 'content-type'))
    const end = (errorType: string, payload: Buffer): void => {
      this.#stream = undefined
      this.#settle()
      this.#listener.onStreamEnd(event, errorType, payload)
    }
    const body = new ResponseStream(req, {
      onData: (bytes) => {
        this.#listener.onStreamData(event, bytes)
      },
      onEnd: () => {
        accepted(res)
        const failure = trailerError(req)
        end(failure?.errorType ?? '', failure?.payload ?? NOTHING)
      },
      onTooLarge: () => {
        const limit = `maximum allowed payload size (${MAX_STREAM_BYTES} bytes).`
        refuse(res, 413, 'RequestEntityTooLarge', `Exceeded ${limit}`)
        const errorType = 'Function.ResponseSizeTooLarge'
        end(errorType, errorJson(errorType, `Response payload size exceeded ${limit}`))
      },
      onTruncated: () => {
        const errorType = 'Runtime.TruncatedResponse'
        end(errorType, errorJson(errorType, 'Response truncated'))
      }
    })
    this.#stream = { seq: event.seq, body }
  }

  #error(req: IncomingMessage, res: ServerResponse, id: string): void {
    const event = this.#claim(req, res, id, 'InvocationErrorResponse')
    if (event === undefined) return
    const errorType = errorTypeOf(req)
    readBody(req, MAX_RESPONSE_BYTES, (body) => {
      if (body.kind === 'truncated') {
        this.#fail(event, 'Runtime.TruncatedResponse', 'Response truncated')
        return
      }
      accepted(res)
      this.#settle()
      const payload = body.kind === 'whole' ? body.bytes : errorJson(errorType, 'The error is too large to be shown.')
      this.#listener.onError(event, errorType, payload)
    })
  }

  #initError(req: IncomingMessage, res: ServerResponse): void {
    if (this.#state !== 'Started') {
      req.resume()
      this.#wrongState(res, 'InitError')
      return
    }
    this.#state = 'InitError'
    const errorType = errorTypeOf(req)
    readBody(req, INIT_ERROR_BYTES, (body) => {
      accepted(res)
      this.#listener.onInitError(errorType, body.kind === 'whole' ? body.bytes : errorJson(errorType, ''))
    })
  }

  /** The event that `id` names, if an answer to it is due now; the request is refused otherwise. */
  #claim(req: IncomingMessage, res: ServerResponse, id: string, to: string): Event | undefined {
    const event = this.#event
    if (event === undefined || event.requestId !== id) {
      req.resume()
      if (this.#state === 'Started' || this.#state === 'InitError') this.#wrongState(res, to)
      else refuse(res, 400, 'InvalidRequestID', 'Invalid request ID')
      return undefined
    }
    // From here on the id is used up, whatever becomes of this answer.
    this.#event = undefined
    return event
  }

  #fail(event: Event, errorType: string, message: string): void {
    this.#settle()
    this.#listener.onError(event, errorType, errorJson(errorType, message))
  }

  #settle(): void {
    this.#state = 'ResponseSent'
  }

  #wrongState(res: ServerResponse, to: string): void {
    const message = `State transition from ${this.#state} to ${to} failed for runtime. Error: State transition is not allowed`
    refuse(res, 403, 'InvalidStateTransition', message)
  }
}

export function errorJson(errorType: string, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorMessage, errorType }))
}

function errorTypeOf(req: IncomingMessage): string {
  const given = header(req, 'lambda-runtime-function-error-type')
  if (given === '') return 'Unhandled'
  if (KNOWN_TYPE.test(given)) return given
  return given.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown'
}

/** A stream that failed half-way says so in its trailers. */
function trailerError(req: IncomingMessage): { errorType: string; payload: Buffer } | undefined {
  const errorType = req.trailers['lambda-runtime-function-error-type']
  if (errorType === undefined) return undefined
  const body = Buffer.from(req.trailers['lambda-runtime-function-error-body'] ?? '', 'base64')
  return { errorType, payload: body.length === 0 ? errorJson(errorType, '') : body }
}

/** Headers are bytes: UTF-8 goes through as it is. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}
