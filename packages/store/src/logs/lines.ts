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
const REQUEST_KEY = Buffer.from('","requestId":"')
/** `YYYY-MM-DDTHH:MM:` */
const MINUTE_CHARS = 17
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_I = 0x69
const OPENING_BRACE = 0x7b
const BRACE = 0x7d
const DOT = 0x2e
const LETTER_Z = 0x5a
const DIGIT_0 = 0x30
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
  /** Bytes of JSON within the quotes: of lines that follow each other, the same stream has the same buffer. */
  readonly stream: Buffer
  /** Where in the data the stream's name ends. */
  readonly end: number
}

/**
 * @param start - Where in the data the line begins
 * @param end - Where it ends, without its newline
 * @returns undefined for what is no line: a crash cut it short
 */
export function readHead(data: Buffer, start = 0, end = data.length): LineHead | undefined {
  if (end - start < SECOND_KEY || data[end - 1] !== BRACE || data[start] !== OPENING_BRACE) return undefined
  const at = timeAt(data, start + TIME_START)
  const isLater = data[start + SECOND_KEY] === LETTER_I
  const ingestedAt = isLater ? timeAt(data, start + INGESTED_START) : at
  const name = start + (isLater ? INGESTED_END + 2 : TIME_END + 2) + STREAM_KEY.length
  if (name >= end || Number.isNaN(at) || Number.isNaN(ingestedAt)) return undefined
  if (!isAt(data, STREAM_KEY, name - STREAM_KEY.length)) return undefined
  // Lines of one instance come one after the other, mostly.
  const nameEnd = name + lastStream.length
  if (nameEnd < end && data[nameEnd] === QUOTE && isAt(data, lastStream, name)) {
    return { at, ingestedAt, stream: lastStream, end: nameEnd }
  }
  let quote = data.indexOf(QUOTE, name)
  while (quote > name && data[quote - 1] === BACKSLASH && isEscaped(data, quote)) quote = data.indexOf(QUOTE, quote + 1)
  if (quote === -1 || quote >= end) return undefined
  lastStream = Buffer.from(data.subarray(name, quote))
  return { at, ingestedAt, stream: lastStream, end: quote }
}

let lastStream = Buffer.alloc(0)

/** @param streamEnd - Where the stream's name ends. @returns where the request's id begins; -1 where the line has it elsewhere */
export function requestIdAt(data: Buffer, streamEnd: number): number {
  return isAt(data, REQUEST_KEY, streamEnd) ? streamEnd + REQUEST_KEY.length : -1
}

/** Byte by byte: a call into the platform costs more than these few. */
function isAt(data: Buffer, key: Buffer, at: number): boolean {
  for (let i = 0; i < key.length; i++) if (data[at + i] !== key[i]) return false
  return true
}

function isEscaped(line: Buffer, at: number): boolean {
  let slashes = 0
  while (line[at - 1 - slashes] === BACKSLASH) slashes++
  return slashes % 2 === 1
}

// Many lines share a minute, and reading a date costs more than the rest of the line.
const minuteText = Buffer.alloc(MINUTE_CHARS)
let minute = Number.NaN

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`; NaN when it is none. */
function timeAt(data: Buffer, start: number): number {
  const within = secondsAt(data, start + MINUTE_CHARS)
  if (!Number.isNaN(minute) && isAt(data, minuteText, start)) return minute + within
  const at = Date.parse(data.toString('latin1', start, start + TIME_CHARS))
  if (Number.isNaN(at - within)) return Number.NaN
  data.copy(minuteText, 0, start, start + MINUTE_CHARS)
  minute = at - within
  return at
}

/** `SS.mmmZ`, in ms. */
function secondsAt(data: Buffer, at: number): number {
  const tens = digitAt(data, at)
  const isWhole = data[at + 2] === DOT && data[at + 6] === LETTER_Z && tens < 6
  if (!isWhole) return Number.NaN
  const seconds = tens * 10 + digitAt(data, at + 1)
  return seconds * 1_000 + digitAt(data, at + 3) * 100 + digitAt(data, at + 4) * 10 + digitAt(data, at + 5)
}

function digitAt(data: Buffer, at: number): number {
  const digit = data[at]! - DIGIT_0
  return digit >= 0 && digit <= 9 ? digit : Number.NaN
}

/** The name that the bytes stand for. */
export function streamName(bytes: Buffer): string {
  const text = bytes.toString()
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

/** A needle that all lines with this in their text have, and others that are checked away. */
export function textNeedle(text: string): Buffer {
  return Buffer.from(JSON.stringify(text).slice(1, -1))
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
