import {
  HearthError,
  nextTimes,
  parseScheduleExpression,
  type Schedule,
  type ScheduleSettings,
  scheduleArn
} from '@hearth/shared'
import { z } from 'zod'
import { passRole } from '../events/model.ts'
import type { Schedules } from '../scheduler/schedules.ts'
import type { TriggerKind, TriggerShown } from './kind.ts'
import { Common } from './schemas.ts'
import type { ServicePermissions } from './service-permission.ts'

const Time = z.iso.datetime({ offset: true })
const Body = z.strictObject({
  ...Common,
  expression: z.string().min(1).max(256).meta({ description: 'rate(…), cron(…) or at(…): see docs/schedules.md' }),
  timeZone: z.string().min(1).max(50).optional().meta({ description: 'IANA name. Default: UTC' }),
  startAt: Time.nullish(),
  endAt: Time.nullish(),
  windowMinutes: z.int().min(1).max(1_440).nullish().meta({ description: 'It fires at some moment in the window' }),
  deleteAfterCompletion: z.boolean().optional(),
  role: z
    .string()
    .max(1_600)
    .nullish()
    .meta({ description: "Invoke as this role. Default: by the function's policy, which is made to allow it" })
})

const GROUP = 'default'
const SERVICE = 'scheduler.amazonaws.com'
const SHOWN_TIMES = 10

/** Schedules of the default group. */
export function createScheduleKind(
  schedules: Schedules,
  permissions: ServicePermissions,
  now: () => Date
): TriggerKind<typeof Body> {
  const { scope, repository } = schedules
  const arnOf = (name: string): string => scheduleArn(scope, GROUP, name)
  const statementOf = (name: string): string => `hearth-schedule-${name.replaceAll('.', '_')}`
  const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

  /** The next times, flexible windows aside. */
  const timesOf = (schedule: Schedule): readonly string[] => {
    if (!schedule.isEnabled) return []
    const { expression, timeZone, startAt, endAt, anchor, activeFrom } = schedule
    const parsed = parseScheduleExpression(expression, {
      timeZone,
      anchor: startAt ?? anchor,
      fromAnchor: startAt !== undefined
    })
    const after = Math.max(now().getTime(), activeFrom, startAt === undefined ? 0 : startAt - 1)
    return nextTimes(parsed, after, SHOWN_TIMES, endAt).map((at) => new Date(at).toISOString())
  }
  const show = (schedule: Schedule, created = false): TriggerShown => {
    const { target, name } = schedule
    return {
      arn: arnOf(name),
      created,
      view: {
        kind: 'schedule',
        name,
        arn: arnOf(name),
        functions: [target.arn],
        enabled: schedule.isEnabled,
        description: schedule.description ?? '',
        expression: schedule.expression,
        timeZone: schedule.timeZone,
        startAt: iso(schedule.startAt),
        endAt: iso(schedule.endAt),
        windowMinutes: schedule.windowMinutes ?? null,
        deleteAfterCompletion: schedule.deletesItself,
        role: target.roleArn ?? null,
        input: target.input === undefined ? null : (JSON.parse(target.input) as unknown),
        deadLetterFunction: target.deadLetterArn ?? null,
        nextTimes: timesOf(schedule),
        createdAt: new Date(schedule.createdAt).toISOString()
      }
    }
  }
  const getOwn = (name: string): Schedule => {
    const schedule = repository.find(GROUP, name)
    if (schedule === undefined) {
      throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name} of kind schedule.`)
    }
    return schedule
  }
  const settingsOf = (body: z.output<typeof Body>): ScheduleSettings => ({
    expression: body.expression,
    timeZone: body.timeZone ?? 'UTC',
    startAt: body.startAt == null ? undefined : Date.parse(body.startAt),
    endAt: body.endAt == null ? undefined : Date.parse(body.endAt),
    windowMinutes: body.windowMinutes ?? undefined,
    isEnabled: body.enabled ?? true,
    description: body.description ?? undefined,
    deletesItself: body.deleteAfterCompletion ?? false,
    target: {
      arn: permissions.arnOf(body.function),
      roleArn: body.role ?? undefined,
      input: body.input === undefined ? undefined : JSON.stringify(body.input),
      deadLetterArn: body.deadLetterFunction == null ? undefined : permissions.arnOf(body.deadLetterFunction)
    }
  })

  return {
    kind: 'schedule',
    body: Body,
    summary: 'times',
    wishes(step, name, body) {
      if (step === 'list') return [{ action: 'scheduler:ListSchedules', resource: '*' }]
      const resource = arnOf(name)
      if (body === undefined) {
        const verb = step === 'get' ? 'Get' : step === 'delete' ? 'Delete' : 'Update'
        return [{ action: `scheduler:${verb}Schedule`, resource }]
      }
      const verb = repository.find(GROUP, name) === undefined ? 'Create' : 'Update'
      return [
        { action: `scheduler:${verb}Schedule`, resource },
        ...(body.role == null
          ? [permissions.wish(body.function, 'lambda:AddPermission')]
          : passRole(body.role, SERVICE))
      ]
    },
    put(name, body) {
      const before = repository.find(GROUP, name)
      const settings = settingsOf(body)
      const { arn, roleArn } = settings.target
      if (roleArn === undefined) permissions.allow(body.function, statementOf(name), SERVICE, arnOf(name))
      if (before !== undefined && (before.target.arn !== arn || roleArn !== undefined)) {
        permissions.revoke(before.target.arn, statementOf(name))
      }
      const put =
        before === undefined ? schedules.create(GROUP, name, settings) : schedules.update(GROUP, name, settings)
      return show(put, before === undefined)
    },
    get: (name) => show(getOwn(name)),
    setEnabled(name, isEnabled) {
      getOwn(name)
      return show(schedules.setEnabled(GROUP, name, isEnabled))
    },
    delete(name) {
      permissions.revoke(getOwn(name).target.arn, statementOf(name))
      schedules.delete(GROUP, name)
    },
    list: (after, limit) =>
      repository.list(GROUP, '', { group: GROUP, name: after }, limit).map((schedule) => show(schedule))
  }
}
