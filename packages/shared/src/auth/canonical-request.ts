import { headerValue, type SignedRequest, signatureMismatch } from './signed-request.ts'

/**
 * The text that a signature is over. The path is that of every service but S3: without dot segments and empty segments,
 * encoded once more than it was sent.
 *
 * @see reference: IAM §6.2
 */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string
): string {
  const mark = request.rawUrl.indexOf('?')
  const path = mark < 0 ? request.rawUrl : request.rawUrl.slice(0, mark)
  const query = mark < 0 ? '' : request.rawUrl.slice(mark + 1)
  const names = [...signedHeaders].sort()
  const values = headerValues(request, names)
  const headers = names.map((name) => `${name}:${canonicalValue(values(name))}\n`).join('')
  return `${request.method.toUpperCase()}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${headers}\n${names.join(';')}\n${payloadHash}`
}

/**
 * Whether a path means another one than it says. A signature for that other one would fit, while routes go by what
 * stands there.
 */
export function hasDotSegments(rawUrl: string): boolean {
  return /^[^?]*\/\.\.?(?:[/?]|$)/.test(rawUrl)
}

/** Text behind `%xx`; bytes that are no UTF-8 are left as they are written. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Of a header that came more than once, all values in their order. */
function headerValues(request: SignedRequest, names: readonly string[]): (name: string) => string {
  const { rawHeaders } = request
  if (rawHeaders === undefined) return (name) => headerValue(request, name) ?? ''
  const found = new Map<string, string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!names.includes(name)) continue
    const value = rawHeaders[i + 1]!.trim()
    const before = found.get(name)
    found.set(name, before === undefined ? value : `${before},${value}`)
  }
  return (name) => found.get(name) ?? ''
}

function canonicalValue(value: string): string {
  return utf8(value)
    .trim()
    .replace(/[ \t]+/g, ' ')
}

/** Node reads header bytes as Latin-1; clients sign what they wrote, which is UTF-8. */
function utf8(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (/^[\x00-\x7f]*$/.test(value) || /[^\x00-\xff]/.test(value)) return value
  const text = Buffer.from(value, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? value : text
}

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
    const name = recode(equals < 0 ? part : part.slice(0, equals))
    if (name === 'X-Amz-Signature') continue
    pairs.push([name, equals < 0 ? '' : recode(part.slice(equals + 1))])
  }
  return pairs
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** One spelling of what may be percent-encoded in several: byte by byte, so that it need not be UTF-8. */
function recode(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}|[^%]+|%/g, (piece) => {
    if (piece.length !== 3 || piece[0] !== '%') return encode(piece)
    const char = String.fromCharCode(Number.parseInt(piece.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(char) ? char : piece.toUpperCase()
  })
}

/** RFC 3986: all but `A–Z a–z 0–9 - _ . ~`, upper-case hex. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  } catch {
    throw signatureMismatch()
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
