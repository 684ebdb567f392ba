import { groupOfFunction } from './group-folders.ts'
import type { LogEvent, LogPosition } from './types.ts'

/**
 * The layout of a line, which {@link LineHead} relies on: `{"t":"…"`, `"ingested":"…"` where it differs,
 * `"stream":"…","requestId":"…","level":"…"`, `"function":"…"` where the group does not say it, `"msg":"…"`.
 */
const TIME_START = '{"t":"'.length
const TIME_CHARS = 24
const TIME_END = TIME_START + TIME_CHARS
const SECOND_KEY = TIME_END + '","'.length
const INGESTED_START = SECOND_KEY + 'ingested":"'.length
const INGESTED_END = INGESTED_START + TIME_CHARS
const STREAM_KEY = Buffer.from('"stream":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_I = 0x69
const BRACE = 0x7d
const NEWLINE = 0x0a

/** Of times that differ by less than this only one is written. */
export const SAME_TIME_MS = 50

/** ISO 8601 in UTC with milliseconds; years 0 to 9999, which all have the same length. */
export function isoTime(at: number): string | undefined {
  return at > -62_167_219_200_000 && at < 253_402_300_800_000 ? new Date(at).toISOString() : undefined
}

/** What stands in a line before its text. */
export interface LineHead {
  readonly at: number
  readonly ingestedAt: number
  /** Bytes of JSON within the quotes: the same stream has the same bytes. */
  readonly stream: Buffer
}

/** @param line - Without its newline. @returns undefined for what is no line: a crash cut it short */
export function readHead(line: Buffer): LineHead | undefined {
  if (line.length < SECOND_KEY || line[line.length - 1] !== BRACE || line[0] !== 0x7b) return undefined
  const at = timeAt(line, TIME_START)
  const isLater = line[SECOND_KEY] === LETTER_I
  const ingestedAt = isLater ? timeAt(line, INGESTED_START) : at
  const start = (isLater ? INGESTED_END + 2 : TIME_END + 2) + STREAM_KEY.length
  if (!isAt(line, STREAM_KEY, start - STREAM_KEY.length)) return undefined
  let end = line.indexOf(QUOTE, start)
  while (end > start && line[end - 1] === BACKSLASH && isEscaped(line, end)) end = line.indexOf(QUOTE, end + 1)
  if (end === -1 || Number.isNaN(at) || Number.isNaN(ingestedAt)) return undefined
  return { at, ingestedAt, stream: line.subarray(start, end) }
}

/** Byte by byte: a call into the platform costs more than these few. */
function isAt(line: Buffer, key: Buffer, at: number): boolean {
  for (let i = 0; i < key.length; i++) if (line[at + i] !== key[i]) return false
  return true
}

function isEscaped(line: Buffer, at: number): boolean {
  let slashes = 0
  while (line[at - 1 - slashes] === BACKSLASH) slashes++
  return slashes % 2 === 1
}

// Many lines share a millisecond, and reading a date costs more than the rest of the line.
let parsedText = ''
let parsedTime = Number.NaN

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`; NaN when it is none. */
function timeAt(line: Buffer, start: number): number {
  const text = line.toString('latin1', start, start + TIME_CHARS)
  if (text !== parsedText) {
    parsedText = text
    parsedTime = Date.parse(text)
  }
  return parsedTime
}

/** The name that the bytes stand for. */
export function streamName(bytes: Buffer): string {
  const text = bytes.toString()
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

/** A needle that only lines of this request have, beside those that are checked away: the text's quotes are escaped. */
export function requestNeedle(requestId: string): Buffer {
  return Buffer.from(`"requestId":${JSON.stringify(requestId)},`)
}

/** @returns undefined for what is no line */
export function readLine(line: Buffer, position: LogPosition, group: string): LogEvent | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString())
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { t, ingested, stream, requestId, level, function: functionName, msg } = parsed as Record<string, unknown>
  const at = typeof t === 'string' ? Date.parse(t) : Number.NaN
  if (Number.isNaN(at) || typeof msg !== 'string') return undefined
  return {
    position,
    at,
    ingestedAt: typeof ingested === 'string' ? Date.parse(ingested) : at,
    stream: textOf(stream),
    functionName: typeof functionName === 'string' ? functionName : ownerOf(group),
    requestId: textOf(requestId),
    level: textOf(level),
    message: msg
  }
}

const OWN = groupOfFunction('')

/** The function whose own group it is, or ''. */
export function ownerOf(group: string): string {
  return group.startsWith(OWN) ? group.slice(OWN.length) : ''
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * Calls `each` with every whole line of `data` (without its newline) and where it starts.
 * @returns bytes up to the end of the last whole line
 */
export function eachLine(data: Buffer, each: (line: Buffer, start: number) => void): number {
  let start = 0
  for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
    each(data.subarray(start, end), start)
    start = end + 1
  }
  return start
}
