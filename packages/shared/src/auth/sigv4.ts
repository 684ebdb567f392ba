import { createHash, createHmac } from 'node:crypto'
import { HearthError } from '../errors.ts'
import { decodeChunks, isChunked, isHmac } from './aws-chunked.ts'
import { canonicalRequest, percentDecode } from './canonical-request.ts'
import { headerValue, invalidSignature as invalid, type SignedRequest, signatureMismatch } from './signed-request.ts'
import { signingService } from './signing-services.ts'

/** A signature taken apart, with everything checked that needs neither a key nor the body. */
export interface Signature {
  readonly accessKeyId: string
  /** `YYYYMMDD`. */
  readonly day: string
  readonly region: string
  readonly service: string
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string
  readonly signedHeaders: readonly string[]
  /** Hex. */
  readonly signature: string
  readonly sessionToken: string | undefined
  readonly presigned: boolean
}

export interface SignatureScope {
  readonly region: string
  /** Signing names of the services that are served here; the first one is named in messages. */
  readonly services: readonly string[]
  readonly nowMs: number
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const TERMINATOR = 'aws4_request'
const MAX_EXPIRES_S = 604_800
const UNSIGNED = 'UNSIGNED-PAYLOAD'
const HASH_HEADER = 'x-amz-content-sha256'

/**
 * What a body may be. `signed`: its hash is part of the signature, as most services demand. `any`: also not signed at
 * all, or signed chunk by chunk, as for S3.
 */
export type Payloads = 'signed' | 'any'

/** Whether a request carries a signature in its query. */
export function isPresigned(rawUrl: string): boolean {
  return rawUrl.includes('X-Amz-Signature=') || rawUrl.includes('X-Amz-Credential=')
}

/**
 * Takes the signature out of a request and checks it in AWS's order up to the scope.
 *
 * @throws HearthError INCOMPLETE_SIGNATURE, INVALID_SIGNATURE
 * @see reference: SigV4 verification, order of checks, rows 2 to 8
 */
export function parseSignature(request: SignedRequest, scope: SignatureScope): Signature {
  const parts = request.headers['authorization'] === undefined ? presignedParts(request) : headerParts(request)
  const time = parseTimestamp(parts.timestamp)
  if (time === undefined) {
    throw incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${parts.timestamp}'. See http://en.wikipedia.org/wiki/ISO_8601`
    )
  }
  checkTime(parts, time, scope.nowMs, Math.max(...scope.services.map((name) => signingService(name).skewMinutes)))
  const signedHeaders = parts.signedHeaders.toLowerCase().split(';')
  if (!signedHeaders.includes('host')) {
    throw invalid(`'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.`)
  }
  if (parts.algorithm !== ALGORITHM)
    throw incomplete(`Unsupported AWS 'algorithm': '${parts.algorithm}' (only ${ALGORITHM} for now). `)
  const elements = parts.credential.split('/')
  if (elements.length !== 5) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${parts.credential}'`
    )
  }
  const [accessKeyId = '', day = '', region = '', service = '', terminator = ''] = elements
  const wrong: string[] = []
  if (region !== scope.region && signingService(service).globalRegion !== region)
    wrong.push(`Credential should be scoped to a valid region, not '${region}'.`)
  if (!scope.services.includes(service))
    wrong.push(`Credential should be scoped to correct service: '${scope.services[0] ?? ''}'.`)
  if (terminator !== TERMINATOR) {
    wrong.push(`Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${terminator}'.`)
  }
  if (day !== parts.timestamp.slice(0, 8)) {
    wrong.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${parts.timestamp.slice(0, 8)}', from '${parts.timestamp}'.`
    )
  }
  if (wrong.length > 0) throw invalid(wrong.join(' '))
  const { timestamp, signature, sessionToken, presigned } = parts
  return { accessKeyId, day, region, service, timestamp, signedHeaders, signature, sessionToken, presigned }
}

/**
 * Checks the signature itself and that the body is the one that was signed.
 *
 * @param key - Of {@link signingKey}.
 * @returns the body; what came in chunks, as a whole
 * @throws HearthError INVALID_SIGNATURE; INVALID_PAYLOAD for chunks that are none
 */
export function verifySignature(
  request: SignedRequest,
  signature: Signature,
  key: Buffer,
  payloads: Payloads
): Buffer | undefined {
  const claimed = claimedHash(request, signature)
  if (claimed !== undefined && isSpecial(claimed, payloads)) {
    requireSignedWith(request, signature, key, claimed)
    if (claimed === UNSIGNED) return request.body
    return decodeChunks(request, claimed, { ...signature, scope: scopeOf(signature), key })
  }
  const bodyHash = sha256Hex(request.body ?? '')
  // A hash that is sent must be the body's, signed or not. This refuses UNSIGNED-PAYLOAD and STREAMING-… too where
  // they are not taken.
  if (claimed !== undefined && claimed.toLowerCase() !== bodyHash) throw signatureMismatch()
  const isSigned = claimed !== undefined && signature.signedHeaders.includes(HASH_HEADER)
  requireSignedWith(request, signature, key, isSigned ? claimed : bodyHash)
  return request.body
}

/**
 * The part of {@link verifySignature} that can be done before the body is there: only when its hash is among the
 * signed headers.
 *
 * @throws HearthError INVALID_SIGNATURE
 */
export function verifyWithoutBody(request: SignedRequest, signature: Signature, key: Buffer, payloads: Payloads): void {
  const claimed = claimedHash(request, signature)
  if (claimed === undefined) return
  if (!isSpecial(claimed, payloads)) {
    if (!signature.signedHeaders.includes(HASH_HEADER)) return
    if (!/^[0-9a-f]{64}$/i.test(claimed)) throw signatureMismatch()
  }
  requireSignedWith(request, signature, key, claimed)
}

function claimedHash(request: SignedRequest, { presigned, signedHeaders }: Signature): string | undefined {
  const sent = headerValue(request, HASH_HEADER)
  if (sent !== undefined || !presigned || signedHeaders.includes(HASH_HEADER)) return sent
  // Clients move it into a link's query with the other headers.
  const [, inQuery] = /[?&]X-Amz-Content-Sha256=([^&]*)/i.exec(request.rawUrl) ?? []
  return inQuery
}

/** Whether it is said that the body has no hash, and may have none. It is signed all the same that this was said. */
function isSpecial(claimed: string, payloads: Payloads): boolean {
  return payloads === 'any' && (claimed === UNSIGNED || isChunked(claimed))
}

/** Key of one day, region and service. Four HMACs: worth keeping for the day. */
export function signingKey(secretAccessKey: string, day: string, region: string, service: string): Buffer {
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), service), TERMINATOR)
}

function requireSignedWith(request: SignedRequest, signature: Signature, key: Buffer, payloadHash: string): void {
  const canonical = canonicalRequest(request, signature.signedHeaders, payloadHash)
  const text = `${ALGORITHM}\n${signature.timestamp}\n${scopeOf(signature)}\n${sha256Hex(canonical)}`
  if (!isHmac(key, text, signature.signature)) throw signatureMismatch()
}

function scopeOf({ day, region, service }: Signature): string {
  return `${day}/${region}/${service}/${TERMINATOR}`
}

interface Parts {
  readonly algorithm: string
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  readonly timestamp: string
  readonly sessionToken: string | undefined
  readonly presigned: boolean
  readonly expiresS: number | undefined
}

function headerParts(request: SignedRequest): Parts {
  const authorization = headerValue(request, 'authorization') ?? ''
  const blank = authorization.indexOf(' ')
  const algorithm = blank < 0 ? authorization : authorization.slice(0, blank)
  const fields = new Map<string, string>()
  for (const field of blank < 0 ? [] : authorization.slice(blank + 1).split(',')) {
    const equals = field.indexOf('=')
    if (equals > 0) fields.set(field.slice(0, equals).trim(), field.slice(equals + 1).trim())
  }
  const credential = fields.get('Credential') ?? ''
  const signature = fields.get('Signature') ?? ''
  const signedHeaders = fields.get('SignedHeaders') ?? ''
  const timestamp = headerValue(request, 'x-amz-date') ?? basicFormat(headerValue(request, 'date')) ?? ''
  let missing = ''
  if (credential === '') missing += `Authorization header requires 'Credential' parameter. `
  if (signature === '') missing += `Authorization header requires 'Signature' parameter. `
  if (signedHeaders === '') missing += `Authorization header requires 'SignedHeaders' parameter. `
  if (timestamp === '')
    missing += `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. `
  if (missing !== '') {
    const hash = createHash('sha256').update(authorization).digest('base64')
    throw incomplete(`${missing}(Hashed with SHA-256 and encoded with Base64) Authorization=${hash}`)
  }
  const sessionToken = headerValue(request, 'x-amz-security-token')
  return {
    algorithm,
    credential,
    signedHeaders,
    signature,
    timestamp,
    sessionToken,
    presigned: false,
    expiresS: undefined
  }
}

function presignedParts(request: SignedRequest): Parts {
  const query = new Map<string, string>()
  for (const part of request.rawUrl.slice(request.rawUrl.indexOf('?') + 1).split('&')) {
    const equals = part.indexOf('=')
    if (equals > 0) query.set(percentDecode(part.slice(0, equals)), percentDecode(part.slice(equals + 1)))
  }
  const names = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
    'X-Amz-Date',
    'X-Amz-Expires'
  ]
  const missing = names.filter((name) => (query.get(name) ?? '') === '')
  if (missing.length > 0) {
    throw incomplete(
      missing.map((name) => `AWS query-string parameters must include '${name}'. `).join('') +
        'Re-examine the query-string parameters.'
    )
  }
  const expires = query.get('X-Amz-Expires') ?? ''
  const expiresS = /^\d{1,6}$/.test(expires) ? Number(expires) : 0
  if (expiresS < 1 || expiresS > MAX_EXPIRES_S)
    throw incomplete(`X-Amz-Expires must be between 1 and ${MAX_EXPIRES_S} seconds`)
  return {
    algorithm: query.get('X-Amz-Algorithm') ?? '',
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    timestamp: query.get('X-Amz-Date') ?? '',
    sessionToken: query.get('X-Amz-Security-Token'),
    presigned: true,
    expiresS
  }
}

function checkTime(parts: Parts, timeMs: number, nowMs: number, skewMinutes: number): void {
  const now = toBasic(nowMs)
  const skewMs = skewMinutes * 60_000
  const oldest = parts.expiresS === undefined ? nowMs - skewMs : nowMs - parts.expiresS * 1_000
  if (timeMs < oldest) {
    const window = parts.expiresS === undefined ? `${skewMinutes} min.` : `${parts.expiresS} s`
    throw invalid(`Signature expired: ${parts.timestamp} is now earlier than ${toBasic(oldest)} (${now} - ${window})`)
  }
  if (timeMs > nowMs + skewMs) {
    throw invalid(
      `Signature not yet current: ${parts.timestamp} is still later than ${toBasic(nowMs + skewMs)} (${now} + ${skewMinutes} min.)`
    )
  }
}

/** @returns milliseconds since the epoch */
function parseTimestamp(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

function basicFormat(httpDate: string | undefined): string | undefined {
  if (httpDate === undefined) return undefined
  const time = Date.parse(httpDate)
  return Number.isNaN(time) ? httpDate : toBasic(time)
}

function toBasic(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function incomplete(message: string): HearthError {
  return new HearthError('INCOMPLETE_SIGNATURE', message)
}
