import { randomBytes } from 'node:crypto'

/**
 * Spans of one call share all digits of their ids but the last, so that what the function sees as its parent is known
 * before there is a span, and the others are known from it.
 */
export type SpanRole = keyof typeof DIGITS

const DIGITS = { execute: '0', invoke: '1', queue: '2', sandbox: '3', init: '4' } as const
const BYTES = 4_096

/** Of the span in which the function's code runs, or of the one that sends its event: from the digits of a UUID, which are random. */
export function spanIdOf(requestId: string): string {
  // A variant's digit is never 0: the id is not either.
  return `${requestId.slice(19, 23)}${requestId.slice(24, 35)}${DIGITS.execute}`
}

/** Another span of the same call. */
export function siblingId(spanId: string, role: SpanRole): string {
  return spanId.slice(0, 15) + DIGITS[role]
}

/** Makes ids of spans in which functions run, for calls that are made more than once. */
export function createSpanIds(): () => string {
  let digits = ''
  let at = 0
  return () => {
    if (at + 15 > digits.length) {
      digits = randomBytes(BYTES).toString('hex')
      at = 0
    }
    at += 15
    const id = digits.slice(at - 15, at) + DIGITS.execute
    return id === '0000000000000000' ? '1000000000000000' : id
  }
}
