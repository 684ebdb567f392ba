import { createHash } from 'node:crypto'

/** Digits of each part, so that ids of a group are in the order of time, then of writing. */
const [TIME, GROUP, SEGMENT, OFFSET] = [14, 18, 11, 12]

/**
 * Ids of a group's events as CloudWatch Logs has them: decimal, the same whenever the event is read, and of no other
 * event.
 */
export function logEventIds(
  group: string
): (event: {
  readonly at: number
  readonly position: { readonly segment: number; readonly offset: number }
}) => string {
  const hash = createHash('sha256').update(group).digest().readBigUInt64BE() % 10n ** BigInt(GROUP)
  const ownDigits = String(hash).padStart(GROUP, '0')
  return ({ at, position: { segment, offset } }) =>
    `3${digits(at, TIME)}${ownDigits}${digits(segment, SEGMENT)}${digits(offset, OFFSET)}`
}

function digits(value: number, length: number): string {
  return String(Math.max(0, Math.trunc(value))).padStart(length, '0')
}
