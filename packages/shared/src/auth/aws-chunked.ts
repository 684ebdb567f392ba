import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { HearthError } from '../errors.ts'
import { matchesChecksum } from './checksums.ts'
import { headerValue, type SignedRequest, signatureMismatch } from './signed-request.ts'

/** What the chunks of a body are signed with: the request's own signature is the first link of the chain. */
export interface ChunkSigning {
  /** Hex. */
  readonly signature: string
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string
  /** `YYYYMMDD/region/service/aws4_request`. */
  readonly scope: string
  readonly key: Buffer
}

interface Mode {
  readonly signed: boolean
  readonly trailer: boolean
}

/** What stands in the place of a body's hash. @see reference: IAM §6.3 */
const MODES: ReadonlyMap<string, Mode> = new Map([
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { signed: true, trailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { signed: true, trailer: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { signed: false, trailer: true }]
])
const EMPTY_HASH = sha256Hex('')
/** Of the line before a chunk, and of all trailers together. */
const LINE_BYTES = 256
const TRAILER_BYTES = 4_096
const TRAILER_SIGNATURE = 'x-amz-trailer-signature'

export function isChunked(payloadHash: string): boolean {
  return MODES.has(payloadHash)
}

/**
 * Takes a body out of its chunks and checks that each of them was signed, that none is missing, and the checksum behind
 * them.
 *
 * @param payloadHash - One of those that {@link isChunked} knows.
 * @throws HearthError INVALID_SIGNATURE, INVALID_PAYLOAD
 */
export function decodeChunks(request: SignedRequest, payloadHash: string, signing: ChunkSigning): Buffer {
  const mode = MODES.get(payloadHash)!
  const body = request.body ?? Buffer.alloc(0)
  const chunks: Buffer[] = []
  let previous = signing.signature
  let at = 0
  for (;;) {
    const { size, signature, next } = readLine(body, at, mode)
    const data = body.subarray(next, next + size)
    if (data.length < size) throw malformed('its last chunk is cut off')
    if (mode.signed) {
      const text = `AWS4-HMAC-SHA256-PAYLOAD\n${signing.timestamp}\n${signing.scope}\n${previous}\n${EMPTY_HASH}\n${sha256Hex(data)}`
      if (!isHmac(signing.key, text, signature)) throw signatureMismatch()
      previous = signature
    }
    at = next + size
    if (size === 0) break
    chunks.push(data)
    at = skipLineEnd(body, at)
  }
  const decoded = Buffer.concat(chunks)
  const trailers = readTrailers(body, at, mode)
  if (mode.trailer) checkTrailers(request, decoded, trailers, previous, mode.signed ? signing : undefined)
  const length = headerValue(request, 'x-amz-decoded-content-length') ?? ''
  if (length !== String(decoded.length)) {
    throw malformed(`x-amz-decoded-content-length is '${length.slice(0, 20)}', and it has ${decoded.length} bytes`)
  }
  return decoded
}

/** Whether it is the signature of a text, told in a time that depends on neither. @param signature - Lower-case hex. */
export function isHmac(key: Buffer, text: string, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false
  return timingSafeEqual(createHmac('sha256', key).update(text).digest(), Buffer.from(signature, 'hex'))
}

function readLine(body: Buffer, at: number, mode: Mode): { size: number; signature: string; next: number } {
  const end = body.subarray(at, at + LINE_BYTES).indexOf('\r\n')
  const line = end < 0 ? '' : body.toString('latin1', at, at + end)
  const [, size, signature = ''] = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line) ?? []
  if (size === undefined || (signature === '') === mode.signed) {
    throw malformed(`byte ${at} begins no ${mode.signed ? 'signed ' : ''}chunk`)
  }
  return { size: Number.parseInt(size, 16), signature, next: at + end + 2 }
}

function skipLineEnd(body: Buffer, at: number): number {
  if (body.toString('latin1', at, at + 2) !== '\r\n') throw malformed(`byte ${at} does not end a chunk`)
  return at + 2
}

/** What stands behind the last chunk: an empty line, or headers and an empty line. */
function readTrailers(body: Buffer, at: number, mode: Mode): readonly (readonly [name: string, value: string])[] {
  const text = body.toString('latin1', at, at + TRAILER_BYTES)
  if (body.length - at > TRAILER_BYTES || !text.endsWith('\r\n')) throw malformed('its end is missing')
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  if (lines.length > 0 && !mode.trailer) throw malformed('something stands behind its last chunk')
  return lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, Math.max(colon, 0)).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
}

function checkTrailers(
  request: SignedRequest,
  decoded: Buffer,
  trailers: readonly (readonly [name: string, value: string])[],
  previous: string,
  signing: ChunkSigning | undefined
): void {
  const own = trailers.filter(([name]) => name !== TRAILER_SIGNATURE)
  const announced = (headerValue(request, 'x-amz-trailer') ?? '').split(',').map((name) => name.trim().toLowerCase())
  if (announced.join() !== own.map(([name]) => name).join()) {
    throw malformed(`x-amz-trailer does not say what stands behind its last chunk`)
  }
  if (signing !== undefined) {
    const hash = sha256Hex(own.map(([name, value]) => `${name}:${value}\n`).join(''))
    const text = `AWS4-HMAC-SHA256-TRAILER\n${signing.timestamp}\n${signing.scope}\n${previous}\n${hash}`
    const [, signature = ''] = trailers.find(([name]) => name === TRAILER_SIGNATURE) ?? []
    if (!isHmac(signing.key, text, signature)) throw signatureMismatch()
  }
  for (const [name, value] of own) {
    if (!matchesChecksum(name, value, decoded)) throw malformed(`${name.slice(0, 40)} is not that of its bytes`)
  }
}

function malformed(what: string): HearthError {
  return new HearthError('INVALID_PAYLOAD', `The body is not aws-chunked: ${what}.`)
}

function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
