import type { MetricKey } from '../telemetry/types.ts'

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
export type AlarmType = 'MetricAlarm' | 'CompositeAlarm'

/** One of the queries of an alarm that computes with several metrics. */
export interface AlarmQuery {
  readonly id: string
  readonly metricStat?:
    | { readonly metric: MetricKey; readonly period: number; readonly stat: string; readonly unit?: string | undefined }
    | undefined
  readonly expression?: string | undefined
  readonly label?: string | undefined
  /** Absent: true. */
  readonly returnData?: boolean | undefined
  /** Seconds. */
  readonly period?: number | undefined
}

interface AlarmActions {
  readonly description?: string | undefined
  readonly actionsEnabled: boolean
  /** ARNs of functions, and URLs of webhooks. */
  readonly okActions: readonly string[]
  readonly alarmActions: readonly string[]
  readonly insufficientDataActions: readonly string[]
}

/** What its owner says of an alarm on a metric: one metric, or queries. */
export interface MetricAlarmSettings extends AlarmActions {
  readonly type: 'MetricAlarm'
  readonly metric?: MetricKey | undefined
  /** `Sum` and the like, or `p99` and the like. */
  readonly stat?: string | undefined
  /** Seconds. */
  readonly period?: number | undefined
  readonly unit?: string | undefined
  readonly queries?: readonly AlarmQuery[] | undefined
  readonly evaluationPeriods: number
  readonly datapointsToAlarm?: number | undefined
  readonly threshold: number
  readonly comparisonOperator: string
  readonly treatMissingData?: string | undefined
  readonly lowSampleCount?: string | undefined
}

/** An alarm on the states of others. */
export interface CompositeAlarmSettings extends AlarmActions {
  readonly type: 'CompositeAlarm'
  readonly rule: string
}

export type AlarmSettings = MetricAlarmSettings | CompositeAlarmSettings

export interface AlarmStatus {
  readonly value: AlarmState
  readonly reason: string
  /** JSON text. */
  readonly reasonData?: string | undefined
  /** Unix times in ms. */
  readonly updatedAt: number
  readonly transitionedAt: number
}

export interface AlarmRecord<Settings extends AlarmSettings = AlarmSettings> {
  readonly name: string
  /** UUID; another alarm of the same name has another. */
  readonly id: string
  readonly settings: Settings
  readonly tags: Readonly<Record<string, string>>
  readonly status: AlarmStatus
  /** Unix time in ms. */
  readonly configuredAt: number
}

export type AlarmHistoryType = 'ConfigurationUpdate' | 'StateUpdate' | 'Action'

export interface AlarmHistoryItem {
  /** Grows with time. */
  readonly id: number
  readonly alarm: string
  readonly alarmType: AlarmType
  /** Unix time in ms. */
  readonly at: number
  readonly type: AlarmHistoryType
  readonly summary: string
  /** JSON text. */
  readonly data: string
}

/** Something that is to be sent because an alarm changed its state. */
export interface AlarmSending {
  /** Lower-case UUID: the receiver's id of it, however often it is sent. */
  readonly id: string
  readonly alarm: string
  readonly alarmType: AlarmType
  readonly kind: 'action' | 'event'
  /** Of an action: ARN of a function, or URL of a webhook. */
  readonly target: string
  /** JSON text. */
  readonly body: string
  /** Unix times in ms. */
  readonly createdAt: number
  readonly dueAt: number
  readonly attempts: number
}

export type NewAlarmSending = Omit<AlarmSending, 'dueAt' | 'attempts'>
export type NewAlarmHistoryItem = Omit<AlarmHistoryItem, 'id'>

export interface AlarmHistoryQuery {
  readonly alarm?: string | undefined
  readonly alarmTypes?: readonly AlarmType[] | undefined
  readonly type?: string | undefined
  /** Unix times in ms; `from` inclusive, `to` exclusive. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly isAscending: boolean
  /** Id of the last item of the page before. */
  readonly after?: number | undefined
  readonly limit: number
}
