import type { ArnScope } from '@hearth/shared'
import { groupOfFunction, type LogEvent, type LogReader, type LogWriter } from '@hearth/store'
import type { Hallway } from '../call.ts'
import { findFunction } from '../invoke.ts'
import { respond } from '../respond.ts'
import type { ServerRoute } from '../server-routes.ts'
import { type LogRequest, parseLogQuery } from './log-query.ts'

/** `GET /v1/functions/{name}/logs`: the function's lines as NDJSON, newest last. */
export function logsRoute(hallway: Hallway, scope: ArnScope, logs: LogWriter, reader: LogReader): ServerRoute {
  return async (req, res, name) => {
    const { entry } = findFunction(hallway.directory, scope, name, undefined)
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const request = parseLogQuery(new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)), Date.now())
    const { logGroup } = entry.record.logging
    // What was logged before the question belongs to the answer.
    await logs.flush(logGroup)
    const events = await newest(reader, logGroup, entry.record.name, request)
    respond(res, 200, ['content-type', 'application/x-ndjson'], events.map(toLine).join(''))
  }
}

/** Oldest first. Reads from the newest backwards, and only as far as the limit needs. */
async function newest(
  reader: LogReader,
  group: string,
  functionName: string,
  { since, until, requestId, wants, limit = Number.POSITIVE_INFINITY }: LogRequest
): Promise<LogEvent[]> {
  const found: LogEvent[] = []
  const isOwn = group === groupOfFunction(functionName)
  for await (const batch of reader.read(group, { backwards: true, since, until, requestId })) {
    for (const event of batch) {
      // Who else writes to a group that functions share is not asked for.
      if (event.functionName !== functionName && !(isOwn && event.functionName === '')) continue
      if (!wants(event)) continue
      found.push(event)
      if (found.length === limit) return found.reverse()
    }
  }
  return found.reverse()
}

function toLine({ at, stream, requestId, level, message }: LogEvent): string {
  return `${JSON.stringify({ t: new Date(at).toISOString(), stream, requestId, level, msg: message })}\n`
}
