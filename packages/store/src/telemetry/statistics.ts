import { HearthError } from '@hearth/shared'
import { merged } from './distribution.ts'
import type { StatisticSet } from './types.ts'

type Trim = 'tm' | 'wm' | 'tc' | 'ts'

/** A statistic as CloudWatch names it, read. */
export type Statistic =
  | { readonly kind: 'SampleCount' | 'Sum' | 'Average' | 'Minimum' | 'Maximum' }
  | { readonly kind: 'percentile'; readonly percent: number }
  /** Of values between two ranks (0 to 100), or between two values (the lower one excluded, the upper one included). */
  | { readonly kind: Trim | 'pr'; readonly by: 'rank' | 'value'; readonly from: number; readonly to: number }

const PLAIN = new Set(['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum'])
const NUMBER = String.raw`(\d{1,15}(?:\.\d{1,10})?)`
const PERCENTILE = new RegExp(`^p${NUMBER}$`)
const SHORT_TRIM = new RegExp(`^(tm|wm|tc|ts)${NUMBER}$`, 'i')
const RANGE = new RegExp(`^(tm|wm|tc|ts|pr)\\((?:${NUMBER}(%)?)?:(?:${NUMBER}(%)?)?\\)$`, 'i')

/**
 * Reads `Sum`, `p99.9`, `tm90`, `TM(10%:90%)`, `TC(:500)`, `IQM`, `PR(100:200)` and the like.
 *
 * @throws HearthError VALIDATION_FAILED for what is no statistic
 */
export function parseStatistic(text: string): Statistic {
  if (PLAIN.has(text)) return { kind: text as 'Sum' }
  if (text === 'IQM') return { kind: 'tm', by: 'rank', from: 25, to: 75 }
  const [, percent] = PERCENTILE.exec(text) ?? []
  if (percent !== undefined && Number(percent) <= 100) return { kind: 'percentile', percent: Number(percent) }
  const [, short, rank] = SHORT_TRIM.exec(text) ?? []
  if (short !== undefined && Number(rank) <= 100) {
    return { kind: short.toLowerCase() as Trim, by: 'rank', from: 0, to: Number(rank) }
  }
  const range = RANGE.exec(text)
  const parsed = range === null ? undefined : rangeOf(range)
  if (parsed === undefined)
    throw new HearthError('VALIDATION_FAILED', `The value ${text} for a statistic is not valid.`)
  return parsed
}

function rangeOf([, name, low, lowPercent, high, highPercent]: RegExpExecArray): Statistic | undefined {
  if (low === undefined && high === undefined) return undefined
  const isRank = lowPercent !== undefined || highPercent !== undefined
  const isMixed = low !== undefined && high !== undefined && (lowPercent === undefined) !== (highPercent === undefined)
  const from = Number(low ?? (isRank ? 0 : -Infinity))
  const to = Number(high ?? (isRank ? 100 : Infinity))
  const kind = name!.toLowerCase() as Trim | 'pr'
  if (isMixed || from >= to || (isRank && (to > 100 || kind === 'pr'))) return undefined
  return { kind, by: isRank ? 'rank' : 'value', from, to }
}

/**
 * @param stat - As CloudWatch names it
 * @returns undefined when the values do not say: a percentile of values of which only sums are known
 * @throws HearthError VALIDATION_FAILED as {@link parseStatistic}
 */
export function statisticOf(values: StatisticSet, stat: string | Statistic): number | undefined {
  const statistic = typeof stat === 'string' ? parseStatistic(stat) : stat
  switch (statistic.kind) {
    case 'SampleCount':
      return values.count
    case 'Sum':
      return values.sum
    case 'Average':
      return values.count === 0 ? undefined : values.sum / values.count
    case 'Minimum':
      return values.min
    case 'Maximum':
      return values.max
    case 'percentile':
      return percentileOf(values, statistic.percent)
    default:
      return trimmed(values, statistic)
  }
}

function percentileOf({ distribution, min, max }: StatisticSet, percent: number): number | undefined {
  if (distribution === undefined) return undefined
  if (percent === 0) return min
  if (percent === 100) return max
  const sorted = merged(distribution)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  const rank = (percent / 100) * total
  let seen = 0
  for (const [value, count] of sorted) {
    seen += count
    // What is lost in floating point is far less than one value.
    if (seen >= rank - 1e-6) return value
  }
  return sorted.at(-1)?.[0]
}

function trimmed(
  { distribution }: StatisticSet,
  { kind, by, from, to }: Extract<Statistic, { by: unknown }>
): number | undefined {
  if (distribution === undefined) return undefined
  const sorted = merged(distribution)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  const inside =
    by === 'rank' ? betweenRanks(sorted, (from / 100) * total, (to / 100) * total) : between(sorted, from, to)
  const count = inside.reduce((sum, [, times]) => sum + times, 0)
  const sum = inside.reduce((all, [value, times]) => all + value * times, 0)
  switch (kind) {
    case 'tc':
      return count
    case 'ts':
      return sum
    case 'pr':
      return total === 0 ? undefined : (count / total) * 100
    case 'tm':
      return count === 0 ? undefined : sum / count
    case 'wm':
      return winsorized(sorted, inside, by === 'value' ? { from, to } : undefined)
  }
}

/** Mean with all that is outside taken as the bound next to it. */
function winsorized(
  sorted: readonly [number, number][],
  inside: readonly [number, number][],
  bounds: { readonly from: number; readonly to: number } | undefined
): number | undefined {
  const low = bounds?.from ?? inside[0]?.[0]
  const high = bounds?.to ?? inside.at(-1)?.[0]
  if (low === undefined || high === undefined) return undefined
  let count = 0
  let sum = 0
  for (const [value, times] of sorted) {
    count += times
    sum += Math.min(high, Math.max(low, value)) * times
  }
  return count === 0 ? undefined : sum / count
}

function between(sorted: readonly [number, number][], from: number, to: number): [number, number][] {
  return sorted.filter(([value]) => value > from && value <= to)
}

function betweenRanks(sorted: readonly [number, number][], from: number, to: number): [number, number][] {
  const inside: [number, number][] = []
  let seen = 0
  for (const [value, count] of sorted) {
    const times = Math.min(to, seen + count) - Math.max(from, seen)
    if (times > 0) inside.push([value, times])
    seen += count
  }
  return inside
}
