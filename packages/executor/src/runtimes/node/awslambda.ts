import { wantsAwslambda } from './environment.ts'
import { stringify } from './primordials.ts'
import type { ResponseStream } from './response-stream.ts'

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')
const HTTP_TYPE = 'application/vnd.awslambda.http-integration-response'
/** Zero bytes between the description of an HTTP response and its body. */
const DELIMITER_BYTES = 8

/** Marks a handler as one that writes its answer to a stream: it is called with `(event, responseStream, context)`. */
function streamifyResponse<T extends object>(handler: T, options?: { readonly highWaterMark?: unknown }): T {
  Object.defineProperty(handler, STREAMING, { value: 'response', configurable: true })
  const highWaterMark = Number(options?.highWaterMark)
  if (Number.isInteger(highWaterMark)) {
    Object.defineProperty(handler, HIGH_WATER_MARK, { value: highWaterMark, configurable: true })
  }
  return handler
}

/** Turns a response stream into one with status, headers and cookies. */
const HttpResponseStream = {
  from(stream: ResponseStream, prelude: unknown): ResponseStream {
    stream.setContentType(HTTP_TYPE)
    const text = stringify(prelude)
    stream._onBeforeFirstWrite = (write) => {
      write(text)
      write(new Uint8Array(DELIMITER_BYTES))
    }
    return stream
  }
}

/** Defines the global `awslambda`, unless the function's environment says not to. */
export function defineAwslambda(): void {
  if (!wantsAwslambda()) return
  const { awslambda } = globalThis as { awslambda?: object }
  Object.assign(globalThis, { awslambda: { ...awslambda, streamifyResponse, HttpResponseStream } })
}

/** How a handler streams, or undefined if it does not. */
export function streamingOf(handler: object): { readonly highWaterMark: number | undefined } | undefined {
  const marked = handler as { [STREAMING]?: unknown; [HIGH_WATER_MARK]?: unknown }
  if (marked[STREAMING] !== 'response') return undefined
  const given = marked[HIGH_WATER_MARK]
  return { highWaterMark: typeof given === 'number' && given >= 0 ? given : undefined }
}
