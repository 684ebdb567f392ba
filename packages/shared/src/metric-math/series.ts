/** A time series: values by Unix time in ms of their periods' beginnings, oldest first. */
export interface Series {
  readonly kind: 'series'
  readonly values: ReadonlyMap<number, number>
  /** Seconds. */
  readonly period: number
  /** What it is called where no label was given. */
  readonly label: string
}

/** What an expression can come to. */
export type MathValue =
  | Series
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Series[] }

/** @param times - In any order; those whose value is undefined or not finite have none */
export function seriesOf(
  times: Iterable<number>,
  value: (time: number) => number | undefined,
  period: number,
  label = ''
): Series {
  const values = new Map<number, number>()
  for (const time of [...times].sort((a, b) => a - b)) {
    const found = value(time)
    if (found !== undefined && Number.isFinite(found)) values.set(time, found)
  }
  return { kind: 'series', values, period, label }
}

export function timesOf(all: readonly Series[]): Set<number> {
  const times = new Set<number>()
  for (const { values } of all) for (const time of values.keys()) times.add(time)
  return times
}
