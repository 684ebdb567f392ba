import { HearthError } from '../errors.ts'

/** A moment as clocks in a time zone show it. */
export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const FORMATS = new Map<string, Intl.DateTimeFormat>()
/** Names as in the IANA database; offsets such as `+01:00` are none. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/

/** @throws HearthError INVALID_SCHEDULE */
export function requireTimeZone(zone: string): void {
  try {
    if (ZONE.test(zone)) return void formatOf(zone)
  } catch {
    // Told below.
  }
  throw new HearthError(
    'INVALID_SCHEDULE',
    `There is no time zone ${zone.slice(0, 64)}; names are those of the IANA database, such as Europe/Berlin.`
  )
}

/** @param at - Unix time in ms */
export function localTimeOf(at: number, zone: string): LocalTime {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(at)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

/**
 * When clocks in a zone show a time; of two moments the first.
 *
 * @returns Unix time in ms; undefined when they never do, as in the hour that is left out in spring
 */
export function momentOf(local: LocalTime, zone: string): number | undefined {
  const wanted = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second)
  const candidates = [-DAY_MS, DAY_MS].map((away) => wanted - offsetAt(wanted + away, zone))
  const found = candidates.filter((at) => at + offsetAt(at, zone) === wanted)
  return found.length === 0 ? undefined : Math.min(...found)
}

const DAY_MS = 86_400_000

function offsetAt(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = localTimeOf(at, zone)
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
    FORMATS.set(zone, format)
  }
  return format
}
