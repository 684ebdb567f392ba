/**
 * API keys and usage plans, by the names that API Gateway's first version has for them: who calls an API with a key, and
 * how much.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
 */
export interface ApiKey {
  /** 10 lower-case letters and digits. */
  readonly id: string
  readonly name: string
  readonly description?: string | undefined
  readonly isEnabled: boolean
  readonly tags: Readonly<Record<string, string>>
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

export type QuotaPeriod = 'DAY' | 'WEEK' | 'MONTH'

export interface UsagePlan {
  /** 6 lower-case letters and digits. */
  readonly id: string
  readonly name: string
  readonly description?: string | undefined
  /** Of each key; undefined: as often as it likes. */
  readonly throttle?:
    | {
        /** Requests per second. */
        readonly rate: number
        /** At once. */
        readonly burst: number
      }
    | undefined
  /** Of each key; undefined: as much as it likes. */
  readonly quota?: { readonly limit: number; readonly period: QuotaPeriod } | undefined
  /** What its keys open. */
  readonly stages: readonly PlanStage[]
  readonly tags: Readonly<Record<string, string>>
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

export interface PlanStage {
  readonly apiId: string
  readonly stage: string
}

/** A key as the gateway knows it: by the hash of its value. */
export interface PublishedApiKey {
  readonly id: string
  /** SHA-256 of the value, in hexadecimal digits. */
  readonly valueHash: string
  readonly isEnabled: boolean
  /** Plans that it belongs to. */
  readonly planIds: readonly string[]
}

export const DAY_MS = 86_400_000

/** Days since 1970-01-01, UTC. @param at - Unix time in ms */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}

/** The first day of the period that a day is in: weeks begin on Sundays, as on AWS. */
export function periodStart(day: number, period: QuotaPeriod): number {
  if (period === 'DAY') return day
  const date = new Date(day * DAY_MS)
  return period === 'WEEK' ? day - date.getUTCDay() : day - date.getUTCDate() + 1
}
