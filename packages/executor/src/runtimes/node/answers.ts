import { MAX_RESPONSE_BYTES } from '../../protocol.ts'
import type { Answer } from './invocation.ts'
import { byteLength } from './primordials.ts'
import type { Outbox } from './wire.ts'

const TOO_LARGE_TYPE = 'Function.ResponseSizeTooLarge'
const TOO_LARGE = `{"errorMessage":"Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).","errorType":"${TOO_LARGE_TYPE}"}`

/** Puts an answer into the outbox; one that is larger than Lambda allows becomes the error that says so. */
export function putAnswer(outbox: Outbox, seq: number, micros: number, answer: Answer): void {
  const { errorType, body } = answer
  if (body.length * 3 > MAX_RESPONSE_BYTES && byteLength(body) > MAX_RESPONSE_BYTES) {
    outbox.error(seq, micros, TOO_LARGE_TYPE, TOO_LARGE)
  } else if (errorType === '') {
    outbox.result(seq, micros, body)
  } else {
    outbox.error(seq, micros, errorType, body)
  }
}
