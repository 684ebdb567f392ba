import { LOG_LEVELS } from './protocol.ts'
import type { FunctionSpec } from './types.ts'

/** One line of a function's stdout or stderr as a log event. */
export interface RawLine {
  /** Unix ms. */
  readonly at: number
  readonly level: string
}

/** What loggers call Lambda's levels, in capitals. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...LOG_LEVELS.map((level) => [level, level] as const),
  ['INFORMATION', 'INFO'],
  ['WARNING', 'WARN'],
  ['CRITICAL', 'FATAL']
])
const TIMES = ['timestamp', 'time', '@timestamp', 'ts']
/** RFC 3339. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/
const INFO = LOG_LEVELS.indexOf('INFO')

/**
 * How lines that a function printed are taken, as Lambda takes them: in JSON format an object with a valid time tells
 * its own level, all else is INFO, and what is below the function's level is not written. In text format every line is.
 *
 * @returns a function that gives undefined for a line that is not to be written
 * @see reference: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export function createRawLines(spec: FunctionSpec, now: () => number): (line: string) => RawLine | undefined {
  if (spec.logFormat === 'Text') return () => ({ at: now(), level: 'INFO' })
  const lowest = Math.max(0, (LOG_LEVELS as readonly string[]).indexOf(spec.logLevel))
  return (line) => {
    const own = line.startsWith('{') ? readObject(line) : undefined
    const level = own?.level ?? 'INFO'
    const number = own === undefined ? INFO : (LOG_LEVELS as readonly string[]).indexOf(level)
    return number < lowest ? undefined : { at: own?.at ?? now(), level }
  }
}

/** @returns undefined for what is not JSON, or has no level and time that count */
function readObject(line: string): RawLine | undefined {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
  const { level } = fields
  const known = typeof level === 'string' ? NAMES.get(level.toUpperCase()) : undefined
  const time = TIMES.map((name) => fields[name]).find((value) => typeof value === 'string' && TIME.test(value))
  const at = Date.parse(String(time))
  return known === undefined || Number.isNaN(at) ? undefined : { at, level: known }
}
