import * as units from '@grafana/grafana-foundation-sdk/units'

/** What a panel's numbers are: Grafana's name of the unit, and the word for it in a table. */
export const UNITS = {
  perSecond: { grafana: units.OpsPerSecond, word: '1/s' },
  count: { grafana: units.Short, word: 'count' },
  ratio: { grafana: units.PercentUnit, word: '0–1' },
  seconds: { grafana: units.Seconds, word: 's' },
  bytes: { grafana: units.BytesIEC, word: 'bytes' },
  bytesPerSecond: { grafana: units.BytesPerSecondSI, word: 'bytes/s' }
} as const

interface Query {
  readonly expr: string
  /** Grafana's template of a series' name, as `{{status}}`. */
  readonly legend: string
}

/** One panel: what dashboards and docs/observability.md say of it. */
export interface Panel {
  /** Unique on its dashboard. */
  readonly title: string
  /** `bars`: a ranking at the end of the range; `table`: labels of series. */
  readonly kind: 'lines' | 'stat' | 'heatmap' | 'bars' | 'table'
  readonly unit: keyof typeof UNITS
  readonly queries: readonly Query[]
  /** A sentence for whoever sees it for the first time. */
  readonly shows: string
  /** What to do when it is not as it should be. */
  readonly act: string
  /** Of 24. */
  readonly width: 4 | 6 | 8 | 12 | 24
  /** From these values on it is drawn in yellow and in red. */
  readonly limits?: { readonly warning: number; readonly critical: number }
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Board {
  /** Also the name of its file, and its address in Grafana: never changed. */
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Has the variable `$function`. */
  readonly perFunction: boolean
  readonly rows: readonly Row[]
}

/** Rate of a counter, over a window that Grafana fits to the scrape interval. */
export function rate(counter: string): string {
  return `rate(${counter}[$__rate_interval])`
}

/** What a counter grew by in the time that the dashboard shows. */
export function grown(counter: string): string {
  return `increase(${counter}[$__range])`
}

/** @param quantile - 0 to 1 @param by - labels beside `le` @param matchers - as in a selector, without braces */
export function quantile(quantile: number, histogram: string, by: readonly string[] = [], matchers = ''): string {
  const selector = `${histogram}_bucket${matchers === '' ? '' : `{${matchers}}`}`
  return `histogram_quantile(${quantile}, sum by (${[...by, 'le'].join(', ')}) (${rate(selector)}))`
}
