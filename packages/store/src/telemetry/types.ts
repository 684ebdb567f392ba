/** What identifies one series: each distinct set of dimensions is a series of its own, as in CloudWatch. */
export interface MetricKey {
  readonly namespace: string
  readonly name: string
  /** Sorted by name, each name once. */
  readonly dimensions: readonly (readonly [name: string, value: string])[]
}

/** Several values of one series at one time. */
export interface StatisticSet {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  /** Values by frequency, exact or as representatives of narrow buckets; without it there are no percentiles. */
  readonly distribution?: readonly (readonly [value: number, count: number])[] | undefined
}

export interface MetricSample {
  readonly key: MetricKey
  /** Unix time in ms. */
  readonly at: number
  /** CloudWatch's name, `None` when there is none. */
  readonly unit: string
  /** 1 or 60 seconds. */
  readonly resolution?: 1 | 60
  readonly values: StatisticSet
}

/** All that a series had in one period. */
export interface MetricPoint {
  /** Unix time in ms of the period's beginning. */
  readonly at: number
  readonly unit: string
  readonly values: StatisticSet
}

export interface MetricQuery {
  readonly key: MetricKey
  /** Unix time in ms; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** Seconds: 1, 5, 10, 20, 30 or a multiple of 60. */
  readonly period: number
  readonly unit?: string | undefined
}

/** Metrics over time, in `telemetry.db`; the control plane alone opens it. */
export interface MetricStore {
  /** One transaction. @param report - With one that was taken before, nothing is done: a report that is sent again */
  put(samples: readonly MetricSample[], report?: string): void
  /** Periods with data, oldest first, aligned to multiples of the period. */
  points(query: MetricQuery): MetricPoint[]
  /** Series with data in the last two weeks. @param filter.recent - In the last three hours */
  list(filter: { namespace?: string | undefined; name?: string | undefined; recent?: boolean | undefined }): MetricKey[]
}
