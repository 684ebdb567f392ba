import { HearthError, parseSince, SINCE_RULE } from '@hearth/shared'
import type { LogQuery } from './log-reader.ts'

const DEFAULT_LINES = 1_000
const MAX_LINES = 10_000

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
    since: sinceOf(query.get('since') ?? '', nowMs),
    requestId: query.get('requestId') ?? '',
    limit: parseLimit(query.get('limit') ?? String(DEFAULT_LINES))
  }
}

function sinceOf(text: string, nowMs: number): string {
  const since = text === '' ? '' : parseSince(text, nowMs)
  if (since === undefined) throw invalid('since', SINCE_RULE)
  return since
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
