import { HearthError } from '@hearth/shared'
import type { LogQuery } from './log-reader.ts'

const DEFAULT_LINES = 1_000
const MAX_LINES = 10_000
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * The query of `GET /v1/functions/{name}/logs`: `since` (a time, or how long ago: `90s`, `10m`, `2h`, `1d`), `limit`
 * (1 to 10,000 lines, default 1,000) and `requestId`.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  for (const name of query.keys()) {
    if (name !== 'since' && name !== 'limit' && name !== 'requestId') {
      throw invalid(name, `unknown; there are since, limit and requestId`)
    }
  }
  return {
    since: parseSince(query.get('since') ?? '', nowMs),
    requestId: query.get('requestId') ?? '',
    limit: parseLimit(query.get('limit') ?? String(DEFAULT_LINES))
  }
}

function parseSince(text: string, nowMs: number): string {
  if (text === '') return ''
  const ago = /^(\d{1,9})([smhd])$/.exec(text)
  const at = ago === null ? Date.parse(text) : nowMs - Number(ago[1]) * UNIT_MS[ago[2]!]!
  if (Number.isNaN(at)) throw invalid('since', `a time such as 2026-01-02T03:04:05Z, or how long ago: 90s, 10m, 2h, 1d`)
  // Before the year 0 there are no logs, and dates print differently.
  return new Date(Math.max(at, 0)).toISOString()
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
