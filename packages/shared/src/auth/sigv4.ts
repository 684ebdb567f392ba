import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { HearthError } from '../errors.ts'

/** What of an HTTP request is needed to know who sent it. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as they came on the wire. */
  readonly rawUrl: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Undefined: no body. */
  readonly body: Buffer | undefined
}

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
/** Clients' clocks may be this far off. Source: AWS's regional services. */
const SKEW_MS = 5 * 60_000
const MAX_EXPIRES_S = 604_800
/** Services that are the same in all regions, and the region that clients sign for when they know that. */
const GLOBAL_REGIONS: ReadonlyMap<string, string> = new Map([
  ['iam', 'us-east-1'],
  ['sts', 'us-east-1']
])

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
  checkTime(parts, time, scope.nowMs)
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
  if (region !== scope.region && GLOBAL_REGIONS.get(service) !== region)
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
 * @throws HearthError INVALID_SIGNATURE
 */
export function verifySignature(request: SignedRequest, signature: Signature, key: Buffer): void {
  const bodyHash = sha256Hex(request.body ?? '')
  const claimed = headerValue(request, 'x-amz-content-sha256')
  // A hash that is sent must be the body's, signed or not. This refuses UNSIGNED-PAYLOAD and STREAMING-… too, which
  // Lambda does not take.
  if (claimed !== undefined && claimed.toLowerCase() !== bodyHash) throw mismatch()
  const payloadHash =
    claimed !== undefined && signature.signedHeaders.includes('x-amz-content-sha256') ? claimed : bodyHash
  if (!isSignedWith(request, signature, key, payloadHash)) throw mismatch()
}

/**
 * The part of {@link verifySignature} that can be done before the body is there: only when its hash is among the
 * signed headers.
 *
 * @throws HearthError INVALID_SIGNATURE
 */
export function verifyWithoutBody(request: SignedRequest, signature: Signature, key: Buffer): void {
  const claimed = headerValue(request, 'x-amz-content-sha256')
  if (claimed === undefined || !signature.signedHeaders.includes('x-amz-content-sha256')) return
  if (!/^[0-9a-f]{64}$/i.test(claimed) || !isSignedWith(request, signature, key, claimed)) throw mismatch()
}

/** Key of one day, region and service. Four HMACs: worth keeping for the day. */
export function signingKey(secretAccessKey: string, day: string, region: string, service: string): Buffer {
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), service), TERMINATOR)
}

/** @see reference: SigV4 verification, canonical request */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string
): string {
  const mark = request.rawUrl.indexOf('?')
  const path = mark < 0 ? request.rawUrl : request.rawUrl.slice(0, mark)
  const query = mark < 0 ? '' : request.rawUrl.slice(mark + 1)
  const names = [...signedHeaders].sort()
  const headers = names
    .map((name) => `${name}:${(headerValue(request, name) ?? '').trim().replace(/[ \t]+/g, ' ')}\n`)
    .join('')
  return `${request.method.toUpperCase()}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${headers}\n${names.join(';')}\n${payloadHash}`
}

function isSignedWith(request: SignedRequest, signature: Signature, key: Buffer, payloadHash: string): boolean {
  const scope = `${signature.day}/${signature.region}/${signature.service}/${TERMINATOR}`
  const canonical = canonicalRequest(request, signature.signedHeaders, payloadHash)
  const text = `${ALGORITHM}\n${signature.timestamp}\n${scope}\n${sha256Hex(canonical)}`
  const expected = createHmac('sha256', key).update(text).digest()
  const given = Buffer.from(signature.signature, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Every service but S3 signs the path as sent, without dot segments and empty segments, encoded once more. */
function canonicalPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') segments.pop()
    else segments.push(encode(segment))
  }
  return segments.length === 0 ? '/' : `/${segments.join('/')}${path.endsWith('/') ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  const pairs: (readonly [string, string])[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    if (name === 'X-Amz-Signature') continue
    pairs.push([encode(name), encode(equals < 0 ? '' : decode(part.slice(equals + 1)))])
  }
  return pairs
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
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
    if (equals > 0) query.set(decode(part.slice(0, equals)), decode(part.slice(equals + 1)))
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

function checkTime(parts: Parts, timeMs: number, nowMs: number): void {
  const now = toBasic(nowMs)
  const oldest = parts.expiresS === undefined ? nowMs - SKEW_MS : nowMs - parts.expiresS * 1_000
  if (timeMs < oldest) {
    const window = parts.expiresS === undefined ? '5 min.' : `${parts.expiresS} s`
    throw invalid(`Signature expired: ${parts.timestamp} is now earlier than ${toBasic(oldest)} (${now} - ${window})`)
  }
  if (timeMs > nowMs + SKEW_MS) {
    throw invalid(
      `Signature not yet current: ${parts.timestamp} is still later than ${toBasic(nowMs + SKEW_MS)} (${now} + 5 min.)`
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

function headerValue(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/** RFC 3986: all but `A–Z a–z 0–9 - _ . ~`, upper-case hex. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  } catch {
    throw mismatch()
  }
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw mismatch()
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function incomplete(message: string): HearthError {
  return new HearthError('INCOMPLETE_SIGNATURE', message)
}

function invalid(message: string): HearthError {
  return new HearthError('INVALID_SIGNATURE', message)
}

function mismatch(): HearthError {
  return invalid(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
  )
}
