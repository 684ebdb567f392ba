import type { ArnScope } from './arn.ts'

/** Where events are put and rules look at them. */
export interface EventBus {
  readonly name: string
  readonly description: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** Which events, or when. */
export interface EventRule {
  readonly bus: string
  readonly name: string
  /** UUID: the next of its name is another. */
  readonly id: string
  /** JSON text. */
  readonly pattern: string | undefined
  /** `rate(…)` or `cron(…)`, UTC. */
  readonly schedule: string | undefined
  readonly isEnabled: boolean
  readonly description: string | undefined
  readonly roleArn: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** From when a rate counts, Unix time in ms. */
  readonly anchor: number
  /** What was due before is not made up for. */
  readonly activeFrom: number
  readonly createdAt: number
}

/** What of an event a target gets: all of it where nothing is said. */
export interface TargetInput {
  /** JSON text. */
  readonly input?: string | undefined
  readonly inputPath?: string | undefined
  readonly inputTransformer?:
    | { readonly paths: Readonly<Record<string, string>>; readonly template: string }
    | undefined
}

export interface TargetRetries {
  /** 0 to 185. */
  readonly maxAttempts?: number | undefined
  /** 60 to 86,400. */
  readonly maxAgeS?: number | undefined
}

/** Where events of a rule go: a function, by its ARN. */
export interface EventTarget extends TargetInput {
  readonly id: string
  readonly arn: string
  readonly roleArn?: string | undefined
  readonly retries?: TargetRetries | undefined
  readonly deadLetterArn?: string | undefined
  /** Schedules before do not concern it. */
  readonly activeFrom: number
}

/** All that the owner of a schedule says. */
export interface ScheduleSettings {
  /** `rate(…)`, `cron(…)` or `at(…)`. */
  readonly expression: string
  /** IANA name. */
  readonly timeZone: string
  /** Unix times in ms. */
  readonly startAt?: number | undefined
  readonly endAt?: number | undefined
  /** 1 to 1,440; undefined: at the time itself. */
  readonly windowMinutes?: number | undefined
  readonly isEnabled: boolean
  readonly description?: string | undefined
  readonly deletesItself: boolean
  readonly kmsKeyArn?: string | undefined
  /** Of the request that made it: the same again makes nothing. */
  readonly clientToken?: string | undefined
  readonly target: {
    readonly arn: string
    /** Undefined: the function's own policy must let schedules in. */
    readonly roleArn?: string | undefined
    readonly input?: string | undefined
    readonly retries?: TargetRetries | undefined
    readonly deadLetterArn?: string | undefined
  }
}

export interface Schedule extends ScheduleSettings {
  readonly group: string
  readonly name: string
  readonly id: string
  readonly anchor: number
  readonly activeFrom: number
  readonly createdAt: number
  readonly modifiedAt: number
}

export interface ScheduleGroup {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly modifiedAt: number
}

export const DEFAULT_BUS = 'default'

export function busArn({ region, accountId }: ArnScope, bus: string): string {
  return `arn:aws:events:${region}:${accountId}:event-bus/${bus}`
}

/** Rules of the default bus do not name it. */
export function ruleArn({ region, accountId }: ArnScope, bus: string, rule: string): string {
  return `arn:aws:events:${region}:${accountId}:rule/${bus === DEFAULT_BUS ? '' : `${bus}/`}${rule}`
}

export function scheduleArn({ region, accountId }: ArnScope, group: string, schedule: string): string {
  return `arn:aws:scheduler:${region}:${accountId}:schedule/${group}/${schedule}`
}

export function scheduleGroupArn({ region, accountId }: ArnScope, group: string): string {
  return `arn:aws:scheduler:${region}:${accountId}:schedule-group/${group}`
}
