import { groupOfFunction, isBefore, type LogEvent, type LogLoss, type LogPosition, type LogReader } from '@hearth/store'
import type { LogRequest } from './log-query.ts'

/** What of which group is asked for. */
export interface FunctionLog {
  readonly group: string
  readonly functionName: string
  readonly request: LogRequest
}

/** Oldest first, up to `end`. Reads from there backwards, and only as far as the limit needs. */
export async function newestEvents(
  reader: LogReader,
  { group, functionName, request }: FunctionLog,
  end?: LogPosition
): Promise<LogEvent[]> {
  const { since, until, requestId, text, limit = Number.POSITIVE_INFINITY } = request
  const wants = wishOf(group, functionName, request)
  const found: LogEvent[] = []
  for await (const batch of reader.read(group, { after: end, backwards: true, since, until, requestId, text })) {
    for (const event of batch) {
      if (!wants(event)) continue
      found.push(event)
      if (found.length === limit) return found.reverse()
    }
  }
  return found.reverse()
}

/**
 * Sends the events behind `after`, oldest first, as far as there are any.
 *
 * @param onLoss - Told, between the events before and behind, of some that were removed before they could be read
 * @returns behind all of them, whether they were wanted or not
 */
export async function sendEvents(
  reader: LogReader,
  { group, functionName, request }: FunctionLog,
  after: LogPosition | undefined,
  send: (events: readonly LogEvent[]) => Promise<boolean>,
  onLoss: (loss: LogLoss) => void
): Promise<LogPosition> {
  const { since, requestId, text } = request
  const wants = wishOf(group, functionName, request)
  // What comes while this reads has greater positions: it is read here, or the next time.
  let reached = await reader.end(group)
  if (after !== undefined && isBefore(reached, after)) reached = after
  const reach = (position: LogPosition): void => {
    if (isBefore(reached, position)) reached = position
  }
  const notice = (loss: LogLoss): void => {
    reach(loss.until)
    onLoss(loss)
  }
  for await (const batch of reader.read(group, { after, since, requestId, text, onLoss: notice })) {
    reach(batch.at(-1)!.position)
    if (!(await send(batch.filter(wants)))) break
  }
  return reached
}

function wishOf(group: string, functionName: string, { wants }: LogRequest): (event: LogEvent) => boolean {
  const isOwn = group === groupOfFunction(functionName)
  // Who else writes to a group that functions share is not asked for.
  return (event) => (event.functionName === functionName || (isOwn && event.functionName === '')) && wants(event)
}
