import type { EventTarget } from '@hearth/shared'
import { z } from 'zod'
import {
  Arn,
  type EventsOperation,
  eventsOperation,
  OnBus,
  onRule,
  Page,
  pageOf,
  passRole,
  RuleName,
  refuseMembers
} from './model.ts'

const TargetId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[.\-_A-Za-z0-9]+$/)

const Target = z.looseObject({
  Id: TargetId,
  Arn,
  RoleArn: Arn.optional(),
  Input: z.string().max(8_192).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .object({
      InputPathsMap: z.record(z.string(), z.string()).default({}),
      InputTemplate: z.string().min(1).max(8_192)
    })
    .optional(),
  RetryPolicy: z
    .object({
      MaximumRetryAttempts: z.int().min(0).max(185).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional()
    })
    .optional(),
  DeadLetterConfig: z.object({ Arn: Arn.optional() }).optional()
})
const SUPPORTED = new Set(Object.keys(Target.shape))

/** On where the events of a rule go. */
export const TARGET_OPERATIONS: readonly EventsOperation[] = [
  eventsOperation({
    name: 'PutTargets',
    note: 'functions are the only targets, and the only dead-letter targets; of `RetryPolicy`, `MaximumEventAgeInSeconds` bounds how late a schedule that was missed is made up for; a hand-over is one local write, so there is nothing to retry',
    input: z.object({ Rule: RuleName, EventBusName: OnBus, Targets: z.array(Target).min(1).max(100) }),
    target: ({ Rule, EventBusName, Targets }, rules) => [
      onRule(EventBusName, Rule, rules),
      ...Targets.flatMap(({ RoleArn }) => passRole(RoleArn, 'events.amazonaws.com'))
    ],
    run({ Rule, EventBusName, Targets }, rules) {
      for (const target of Targets) refuseMembers(target, SUPPORTED, `target ${target.Id}`)
      rules.putTargets(EventBusName, Rule, Targets.map(toTarget))
      return { FailedEntryCount: 0, FailedEntries: [] }
    }
  }),
  eventsOperation({
    name: 'RemoveTargets',
    input: z.object({
      Rule: RuleName,
      EventBusName: OnBus,
      Ids: z.array(TargetId).min(1).max(100),
      Force: z.boolean().optional()
    }),
    target: ({ Rule, EventBusName }, rules) => onRule(EventBusName, Rule, rules),
    run({ Rule, EventBusName, Ids }, rules) {
      const faults = rules.removeTargets(EventBusName, Rule, Ids)
      return { FailedEntryCount: faults.length, FailedEntries: faults }
    }
  }),
  eventsOperation({
    name: 'ListTargetsByRule',
    input: z.object({ Rule: RuleName, EventBusName: OnBus, ...Page }),
    target: ({ Rule, EventBusName }, rules) => onRule(EventBusName, Rule, rules),
    run(input, rules) {
      const { bus, name } = rules.getRule(input.EventBusName, input.Rule)
      const { items, next } = pageOf(
        'ListTargetsByRule',
        input,
        (after, limit) => rules.repository.listTargets(bus, name, after, limit),
        ({ id }) => id
      )
      return { Targets: items.map(viewOf), ...next }
    }
  })
]

function toTarget(target: z.output<typeof Target>): Omit<EventTarget, 'activeFrom'> {
  const { InputTransformer, RetryPolicy } = target
  return {
    id: target.Id,
    arn: target.Arn,
    roleArn: target.RoleArn,
    input: target.Input,
    inputPath: target.InputPath,
    inputTransformer: InputTransformer && {
      paths: InputTransformer.InputPathsMap,
      template: InputTransformer.InputTemplate
    },
    retries: RetryPolicy && {
      maxAttempts: RetryPolicy.MaximumRetryAttempts,
      maxAgeS: RetryPolicy.MaximumEventAgeInSeconds
    },
    deadLetterArn: target.DeadLetterConfig?.Arn
  }
}

function viewOf({ id, arn, roleArn, input, inputPath, inputTransformer, retries, deadLetterArn }: EventTarget) {
  return {
    Id: id,
    Arn: arn,
    RoleArn: roleArn,
    Input: input,
    InputPath: inputPath,
    InputTransformer: inputTransformer && {
      InputPathsMap: inputTransformer.paths,
      InputTemplate: inputTransformer.template
    },
    RetryPolicy: retries && { MaximumRetryAttempts: retries.maxAttempts, MaximumEventAgeInSeconds: retries.maxAgeS },
    DeadLetterConfig: deadLetterArn === undefined ? undefined : { Arn: deadLetterArn }
  }
}
