import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { logEventIds } from '@hearth/shared'
import type { LogEvent } from '@hearth/store'

const compress = promisify(gzip)

/** What goes to a function as one event: events of one stream, in their order. */
export interface SubscriptionBatch {
  readonly stream: string
  readonly events: readonly LogEvent[]
}

/** Characters of messages in one batch: what they become fits into an event of a function even where nothing can be compressed. */
export const BATCH_CHARACTERS = 524_288
const BATCH_EVENTS = 10_000

/** The same events are always the same batches. */
export function batchesOf(events: readonly LogEvent[]): readonly SubscriptionBatch[] {
  const batches: { stream: string; events: LogEvent[] }[] = []
  const open = new Map<string, { readonly events: LogEvent[]; characters: number }>()
  for (const event of events) {
    let batch = open.get(event.stream)
    const isFull =
      batch !== undefined &&
      (batch.characters + event.message.length > BATCH_CHARACTERS || batch.events.length >= BATCH_EVENTS)
    if (batch === undefined || isFull) {
      batch = { events: [], characters: 0 }
      open.set(event.stream, batch)
      batches.push({ stream: event.stream, events: batch.events })
    }
    batch.events.push(event)
    batch.characters += event.message.length
  }
  return batches
}

/** The event of a function as CloudWatch Logs makes it. @see reference: events/cloudwatch-logs.json */
export async function subscriptionPayload(
  owner: string,
  group: string,
  filter: string,
  { stream, events }: SubscriptionBatch
): Promise<string> {
  const idOf = logEventIds(group)
  const message = {
    messageType: 'DATA_MESSAGE',
    owner,
    logGroup: group,
    logStream: stream,
    subscriptionFilters: [filter],
    logEvents: events.map((event) => ({ id: idOf(event), timestamp: event.at, message: event.message }))
  }
  return JSON.stringify({ awslogs: { data: (await compress(JSON.stringify(message))).toString('base64') } })
}
