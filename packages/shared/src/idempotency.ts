import { createHash } from 'node:crypto'
import { HearthError } from './errors.ts'

/** How long a key stands for its request. */
export const IDEMPOTENCY_KEEP_MS = 86_400_000
/** The largest answer that is kept to be given again. */
export const IDEMPOTENCY_ANSWER_BYTES = 1_048_576
/** On an answer that is given again. */
export const REPLAYED_HEADER = 'idempotency-replayed'

/** Visible ASCII, as callers write keys without thinking of grammars. */
const BARE = /^[\x21-\x7e]{1,255}$/
/** The draft's form: a string in quotes, with `\"` and `\\` for what could not stand in it. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,510})"$/

/**
 * Reads the header `Idempotency-Key`. `abc` and `"abc"` are the same key.
 *
 * @throws HearthError INVALID_IDEMPOTENCY_KEY
 * @see draft-ietf-httpapi-idempotency-key-header
 */
export function readIdempotencyKey(header: string): string {
  const key = header.startsWith('"') ? QUOTED.exec(header)?.[1]?.replaceAll(/\\(["\\])/g, '$1') : header
  if (key !== undefined && BARE.test(key)) return key
  throw new HearthError(
    'INVALID_IDEMPOTENCY_KEY',
    'Idempotency-Key: 1 to 255 visible ASCII characters are expected, once, bare or in double quotes.'
  )
}

/**
 * What makes a request the same one: method, path and query, what else changes its meaning, and the body. A signature
 * in the query is not part of it: it is another one each time.
 */
export function requestFingerprint(
  method: string,
  rawUrl: string,
  meaning: readonly (string | string[] | undefined)[],
  body: Uint8Array
): string {
  const mark = rawUrl.indexOf('?')
  const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark)
  const query = mark === -1 ? [] : rawUrl.slice(mark + 1).split('&')
  const signed = query.filter((member) => !/^x-amz-/i.test(member))
  const head = JSON.stringify([method, path, signed, meaning.map((value) => value ?? null)])
  return createHash('sha256').update(head).update(body).digest('hex')
}

/** Another request came with the key. */
export function keyReused(key: string): HearthError {
  return new HearthError(
    'IDEMPOTENCY_KEY_REUSED',
    `Idempotency-Key ${key} was sent with another request in the last 24 hours.`
  )
}

export function keyInFlight(key: string): HearthError {
  return new HearthError('IDEMPOTENCY_KEY_IN_FLIGHT', `The request with Idempotency-Key ${key} is still under way.`)
}

/** @param wasCut - The server died while it was under way; else it ended, and its answer was not kept */
export function answerMissing(key: string, wasCut: boolean): HearthError {
  return new HearthError(
    'IDEMPOTENCY_ANSWER_MISSING',
    wasCut
      ? `The server stopped while the request with Idempotency-Key ${key} was under way. It is not done again: whether it took effect is not known. Send it with another key to do it again.`
      : `The request with Idempotency-Key ${key} was done, and its answer was not kept: it was streamed, or is too large.`
  )
}
