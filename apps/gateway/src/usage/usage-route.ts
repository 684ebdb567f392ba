import { once } from 'node:events'
import { type FunctionUsageDay, HearthError, MEASURES } from '@hearth/shared'
import { queryMember } from '../invoke.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { UsageWriter } from './usage-writer.ts'

/** More than a year: as long as counts are kept. */
const MOST_DAYS = 400

/**
 * `GET /internal/function-usage?from&to`, for the control plane: a line of JSON per day that has something, each
 * `[day, [name, role, architecture, …measures], …]`. By days, so that the queue's writer is never long busy with it.
 */
export function functionUsageRoute(usage: UsageWriter): ServerRoute {
  return async (req, res) => {
    const from = Number(queryMember(req.url!, 'from'))
    const to = Number(queryMember(req.url!, 'to'))
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to || to - from >= MOST_DAYS) {
      throw new HearthError('INVALID_REQUEST', 'from and to: days since 1970-01-01')
    }
    await usage.flush()
    let isFirst = true
    for (let day = from; day <= to; day++) {
      const rows = await usage.day(day)
      if (res.destroyed) return
      if (isFirst) res.writeHead(200, ['content-type', 'application/x-ndjson'])
      isFirst = false
      if (rows.length === 0) continue
      if (!res.write(`${JSON.stringify([day, ...rows.map(toRow)])}\n`)) {
        await Promise.race([once(res, 'drain'), once(res, 'close')])
      }
    }
    res.end()
  }
}

function toRow({ functionName, role, architecture, usage }: FunctionUsageDay): (string | number)[] {
  return [functionName, role, architecture, ...MEASURES.map((measure) => usage[measure])]
}
