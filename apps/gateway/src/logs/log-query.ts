import { HearthError, parseSince, SINCE_RULE } from '@hearth/shared'
import type { LogEvent, LogPosition } from '@hearth/store'

/** What is asked of a function's log. */
export interface LogRequest {
  /** Unix time in ms, inclusive. */
  readonly since: number | undefined
  /** Exclusive. */
  readonly until: number | undefined
  readonly requestId: string | undefined
  /** Part of an event's text. */
  readonly text: string | undefined
  /** Of the level of an event. */
  readonly wants: (event: LogEvent) => boolean
  /** At most this many events, the newest; undefined: all. */
  readonly limit: number | undefined
  readonly follow: boolean
}

const NAMES = ['since', 'until', 'requestId', 'level', 'q', 'limit', 'follow']
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const DEFAULT_LINES = 1_000
const MAX_LINES = 10_000
const MAX_TEXT = 1_024

/**
 * The query of `GET /v1/functions/{name}/logs`: `since` and `until` (a time, or how long ago: `90s`, `10m`, `2h`,
 * `1d`), `requestId`, `level` (that one and worse), `q` (part of the text), `limit` (1 to 10,000 lines, default 1,000;
 * with `follow` those before the newest) and `follow`.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function parseLogQuery(query: URLSearchParams, nowMs: number): LogRequest {
  for (const name of query.keys()) {
    if (!NAMES.includes(name))
      throw invalid(name, 'unknown; there are since, until, requestId, level, q, limit, follow')
    if (query.getAll(name).length > 1) throw invalid(name, 'given more than once')
  }
  const requestId = textOf(query, 'requestId')
  const since = timeOf(query, 'since', nowMs)
  const until = timeOf(query, 'until', nowMs)
  if (since !== undefined && until !== undefined && since >= until) throw invalid('until', 'must be after since')
  const follow = parseFollow(query.get('follow') ?? 'false')
  if (follow && until !== undefined) throw invalid('until', 'has no meaning with follow')
  const limit = query.get('limit')
  return {
    since,
    until,
    requestId,
    text: textOf(query, 'q'),
    wants: filterOf(textOf(query, 'level')),
    limit: limit === null ? (follow && since !== undefined ? undefined : DEFAULT_LINES) : parseLimit(limit),
    follow
  }
}

/** `segment:offset`, the id of an event. @throws HearthError INVALID_REQUEST */
export function parseCursor(text: string): LogPosition {
  const match = /^(\d{1,12}):(\d{1,12})$/.exec(text)
  if (match === null) throw new HearthError('INVALID_REQUEST', 'Last-Event-ID: no id of a log event')
  return { segment: Number(match[1]), offset: Number(match[2]) }
}

function filterOf(level: string | undefined): (event: LogEvent) => boolean {
  const least = level === undefined ? -1 : LEVELS.indexOf(level.toUpperCase())
  if (level !== undefined && least === -1) throw invalid('level', `one of ${LEVELS.join(', ')}`)
  return (event) => least === -1 || LEVELS.indexOf(event.level) >= least
}

function timeOf(query: URLSearchParams, name: string, nowMs: number): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  const time = parseSince(text, nowMs)
  if (time === undefined) throw invalid(name, SINCE_RULE)
  return Date.parse(time)
}

function textOf(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name) ?? ''
  if (text.length > MAX_TEXT) throw invalid(name, `at most ${MAX_TEXT} characters`)
  return text === '' ? undefined : text
}

function parseFollow(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw invalid('follow', 'true or false')
  return text === 'true'
}

function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MAX_LINES) throw invalid('limit', `a whole number from 1 to ${MAX_LINES}`)
  return limit
}

function invalid(name: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `query.${name}: ${message}`, {
    errors: [{ path: `query.${name}`, message }]
  })
}
