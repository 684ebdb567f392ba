import { compileLogFilter, type LogFilter, type MetricFilter, type MetricTransformation } from '@hearth/shared'
import type { LogEvent, MetricKey } from '@hearth/store'
import { isMetricValue, type MetricValues } from './emf.ts'

/** A metric filter, ready to look at events. */
export interface ArmedMetricFilter {
  readonly definition: MetricFilter
  readonly pattern: LogFilter
  /** Some transformation says what a minute without a match has. */
  readonly hasDefault: boolean
}

const MINUTE_MS = 60_000
const MAX_VALUE = 1_024

/** @throws HearthError INVALID_LOG_FILTER */
export function armMetricFilter(definition: MetricFilter): ArmedMetricFilter {
  return {
    definition,
    pattern: compileLogFilter(definition.pattern),
    hasDefault: definition.transformations.some(({ defaultValue }) => defaultValue !== undefined)
  }
}

/** @returns what an event gives; undefined when the filter does not match it */
export function applyMetricFilter(
  { definition, pattern }: ArmedMetricFilter,
  { message, at }: LogEvent
): readonly MetricValues[] | undefined {
  const match = pattern.match(message)
  if (match === undefined) return undefined
  return definition.transformations.flatMap((transformation): readonly MetricValues[] => {
    const { metricValue } = transformation
    const text = metricValue.startsWith('$') ? match.valueOf(metricValue) : metricValue
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
    if (!isMetricValue(value)) return []
    const dimensions: [string, string][] = []
    for (const [name, reference] of Object.entries(transformation.dimensions ?? {})) {
      const found = match.valueOf(reference)
      // Without one of its dimensions it would be another metric.
      if (found === undefined || found.trim() === '') return []
      dimensions.push([name, found.slice(0, MAX_VALUE)])
    }
    dimensions.sort(([a], [b]) => (a < b ? -1 : 1))
    return [{ key: keyOf(transformation, dimensions), ...facts(transformation, at), values: [value] }]
  })
}

/** What a minute has in which there were events and the filter matched none. */
export function defaultsOf({ transformations }: MetricFilter, minute: number): readonly MetricValues[] {
  return transformations.flatMap((transformation) => {
    const { defaultValue } = transformation
    if (defaultValue === undefined) return []
    return [{ key: keyOf(transformation, []), ...facts(transformation, minute), values: [defaultValue] }]
  })
}

export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS
}

function keyOf({ metricNamespace, metricName }: MetricTransformation, dimensions: MetricKey['dimensions']): MetricKey {
  return { namespace: metricNamespace, name: metricName, dimensions }
}

function facts({ unit = 'None' }: MetricTransformation, at: number) {
  return { at, unit, resolution: 60 as const }
}
