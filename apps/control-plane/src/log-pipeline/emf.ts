import type { MetricKey } from '@hearth/store'

/** What one event says about one metric. */
export interface MetricValues {
  readonly key: MetricKey
  /** Unix time in ms. */
  readonly at: number
  readonly unit: string
  readonly resolution: 1 | 60
  readonly values: readonly number[]
}

export interface EmbeddedMetrics {
  readonly metrics: readonly MetricValues[]
  /** Parts that are not as the format wants them, and were passed over. */
  readonly faults: number
}

const MAX_METRICS = 100
const MAX_DIMENSIONS = 30
const MAX_VALUES = 100
/** Of one event, over all its directives: each set of dimensions makes series of its own. */
const MAX_SERIES = 1_000
const MAX_NAME = 1_024
const MAX_DIMENSION_NAME = 250
/** How far from now a time may be: what PutMetricData takes. */
const OLDEST_MS = 14 * 86_400_000
const NEWEST_MS = 2 * 3_600_000
/** Numbers that a metric may have. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
const LARGEST = 2 ** 360

const UNITS = new Set([
  ...['Seconds', 'Microseconds', 'Milliseconds', 'Percent', 'Count', 'None'],
  ...['Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes'].flatMap((unit) => [unit, `${unit}/Second`]),
  ...['Bits', 'Kilobits', 'Megabits', 'Gigabits', 'Terabits'].flatMap((unit) => [unit, `${unit}/Second`]),
  'Count/Second'
])

type Members = Readonly<Record<string, unknown>>

/**
 * Reads the embedded metric format: which members of a message are metrics is said in its `_aws`.
 *
 * @param at - When the event says it was written, Unix time in ms
 * @returns undefined for a message that is none
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function readEmbeddedMetrics(message: string, at: number, now: number): EmbeddedMetrics | undefined {
  // Most messages are none, and parsing each of them would be most of the work.
  if (!message.includes('"_aws"') || !/^\s*\{/.test(message)) return undefined
  let root: Members
  try {
    root = JSON.parse(message) as Members
  } catch {
    return undefined
  }
  const metadata = root['_aws']
  if (!isObject(metadata)) return undefined
  const directives = metadata['CloudWatchMetrics']
  if (directives === undefined) return undefined
  const time = metadata['Timestamp'] ?? at
  if (!Array.isArray(directives) || typeof time !== 'number' || !(time >= now - OLDEST_MS && time <= now + NEWEST_MS)) {
    return { metrics: [], faults: 1 }
  }
  const metrics: MetricValues[] = []
  let faults = 0
  for (const directive of directives as unknown[]) {
    const found = readDirective(root, directive, Math.floor(time))
    if (found === undefined || metrics.length + found.metrics.length > MAX_SERIES) {
      faults++
      continue
    }
    for (const one of found.metrics) metrics.push(one)
    faults += found.faults
  }
  return { metrics, faults }
}

/** @returns undefined for one that says nothing that can be used */
function readDirective(root: Members, directive: unknown, at: number): EmbeddedMetrics | undefined {
  if (!isObject(directive)) return undefined
  const { Namespace: namespace, Dimensions: dimensions = [[]], Metrics: definitions } = directive
  if (typeof namespace !== 'string' || !isNamespace(namespace)) return undefined
  if (!Array.isArray(dimensions) || !Array.isArray(definitions) || definitions.length > MAX_METRICS) return undefined
  let faults = 0
  const sets: MetricKey['dimensions'][] = []
  // No set at all: one without dimensions.
  for (const names of (dimensions.length === 0 ? [[]] : dimensions) as unknown[]) {
    const set = readSet(root, names)
    if (set === undefined) faults++
    else sets.push(set)
    if (sets.length * definitions.length > MAX_SERIES) return undefined
  }
  const metrics: MetricValues[] = []
  for (const definition of definitions as unknown[]) {
    const found = readMetric(root, definition)
    if (found === undefined) {
      faults++
      continue
    }
    const { name, ...rest } = found
    for (const set of sets) metrics.push({ key: { namespace, name, dimensions: set }, at, ...rest })
  }
  return { metrics, faults }
}

function readSet(root: Members, names: unknown): MetricKey['dimensions'] | undefined {
  if (!Array.isArray(names) || names.length > MAX_DIMENSIONS) return undefined
  const set = new Map<string, string>()
  for (const name of names as unknown[]) {
    if (typeof name !== 'string' || !isDimension(name, MAX_DIMENSION_NAME)) return undefined
    const value = own(root, name)
    if (typeof value !== 'string' || !isDimension(value, MAX_NAME)) return undefined
    set.set(name, value)
  }
  return [...set].sort(([a], [b]) => (a < b ? -1 : 1))
}

function readMetric(root: Members, definition: unknown) {
  if (!isObject(definition)) return undefined
  const { Name: name, Unit: unit, StorageResolution: resolution } = definition
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) return undefined
  const value = own(root, name)
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0 || values.length > MAX_VALUES || !values.every(isMetricValue)) return undefined
  return {
    name,
    unit: typeof unit === 'string' && UNITS.has(unit) ? unit : 'None',
    resolution: resolution === 1 ? (1 as const) : (60 as const),
    values
  }
}

export function isMetricValue(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= LARGEST
}

/** `AWS/…` are the platform's: a function that wrote there could raise or hide alarms of others. */
function isNamespace(text: string): boolean {
  return text.length > 0 && text.length <= 255 && /^[^:\p{Cc}][^\p{Cc}]*$/u.test(text) && !/^aws\//i.test(text)
}

function isDimension(text: string, longest: number): boolean {
  return text.length <= longest && text.trim() !== '' && !text.startsWith(':') && !/\p{Cc}/u.test(text)
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(root: Members, name: string): unknown {
  return Object.hasOwn(root, name) ? root[name] : undefined
}
