import { MAX_RESPONSE_BYTES, MAX_STREAM_ERROR_BYTES } from '../../protocol.ts'
import { type Answer, tooLarge } from './invocation.ts'
import { byteLength, stringify } from './primordials.ts'
import type { Outbox } from './wire.ts'

/** Puts an answer into the outbox; one that is larger than Lambda allows becomes the error that says so. */
export function putAnswer(outbox: Outbox, seq: number, micros: number, answer: Answer): void {
  const { errorType, body } = answer
  if (typeof body !== 'string') {
    outbox.resultBytes(seq, micros, body)
  } else if (answer.streamed) {
    outbox.streamEnd(seq, micros, errorType, body.length * 3 > MAX_STREAM_ERROR_BYTES ? shortened(errorType) : body)
  } else if (body.length * 3 > MAX_RESPONSE_BYTES && byteLength(body) > MAX_RESPONSE_BYTES) {
    outbox.error(seq, micros, tooLarge.errorType, tooLarge.body as string)
  } else if (errorType === '') {
    outbox.result(seq, micros, body)
  } else {
    outbox.error(seq, micros, errorType, body)
  }
}

function shortened(errorType: string): string {
  return stringify({ errorType: errorType.slice(0, 256), errorMessage: 'The error is too large to be shown.' })
}
