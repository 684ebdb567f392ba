import { HearthError } from '../errors.ts'
import { parseCron, ScheduleFault } from './cron.ts'
import { momentOf, requireTimeZone } from './zone.ts'

/** When something is to happen. */
export interface ScheduleExpression {
  readonly kind: 'rate' | 'cron' | 'at'
  /**
   * The first time after a moment; both Unix time in ms.
   *
   * @returns undefined: never again
   */
  next(after: number): number | undefined
}

export interface ScheduleContext {
  /** IANA name. */
  readonly timeZone: string
  /** From when a rate counts, Unix time in ms. */
  readonly anchor: number
  /** Whether a rate's first time is the anchor itself, as with a start date; else it is one period later. */
  readonly fromAnchor: boolean
}

const MINUTE_MS = 60_000
const UNITS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: 1_440 * MINUTE_MS }
const AT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/

/**
 * Reads `rate(5 minutes)`, `cron(0 9 ? * MON-FRI *)` or `at(2027-01-02T03:04:05)`. A day of a rate has 24 hours.
 *
 * @param text - As AWS writes it
 * @throws HearthError INVALID_SCHEDULE, which says what is wrong
 * @see reference: Lambda events §6
 */
export function parseScheduleExpression(text: string, context: ScheduleContext): ScheduleExpression {
  requireTimeZone(context.timeZone)
  try {
    return parse(text, context)
  } catch (thrown) {
    if (!(thrown instanceof ScheduleFault)) throw thrown
    throw new HearthError(
      'INVALID_SCHEDULE',
      `Invalid Schedule Expression ${text.slice(0, 256)}. Reason: ${thrown.message}.`
    )
  }
}

/** The next times at which something happens, at most `count`. @param until - Unix time in ms; none after it */
export function nextTimes(
  schedule: ScheduleExpression,
  after: number,
  count: number,
  until = Number.POSITIVE_INFINITY
): readonly number[] {
  const times: number[] = []
  let at = schedule.next(after)
  while (at !== undefined && at <= until && times.length < count) {
    times.push(at)
    at = schedule.next(at)
  }
  return times
}

function parse(text: string, context: ScheduleContext): ScheduleExpression {
  const [, kind, inner = ''] = /^(rate|cron|at)\((.*)\)$/.exec(text) ?? []
  if (kind === 'rate') return { kind, next: parseRate(inner, context) }
  if (kind === 'cron') return { kind, next: parseCron(inner, context.timeZone) }
  if (kind !== 'at') throw new ScheduleFault('it is none of rate(…), cron(…) and at(…)')
  const at = parseAt(inner, context.timeZone)
  return { kind, next: (after) => (after < at ? at : undefined) }
}

function parseRate(text: string, { anchor, fromAnchor }: ScheduleContext): (after: number) => number {
  const [, digits = '', unit = ''] = /^\s*(\d{1,9})\s+([a-z]+)\s*$/.exec(text) ?? []
  const value = Number(digits)
  const unitMs = UNITS[unit.replace(/s$/, '')]
  if (digits === '' || unitMs === undefined) {
    throw new ScheduleFault('rate wants a number and minute(s), hour(s) or day(s)')
  }
  if (value === 0) throw new ScheduleFault('the value of rate must be greater than 0')
  if ((value === 1) === unit.endsWith('s')) {
    throw new ScheduleFault(value === 1 ? `rate(1 …) wants ${unit.slice(0, -1)}` : `rate(${value} …) wants ${unit}s`)
  }
  const period = value * unitMs
  const first = fromAnchor ? anchor : anchor + period
  return (after) => (after < first ? first : first + (Math.floor((after - first) / period) + 1) * period)
}

function parseAt(text: string, zone: string): number {
  const match = AT.exec(text)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? []).slice(1).map(Number)
  const plain = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  if (match === null || !plain.toISOString().startsWith(text)) {
    throw new ScheduleFault('at wants a time such as 2027-01-31T09:30:00')
  }
  const at = momentOf({ year, month, day, hour, minute, second }, zone)
  if (at === undefined) throw new ScheduleFault(`there is no such time in ${zone}: clocks are put forward over it`)
  return at
}
