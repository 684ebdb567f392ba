import { Cron } from 'croner'
import { localTimeOf } from './zone.ts'

/** Why an expression is none; told to whoever wrote it. */
export class ScheduleFault extends Error {
  override readonly name = 'ScheduleFault'
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
/** In one search: hits that are dropped one after the other are at most those of one night. */
const MOST_DROPPED = 200

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const FIELDS: readonly Field[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day-of-month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day-of-week', min: 1, max: 7, names: DAYS },
  { name: 'year', min: 1970, max: 2_199 }
]

/**
 * AWS's `cron(minutes hours day-of-month month day-of-week year)`: days of the week are 1 (Sunday) to 7, and one of the two
 * fields for days is `?`. Times that clocks leave out in spring are left out; of those that come twice in autumn a time of
 * day comes once.
 *
 * @param text - What stands between the brackets
 * @returns the first time after a moment, Unix time in ms; undefined when there is none
 * @throws ScheduleFault
 */
export function parseCron(text: string, zone: string): (after: number) => number | undefined {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== FIELDS.length) {
    throw new ScheduleFault(
      `cron has 6 fields (minutes hours day-of-month month day-of-week year), not ${parts.length}`
    )
  }
  const fields = parts.map((part) => part.toUpperCase())
  const [minutes, hours, monthDay, month, weekDay, year] = fields as [string, string, string, string, string, string]
  if ((monthDay === '?') === (weekDay === '?')) {
    throw new ScheduleFault('one of day-of-month and day-of-week must be ?, and the other must not')
  }
  const minuteSet = numbersOf(minutes, FIELDS[0]!)
  const hourSet = numbersOf(hours, FIELDS[1]!)
  checkMonthDay(monthDay)
  numbersOf(month, FIELDS[3]!)
  checkWeekDay(weekDay)
  numbersOf(year, FIELDS[5]!)
  const any = (field: string): string => (field === '?' ? '*' : field)
  // L alone is the last day of the week, which the calculator takes for that of the month.
  const pattern = ['0', minutes, hours, any(monthDay), month, weekDay === 'L' ? '7' : any(weekDay), year].join(' ')
  const cron = calculator(pattern, zone)
  return (after) => {
    let from = after
    for (let i = 0; i < MOST_DROPPED; i++) {
      const hit = cron.nextRun(new Date(from))?.getTime()
      if (hit === undefined) return undefined
      // In the gap of spring the calculator puts a time off, which AWS leaves out.
      const local = localTimeOf(hit, zone)
      if (hourSet.has(local.hour) && minuteSet.has(local.minute)) return hit
      from = hit
    }
    return undefined
  }
}

function calculator(pattern: string, timezone: string): Cron {
  try {
    return new Cron(pattern, { mode: '7-part', alternativeWeekdays: true, sloppyRanges: true, paused: true, timezone })
  } catch {
    throw new ScheduleFault('the fields of cron do not fit together')
  }
}

/** Lists, ranges and steps. @throws ScheduleFault */
function numbersOf(text: string, field: Field): ReadonlySet<number> {
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    if (more !== undefined || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) throw wrong(field, part)
    let [low, high] = [field.min, field.max]
    if (range !== '*') {
      const ends = range.split('-')
      if (ends.length > 2) throw wrong(field, part)
      low = numberOf(ends[0]!, field, part)
      high = ends[1] === undefined ? (step === undefined ? low : field.max) : numberOf(ends[1], field, part)
      if (high < low) throw wrong(field, part)
    }
    for (let n = low; n <= high; n += Number(step ?? 1)) numbers.add(n)
  }
  return numbers
}

function numberOf(text: string, field: Field, part: string): number {
  const named = field.names?.indexOf(text) ?? -1
  if (named !== -1) return named + field.min
  if (!/^\d{1,4}$/.test(text)) throw wrong(field, part)
  const number = Number(text)
  if (number < field.min || number > field.max) throw wrong(field, part)
  return number
}

function checkMonthDay(text: string): void {
  if (/^(\?|L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W)$/.test(text)) {
    if (text.startsWith('L-')) throw new ScheduleFault(`day-of-month cannot be ${text}`)
    return
  }
  numbersOf(text, FIELDS[2]!)
}

function checkWeekDay(text: string): void {
  if (/^(\?|L)$/.test(text)) return
  const field = FIELDS[4]!
  const [, day, nth] = /^([A-Z]{3}|\d)(L|#[1-5])$/.exec(text) ?? []
  if (day !== undefined && nth !== undefined) numberOf(day, field, text)
  else numbersOf(text, field)
}

function wrong(field: Field, part: string): ScheduleFault {
  return new ScheduleFault(`${field.name} cannot be ${part.slice(0, 32)}`)
}
