import type { LogPosition } from './types.ts'

/** Whether `one` stands before `other` in the same group: they are not the same. */
export function isBefore(one: LogPosition, other: LogPosition): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)
}
