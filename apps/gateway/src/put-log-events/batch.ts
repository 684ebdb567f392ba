import { HearthError } from '@hearth/shared'

/** An event from outside. @see reference: CloudWatch Logs §2.2 */
interface PutEvent {
  /** Unix time in ms. */
  readonly at: number
  readonly message: string
}

/** Indexes of events that were not taken, as AWS counts them. */
interface Rejected {
  /** Events before this one are too old. */
  readonly tooOldLogEventEndIndex?: number
  /** Events before this one are older than the group keeps them. */
  readonly expiredLogEventEndIndex?: number
  /** Events from this one on are too far ahead. */
  readonly tooNewLogEventStartIndex?: number
}

export interface Batch {
  readonly group: string
  readonly stream: string
  /** What of it is taken now. @param retentionDays - Undefined: for ever */
  within(
    now: number,
    retentionDays: number | undefined
  ): { readonly events: readonly PutEvent[]; readonly rejected: Rejected | undefined }
}

const MOST_EVENTS = 10_000
const MOST_BYTES = 1_048_576
/** What each event counts besides its text. */
const EVENT_BYTES = 26
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const OLDEST_DAYS = 14
const AHEAD_MS = 2 * HOUR_MS
/** The last millisecond of the year 9999. */
const LAST_TIME = 253_402_300_799_999

/** @throws HearthError INVALID_PAYLOAD, VALIDATION_FAILED (InvalidParameterException) */
export function readBatch(body: Buffer): Batch {
  const { logGroupName, logStreamName, logEvents } = membersOf(body)
  const group = readName(logGroupName, 'logGroupName', /^[.\-_/#A-Za-z0-9]+$/)
  const stream = readName(logStreamName, 'logStreamName', /^[^:*]*$/)
  const events = readEvents(logEvents)
  return { group, stream, within: (now, retentionDays) => within(events, now, retentionDays) }
}

function within(events: readonly PutEvent[], now: number, retentionDays: number | undefined) {
  const before = (at: number): number => {
    const first = events.findIndex((event) => event.at >= at)
    return first === -1 ? events.length : first
  }
  const old = before(now - OLDEST_DAYS * DAY_MS)
  const expired = retentionDays === undefined ? 0 : before(now - retentionDays * DAY_MS)
  const ahead = before(now + AHEAD_MS + 1)
  const rejected: Rejected = {
    ...(old > 0 ? { tooOldLogEventEndIndex: old } : {}),
    ...(expired > old ? { expiredLogEventEndIndex: expired } : {}),
    ...(ahead < events.length ? { tooNewLogEventStartIndex: ahead } : {})
  }
  return {
    events: events.slice(Math.max(old, expired), ahead),
    rejected: Object.keys(rejected).length === 0 ? undefined : rejected
  }
}

function membersOf(body: Buffer): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not JSON in UTF-8.')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not a JSON object.')
  }
  return parsed as Readonly<Record<string, unknown>>
}

function readName(value: unknown, member: string, pattern: RegExp): string {
  const name = requireType(value, member, 'string')
  if (name.length > 512) {
    throw invalid('Invalid LogGroup or LogStream, both must have length less than or equal to 512.')
  }
  if (name === '') throw broken(name, member, 'Member must have length greater than or equal to 1')
  if (!pattern.test(name)) {
    throw broken(name, member, `Member must satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`)
  }
  return name
}

function readEvents(value: unknown): readonly PutEvent[] {
  if (value === undefined || value === null) throw missing('logEvents')
  if (!Array.isArray(value)) throw otherType('logEvents')
  if (value.length === 0) throw broken('[]', 'logEvents', 'Member must have length greater than or equal to 1')
  if (value.length > MOST_EVENTS) {
    throw broken(`${value.length} events`, 'logEvents', `Member must have length less than or equal to ${MOST_EVENTS}`)
  }
  const events = value.map((event: unknown, i) => readEvent(event, `logEvents.${i + 1}.member`))
  const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + EVENT_BYTES, 0)
  if (bytes > MOST_BYTES) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${MOST_BYTES}`)
  if (events.some(({ at }, i) => i > 0 && at < events[i - 1]!.at)) {
    throw invalid('Log events in a single PutLogEvents request must be in chronological order.')
  }
  if (events.at(-1)!.at - events[0]!.at > DAY_MS) {
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.')
  }
  return events
}

function readEvent(value: unknown, place: string): PutEvent {
  if (typeof value !== 'object' || value === null) throw otherType(place)
  const { timestamp, message } = value as { readonly timestamp?: unknown; readonly message?: unknown }
  const at = requireType(timestamp, `${place}.timestamp`, 'number')
  const text = requireType(message, `${place}.message`, 'string')
  if (!Number.isInteger(at)) throw otherType(`${place}.timestamp`)
  if (at < 0) throw broken(at, `${place}.timestamp`, 'Member must have value greater than or equal to 0')
  if (at > LAST_TIME) {
    throw broken(at, `${place}.timestamp`, `Member must have value less than or equal to ${LAST_TIME}`)
  }
  if (text === '') throw broken('', `${place}.message`, 'Member must have length greater than or equal to 1')
  return { at, message: text }
}

function requireType<Type extends 'string' | 'number'>(
  value: unknown,
  member: string,
  type: Type
): Type extends 'string' ? string : number {
  if (value === undefined || value === null) throw missing(member)
  if (typeof value !== type) throw otherType(member)
  return value as Type extends 'string' ? string : number
}

function missing(member: string): HearthError {
  return invalid(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`
  )
}

function broken(value: string | number, member: string, constraint: string): HearthError {
  return invalid(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`
  )
}

function otherType(member: string): HearthError {
  return new HearthError('INVALID_PAYLOAD', `The member ${member} has another type than the API model says.`)
}

function invalid(message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', message, { awsCode: 'InvalidParameterException' })
}
