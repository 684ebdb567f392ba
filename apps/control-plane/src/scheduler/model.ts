import { type Schedule, type ScheduleGroup, type ScheduleSettings, scheduleArn, scheduleGroupArn } from '@hearth/shared'
import { z } from 'zod'
import { tagItem } from '../access/tags.ts'
import type { Schedules } from './schedules.ts'

// Constraints of EventBridge Scheduler's service model.

export const Name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[0-9a-zA-Z-_.]+$/)
const Arn = z.string().min(1).max(1_600)
/** Seconds since 1970, as AWS's JSON has times. */
const Time = z.number().min(0).max(8_640_000_000_000)
const Description = z.string().max(512)
const ClientToken = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-zA-Z0-9-_]+$/)
export const Tags = z.array(tagItem(z.string().min(1).max(256))).max(200)

export const GroupBody = z.object({ Tags: Tags.default([]), ClientToken: ClientToken.optional() })

/** @see reference: the same in CreateSchedule and UpdateSchedule */
export const ScheduleBody = z.object({
  GroupName: Name.default('default'),
  ScheduleExpression: z.string().min(1).max(256),
  ScheduleExpressionTimezone: z.string().min(1).max(50).default('UTC'),
  StartDate: Time.optional(),
  EndDate: Time.optional(),
  Description: Description.optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  FlexibleTimeWindow: z
    .object({ Mode: z.enum(['OFF', 'FLEXIBLE']), MaximumWindowInMinutes: z.int().min(1).max(1_440).optional() })
    .refine(({ Mode, MaximumWindowInMinutes }) => (Mode === 'FLEXIBLE') === (MaximumWindowInMinutes !== undefined), {
      error: 'MaximumWindowInMinutes goes with FLEXIBLE, and with it alone'
    }),
  // What a target of another kind would have is refused: it could not be honoured.
  Target: z.strictObject({
    Arn,
    RoleArn: Arn,
    Input: z.string().min(1).max(262_144).optional(),
    RetryPolicy: z
      .object({
        MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
        MaximumRetryAttempts: z.int().min(0).max(185).optional()
      })
      .optional(),
    DeadLetterConfig: z.object({ Arn: Arn.optional() }).optional()
  }),
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
  KmsKeyArn: Arn.optional(),
  ClientToken: ClientToken.optional()
})

export function settingsOf(body: z.output<typeof ScheduleBody>): ScheduleSettings {
  const { Target: target, StartDate, EndDate } = body
  const { RetryPolicy: retries } = target
  return {
    expression: body.ScheduleExpression,
    timeZone: body.ScheduleExpressionTimezone,
    startAt: StartDate === undefined ? undefined : Math.round(StartDate * 1_000),
    endAt: EndDate === undefined ? undefined : Math.round(EndDate * 1_000),
    windowMinutes: body.FlexibleTimeWindow.MaximumWindowInMinutes,
    isEnabled: body.State === 'ENABLED',
    description: body.Description,
    deletesItself: body.ActionAfterCompletion === 'DELETE',
    kmsKeyArn: body.KmsKeyArn,
    clientToken: body.ClientToken,
    target: {
      arn: target.Arn,
      roleArn: target.RoleArn,
      input: target.Input,
      retries: retries && { maxAttempts: retries.MaximumRetryAttempts, maxAgeS: retries.MaximumEventAgeInSeconds },
      deadLetterArn: target.DeadLetterConfig?.Arn
    }
  }
}

export function scheduleView(schedule: Schedule, { scope }: Schedules) {
  const { target, windowMinutes, startAt, endAt } = schedule
  const { retries } = target
  return {
    Arn: scheduleArn(scope, schedule.group, schedule.name),
    Name: schedule.name,
    GroupName: schedule.group,
    ScheduleExpression: schedule.expression,
    ScheduleExpressionTimezone: schedule.timeZone,
    StartDate: startAt === undefined ? undefined : startAt / 1_000,
    EndDate: endAt === undefined ? undefined : endAt / 1_000,
    Description: schedule.description,
    State: stateOf(schedule),
    FlexibleTimeWindow:
      windowMinutes === undefined ? { Mode: 'OFF' } : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: windowMinutes },
    Target: {
      Arn: target.arn,
      RoleArn: target.roleArn,
      Input: target.input,
      // AWS's own defaults are shown.
      RetryPolicy: {
        MaximumEventAgeInSeconds: retries?.maxAgeS ?? 86_400,
        MaximumRetryAttempts: retries?.maxAttempts ?? 185
      },
      DeadLetterConfig: target.deadLetterArn === undefined ? undefined : { Arn: target.deadLetterArn }
    },
    ActionAfterCompletion: schedule.deletesItself ? 'DELETE' : 'NONE',
    KmsKeyArn: schedule.kmsKeyArn,
    CreationDate: schedule.createdAt / 1_000,
    LastModificationDate: schedule.modifiedAt / 1_000
  }
}

export function scheduleSummary(schedule: Schedule, { scope }: Schedules) {
  return {
    Arn: scheduleArn(scope, schedule.group, schedule.name),
    Name: schedule.name,
    GroupName: schedule.group,
    State: stateOf(schedule),
    CreationDate: schedule.createdAt / 1_000,
    LastModificationDate: schedule.modifiedAt / 1_000,
    Target: { Arn: schedule.target.arn }
  }
}

export function groupView({ name, createdAt, modifiedAt }: ScheduleGroup, { scope }: Schedules) {
  return {
    Arn: scheduleGroupArn(scope, name),
    Name: name,
    State: 'ACTIVE',
    CreationDate: createdAt / 1_000,
    LastModificationDate: modifiedAt / 1_000
  }
}

function stateOf({ isEnabled }: Schedule): 'ENABLED' | 'DISABLED' {
  return isEnabled ? 'ENABLED' : 'DISABLED'
}
