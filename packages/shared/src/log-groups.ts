import type { ArnScope } from './arn.ts'

/**
 * What is said of log groups, by CloudWatch Logs' names.
 *
 * @see reference: CloudWatch Logs §2
 */
export interface LogGroup {
  readonly name: string
  /** Unix time in ms. */
  readonly createdAt: number
  /** Days; undefined: for ever. */
  readonly retentionDays: number | undefined
  readonly class: LogGroupClass
  /** DeleteLogGroup is refused. */
  readonly isDeletionRefused: boolean
  readonly tags: Readonly<Record<string, string>>
}

export const LOG_GROUP_CLASSES = ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY'] as const
export type LogGroupClass = (typeof LOG_GROUP_CLASSES)[number]

/** Made by CreateLogStream. */
export interface LogStream {
  readonly name: string
  /** Unix time in ms. */
  readonly createdAt: number
}

/** Events of a group that match go to a function. */
export interface SubscriptionFilter {
  readonly group: string
  readonly name: string
  readonly pattern: string
  /** ARN of a function, with a qualifier perhaps. */
  readonly destinationArn: string
  readonly distribution: 'ByLogStream' | 'Random'
  /** Unix time in ms; events that were taken before are not sent. It stays when the filter is changed. */
  readonly createdAt: number
}

/** Events of a group that match are counted, or their values are. */
export interface MetricFilter {
  readonly group: string
  readonly name: string
  readonly pattern: string
  readonly transformations: readonly MetricTransformation[]
  /** Unix time in ms, as above. */
  readonly createdAt: number
}

export interface MetricTransformation {
  readonly metricName: string
  readonly metricNamespace: string
  /** A number, or where in the event it stands: `$.latency`, `$bytes`. */
  readonly metricValue: string
  /** What a minute with events of which none matched has; undefined: nothing. */
  readonly defaultValue?: number | undefined
  /** Name, and where in the event the value stands. */
  readonly dimensions?: Readonly<Record<string, string>> | undefined
  readonly unit?: string | undefined
}

/** Events that were taken at this time or before are gone. */
export interface LogRemoval {
  readonly group: string
  /** '': all of the group's. */
  readonly stream: string
  /** Unix time in ms. */
  readonly at: number
}

/** Without the `:*` that a group's ARN ends with where it stands for what is in it. */
export function logGroupArn({ region, accountId }: ArnScope, group: string): string {
  return `arn:aws:logs:${region}:${accountId}:log-group:${group}`
}

/** What a retention may be, in days. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653
]
