import { type ArnScope, parseScheduleExpression, ruleArn, type Schedule, scheduleArn } from '@hearth/shared'
import type { EventQueue, RuleWithTargets } from '@hearth/store'
import type { Clock } from '../../async/clock.ts'
import { newBusEvent } from '../events/new-event.ts'
import { firingsOf } from '../events/put-events.ts'
import { type FireEvent, type Firing, uuidOf } from '../firing.ts'
import type { TriggerKind } from '../kind.ts'
import type { TriggerLog } from '../trigger-log.ts'
import type { ScheduleCounts } from './schedule-counts.ts'
import { createScheduler, type Timed } from './scheduler.ts'

export interface ScheduleKindOptions {
  readonly counts: ScheduleCounts
  readonly scope: ArnScope
  readonly clock: Clock
  readonly queue: Pick<EventQueue, 'listFires' | 'forgetFires'>
  readonly fire: FireEvent
  readonly log: TriggerLog
  readonly traceId: (requestId: string, sent: string | undefined) => string
  /** A schedule that is to delete itself has no next time. */
  readonly onCompleted: (schedule: Schedule) => void
  readonly onError: (err: unknown) => void
}

/** How late what was missed is still made up for. */
const LATE_MS = 15 * 60_000
const SERVICE = 'scheduler.amazonaws.com'

export interface ScheduleKind extends TriggerKind {
  /** What a schedule gives to its function for a due time. */
  firingOf(schedule: Schedule, requestId: string, dueAt: number): Firing
}

/** Schedules, and rules with one. */
export function createScheduleKind(given: ScheduleKindOptions): ScheduleKind {
  const { scope, clock, queue, counts } = given
  const options: ScheduleKindOptions = {
    ...given,
    async fire(firing) {
      const fired = await given.fire(firing)
      counts.fired(fired.outcome)
      return fired
    }
  }
  const scheduler = createScheduler({
    clock,
    loadFires: () => queue.listFires(),
    forget: (keys) => queue.forgetFires(keys),
    onError: options.onError,
    onFire: (lateMs) => {
      counts.late(lateMs)
    },
    onFailed: () => {
      counts.fired('error')
    }
  })
  return {
    update({ rules, schedules }) {
      const timed: Timed[] = []
      for (const rule of rules) {
        if (rule.isEnabled && rule.schedule !== undefined) timed.push(...timedRule(rule, rule.schedule, options))
      }
      for (const schedule of schedules) {
        const one = timedSchedule(schedule, options)
        if (one !== undefined) timed.push(one)
      }
      scheduler.update(timed)
    },
    start: () => {
      scheduler.start()
    },
    stop: () => {
      scheduler.stop()
    },
    health: () => scheduler.health(),
    firingOf
  }

  function timedRule(
    rule: RuleWithTargets,
    text: string,
    { fire, log, traceId }: ScheduleKindOptions
  ): readonly Timed[] {
    const arn = ruleArn(scope, rule.bus, rule.name)
    const expression = readable(text, { timeZone: 'UTC', anchor: rule.anchor, fromAnchor: false })
    if (expression === undefined) return []
    return rule.targets.map((target): Timed => {
      const key = `${rule.id}/${target.id}`
      return {
        key,
        version: JSON.stringify([rule, target]),
        expression,
        after: Math.max(rule.activeFrom, target.activeFrom),
        until: Number.POSITIVE_INFINITY,
        windowMs: 0,
        lateMs: target.retries?.maxAgeS === undefined ? LATE_MS : target.retries.maxAgeS * 1_000,
        fire(dueAt) {
          const id = uuidOf(`${rule.id}/${dueAt}`)
          const event = newBusEvent(scope, {
            id,
            source: 'aws.events',
            detailType: 'Scheduled Event',
            time: dueAt,
            resources: [arn],
            detail: '{}'
          })
          const [firing] = firingsOf({ ...rule, arn, targets: [target] }, event, dueAt, traceId(id, undefined))
          return fire({ ...firing!, fired: { key, dueAt } })
        },
        skipped: () => {
          log.skipped(arn)
        },
        completed: () => undefined
      }
    })
  }

  function timedSchedule(schedule: Schedule, { fire, log, onCompleted }: ScheduleKindOptions): Timed | undefined {
    if (!schedule.isEnabled) return undefined
    const { target, startAt, endAt, windowMinutes = 0 } = schedule
    const arn = scheduleArn(scope, schedule.group, schedule.name)
    const expression = readable(schedule.expression, {
      timeZone: schedule.timeZone,
      anchor: startAt ?? schedule.anchor,
      fromAnchor: startAt !== undefined
    })
    if (expression === undefined) return undefined
    const key = schedule.id
    return {
      key,
      version: JSON.stringify(schedule),
      expression,
      // The start date itself is one of its times.
      after: Math.max(schedule.activeFrom, startAt === undefined ? 0 : startAt - 1),
      until: endAt ?? Number.POSITIVE_INFINITY,
      windowMs: windowMinutes * 60_000,
      lateMs: target.retries?.maxAgeS === undefined ? LATE_MS : target.retries.maxAgeS * 1_000,
      fire(dueAt) {
        const requestId = uuidOf(`${schedule.id}/${dueAt}`)
        return fire({ ...firingOf(schedule, requestId, dueAt), fired: { key, dueAt } })
      },
      skipped: () => {
        log.skipped(arn)
      },
      completed: () => {
        if (schedule.deletesItself) onCompleted(schedule)
      }
    }
  }

  function firingOf(schedule: Schedule, requestId: string, dueAt: number): Firing {
    const { target } = schedule
    const arn = scheduleArn(scope, schedule.group, schedule.name)
    return {
      service: SERVICE,
      sourceArn: arn,
      roleArn: target.roleArn,
      target: target.arn,
      deadLetterArn: target.deadLetterArn,
      requestId,
      payload: Buffer.from(inputOf(schedule, arn, requestId, dueAt)),
      traceId: options.traceId(requestId, undefined),
      dueAt,
      fired: undefined
    }
  }

  /** What is stored was checked; a time zone may have gone from the machine since. */
  function readable(text: string, context: Parameters<typeof parseScheduleExpression>[1]) {
    try {
      return parseScheduleExpression(text, context)
    } catch (err) {
      options.onError(err)
      return undefined
    }
  }

  function inputOf(schedule: Schedule, arn: string, executionId: string, dueAt: number): string {
    const { input } = schedule.target
    const time = `${new Date(dueAt).toISOString().slice(0, 19)}Z`
    if (input !== undefined) {
      return input
        .replaceAll('<aws.scheduler.schedule-arn>', arn)
        .replaceAll('<aws.scheduler.scheduled-time>', time)
        .replaceAll('<aws.scheduler.execution-id>', executionId)
        .replaceAll('<aws.scheduler.attempt-number>', '1')
    }
    const event = {
      version: '0',
      id: executionId,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: scope.accountId,
      time,
      region: scope.region,
      resources: [arn],
      detail: '{}'
    }
    return JSON.stringify(event)
  }
}
