import { type ArnScope, HearthError, logGroupArn } from '@hearth/shared'
import type { LogReader, LogSettingsReader } from '@hearth/store'
import { type AwsJsonRouteDeps, awsJsonRoute } from '../aws-json-route.ts'
import { readBatch } from './batch.ts'

export interface PutLogEventsRouteDeps extends AwsJsonRouteDeps {
  readonly scope: ArnScope
  readonly logs: LogEventWriter
  readonly reader: Pick<LogReader, 'streams'>
  /** Undefined until the database is there. */
  readonly settings: () => LogSettingsReader | undefined
  readonly now: () => number
}

interface LogEventWriter {
  /** Resolves when they are on disk for good. @throws Error when they cannot be kept now */
  put(
    group: string,
    stream: string,
    events: readonly { readonly at: number; readonly message: string }[]
  ): Promise<void>
}

export const PUT_LOG_EVENTS = 'Logs_20140328.PutLogEvents'
/** A batch of 1 MiB, each character escaped, and 10,000 times what is around an event. */
const BODY_BYTES = 8_388_608

/** CloudWatch Logs' PutLogEvents: here and not in the control plane, because the gateway alone writes logs. */
export function putLogEventsRoute({ scope, logs, reader, settings, now, ...deps }: PutLogEventsRouteDeps) {
  /** @returns days that the group is kept; undefined: for ever. @throws HearthError LOG_GROUP_NOT_FOUND, RESOURCE_NOT_FOUND */
  const requireStream = async (group: string, stream: string): Promise<number | undefined> => {
    const known = settings()
    if (known === undefined) throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting.')
    const row = known.findGroup(group)
    if (known.hasStream(group, stream)) return row?.retentionDays
    // Functions make their groups and streams by writing.
    const written = await reader.streams(group)
    if (row === undefined && written.length === 0) {
      throw new HearthError('LOG_GROUP_NOT_FOUND', 'The specified log group does not exist.')
    }
    if (!written.some(({ name }) => name === stream)) {
      throw new HearthError('RESOURCE_NOT_FOUND', 'The specified log stream does not exist.')
    }
    return row?.retentionDays
  }

  return awsJsonRoute(deps, {
    service: 'logs',
    bodyBytes: BODY_BYTES,
    async serve({ principal, facts, body }) {
      const batch = readBatch(body)
      const resource = `${logGroupArn(scope, batch.group)}:log-stream:${batch.stream}`
      deps.hallway.access.require(principal, { action: 'logs:PutLogEvents', resource }, facts)
      const retentionDays = await requireStream(batch.group, batch.stream)
      const { events, rejected } = batch.within(now(), retentionDays)
      if (events.length > 0) {
        try {
          await logs.put(batch.group, batch.stream, events)
        } catch (cause) {
          throw new HearthError('QUEUE_UNAVAILABLE', 'The events cannot be kept now. Try again.', {
            cause,
            awsCode: 'ServiceUnavailableException'
          })
        }
      }
      return {
        // Nobody reads it any more, and old clients send it along.
        nextSequenceToken: String(now()).padStart(56, '4'),
        ...(rejected === undefined ? {} : { rejectedLogEventsInfo: rejected })
      }
    }
  })
}
