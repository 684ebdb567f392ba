import { MathError } from './math-error.ts'
import { type MathValue, type Series, seriesOf, timesOf } from './series.ts'

/** When an expression is worked out. */
export interface MathContext {
  /** Metrics of the request, by id. */
  readonly metrics: ReadonlyMap<string, Series>
  /** Unix time in ms: `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
}

interface MathFunction {
  readonly min: number
  readonly max: number
  readonly run: (args: readonly MathValue[], context: MathContext) => MathValue
}

/** The functions of metric math. Those of one series work on each of a list. */
export const FUNCTIONS: Readonly<Record<string, MathFunction>> = Object.assign(
  Object.create(null) as Record<string, MathFunction>,
  {
    SUM: over((values) => values.reduce((sum, value) => sum + value, 0)),
    AVG: over((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    MIN: over((values) => values.reduce((least, value) => Math.min(least, value))),
    MAX: over((values) => values.reduce((most, value) => Math.max(most, value))),
    STDDEV: over((values) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    }),
    ABS: each(Math.abs),
    CEIL: each(Math.ceil),
    FLOOR: each(Math.floor),
    LOG: each(Math.log),
    LOG10: each(Math.log10),
    RUNNING_SUM: whole((series) => {
      let sum = 0
      return (time) => (sum += series.values.get(time)!)
    }),
    RATE: whole((series) => {
      let before: number | undefined
      return (time) => {
        const last = before
        before = time
        if (last === undefined) return undefined
        return (series.values.get(time)! - series.values.get(last)!) / ((time - last) / 1_000)
      }
    }),
    DIFF: whole((series) => {
      let before: number | undefined
      return (time) => {
        const last = before
        before = series.values.get(time)!
        return last === undefined ? undefined : before - last
      }
    }),
    PERIOD: {
      min: 1,
      max: 1,
      run: ([arg]) => ({ kind: 'number', value: seriesIn(arg, 'PERIOD').period })
    },
    METRIC_COUNT: {
      min: 1,
      max: 1,
      run: ([arg]) => ({ kind: 'number', value: allOf(arg, 'METRIC_COUNT').length })
    },
    METRICS: {
      min: 0,
      max: 1,
      run([filter], { metrics }) {
        if (filter !== undefined && filter.kind !== 'text') throw new MathError('METRICS takes a text')
        const items = [...metrics].filter(([id]) => filter === undefined || id.includes(filter.text))
        return { kind: 'list', items: items.map(([, series]) => series) }
      }
    },
    FILL: { min: 2, max: 2, run: fill },
    IF: { min: 2, max: 3, run: choose }
  } satisfies Record<string, MathFunction>
)

/** One number of one series, or of each period over several. */
function over(reduce: (values: readonly number[]) => number): MathFunction {
  return {
    min: 1,
    max: 1,
    run([arg]) {
      if (arg?.kind === 'series') {
        const values = [...arg.values.values()]
        const value = values.length === 0 ? Number.NaN : reduce(values)
        return { kind: 'number', value }
      }
      const all = allOf(arg, 'This function')
      const period = all[0]?.period ?? 60
      return seriesOf(timesOf(all), (time) => reduce(all.flatMap(({ values }) => values.get(time) ?? [])), period)
    }
  }
}

function each(step: (value: number) => number): MathFunction {
  return {
    min: 1,
    max: 1,
    run([arg]) {
      if (arg?.kind === 'number') return { kind: 'number', value: step(arg.value) }
      return mapSeries(arg, (series) =>
        seriesOf(series.values.keys(), (time) => step(series.values.get(time)!), series.period, series.label)
      )
    }
  }
}

/** @param begin - Is given a series; what it returns is asked for each time, oldest first */
function whole(begin: (series: Series) => (time: number) => number | undefined): MathFunction {
  return {
    min: 1,
    max: 1,
    run: ([arg]) =>
      mapSeries(arg, (series) => seriesOf(series.values.keys(), begin(series), series.period, series.label))
  }
}

/** Missing values become a number, those of another series, the last one there was, or points on a line. */
function fill([arg, filler]: readonly MathValue[], { from, to }: MathContext): MathValue {
  return mapSeries(arg, (series) => {
    const width = series.period * 1_000
    const times: number[] = []
    for (let time = Math.floor(from / width) * width; time < to; time += width) times.push(time)
    const known = [...series.values.keys()]
    return seriesOf(
      times,
      (time) => series.values.get(time) ?? filled(series, known, time, filler!),
      series.period,
      series.label
    )
  })
}

function filled(series: Series, known: readonly number[], time: number, filler: MathValue): number | undefined {
  if (filler.kind === 'number') return filler.value
  if (filler.kind === 'series') return filler.values.get(time)
  const before = known.findLast((other) => other < time)
  if (filler.kind === 'text' && filler.text === 'REPEAT')
    return before === undefined ? undefined : series.values.get(before)
  if (filler.kind === 'text' && filler.text === 'LINEAR') {
    const after = known.find((other) => other > time)
    if (before === undefined || after === undefined) return undefined
    const [low, high] = [series.values.get(before)!, series.values.get(after)!]
    return low + ((high - low) * (time - before)) / (after - before)
  }
  throw new MathError('FILL takes a number, a metric, REPEAT or LINEAR')
}

/** `IF(condition, then, else)`: a value is true when it is not 0. Without `else` there is no value where it is false. */
function choose([condition, yes, no]: readonly MathValue[]): MathValue {
  if (condition?.kind === 'number') {
    const chosen = condition.value === 0 ? no : yes
    return chosen ?? { kind: 'list', items: [] }
  }
  const asked = seriesIn(condition, 'IF')
  const branches = [yes, no].filter((value) => value?.kind === 'series')
  return seriesOf(
    timesOf([asked, ...branches]),
    (time) => {
      // Where the condition is not known, it is false.
      const chosen = (asked.values.get(time) ?? 0) === 0 ? no : yes
      if (chosen === undefined) return undefined
      if (chosen.kind === 'number') return asked.values.has(time) ? chosen.value : undefined
      return seriesIn(chosen, 'IF').values.get(time)
    },
    asked.period
  )
}

function mapSeries(value: MathValue | undefined, step: (series: Series) => Series): MathValue {
  if (value?.kind === 'list') return { kind: 'list', items: value.items.map(step) }
  return step(seriesIn(value, 'This function'))
}

function seriesIn(value: MathValue | undefined, who: string): Series {
  if (value?.kind === 'series') return value
  throw new MathError(`${who} takes a metric`)
}

function allOf(value: MathValue | undefined, who: string): readonly Series[] {
  if (value?.kind === 'list') return value.items
  if (value?.kind === 'series') return [value]
  throw new MathError(`${who} takes a metric or a list of metrics`)
}
