/** What a budget bounds: money in the price table's currency, requests, or GB-seconds of duration. */
export type BudgetUnit = 'price' | 'requests' | 'gbSeconds'

/** Whose use counts. */
export type BudgetScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'function'; readonly functionName: string }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string }

export interface BudgetSettings {
  readonly amount: number
  readonly unit: BudgetUnit
  /** UTC. */
  readonly period: 'DAY' | 'MONTH'
  readonly scope: BudgetScope
  /** Percent of the amount, rising. */
  readonly thresholds: readonly number[]
  /** ARN of a function, or the URL of a webhook. */
  readonly target: string
}

export interface Budget extends BudgetSettings {
  readonly name: string
  /** Of a webhook: what its messages are signed with. */
  readonly secret: string | undefined
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** A threshold was crossed, once in a period. */
export interface BudgetAlert {
  /** UUID. */
  readonly id: string
  readonly budget: string
  /** First day of the period, since 1970-01-01, UTC. */
  readonly period: number
  readonly threshold: number
  readonly target: string
  /** JSON. */
  readonly body: string
  readonly state: 'waiting' | 'delivered' | 'failed'
  /** Unix times in ms. */
  readonly createdAt: number
  readonly dueAt: number
  /** That have failed. */
  readonly attempts: number
  /** Of the last one, or ''. */
  readonly error: string
}
