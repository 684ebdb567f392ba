import { type EventRule, ruleArn } from '@hearth/shared'
import { z } from 'zod'
import { tagItems, withoutTags, withTags } from '../access/tags.ts'
import type { EventRules } from './event-rules.ts'
import {
  Arn,
  Description,
  type EventsOperation,
  eventsOperation,
  OnBus,
  onBus,
  onRule,
  Page,
  pageOf,
  passRole,
  RuleName,
  State,
  TagKey,
  TagList
} from './model.ts'

const OneRule = z.object({ Name: RuleName, EventBusName: OnBus, Force: z.boolean().optional() })

/** On rules and on tags. */
export const RULE_OPERATIONS: readonly EventsOperation[] = [
  eventsOperation({
    name: 'PutRule',
    input: z.object({
      Name: RuleName,
      EventBusName: OnBus,
      EventPattern: z.string().optional(),
      ScheduleExpression: z.string().max(256).optional(),
      State: State.default('ENABLED'),
      Description: Description.optional(),
      RoleArn: Arn.optional(),
      Tags: TagList.default([])
    }),
    target: ({ Name, EventBusName, RoleArn }, rules) => [
      onRule(EventBusName, Name, rules),
      ...passRole(RoleArn, 'events.amazonaws.com')
    ],
    run(input, rules) {
      // Terraform and consoles send what is not meant as an empty text.
      const said = (text: string | undefined) => (text === '' ? undefined : text)
      const rule = rules.putRule(input.EventBusName, input.Name, {
        pattern: said(input.EventPattern),
        schedule: said(input.ScheduleExpression),
        isEnabled: input.State !== 'DISABLED',
        description: input.Description,
        roleArn: input.RoleArn,
        tags: input.Tags
      })
      return { RuleArn: ruleArn(rules.scope, rule.bus, rule.name) }
    }
  }),
  eventsOperation({
    name: 'DescribeRule',
    input: OneRule,
    target: ({ Name, EventBusName }, rules) => onRule(EventBusName, Name, rules),
    run: ({ Name, EventBusName }, rules) => ({
      ...viewOf(rules.getRule(EventBusName, Name), rules),
      CreatedBy: rules.scope.accountId
    })
  }),
  eventsOperation({
    name: 'DeleteRule',
    input: OneRule,
    target: ({ Name, EventBusName }, rules) => onRule(EventBusName, Name, rules),
    run({ Name, EventBusName }, rules) {
      rules.deleteRule(EventBusName, Name)
      return undefined
    }
  }),
  ...(['EnableRule', 'DisableRule'] as const).map((name) =>
    eventsOperation({
      name,
      input: OneRule,
      target: ({ Name, EventBusName }, rules) => onRule(EventBusName, Name, rules),
      run({ Name, EventBusName }, rules) {
        rules.setEnabled(EventBusName, Name, name === 'EnableRule')
        return undefined
      }
    })
  ),
  eventsOperation({
    name: 'ListRules',
    input: z.object({ NamePrefix: RuleName.optional(), EventBusName: OnBus, ...Page }),
    target: ({ EventBusName }, rules) => onBus(EventBusName, rules),
    run(input, rules) {
      const { name: bus } = rules.getBus(input.EventBusName)
      const { items, next } = pageOf(
        'ListRules',
        input,
        (after, limit) => rules.repository.listRules(bus, input.NamePrefix ?? '', after, limit),
        ({ name }) => name
      )
      return { Rules: items.map((rule) => viewOf(rule, rules)), ...next }
    }
  }),
  eventsOperation({
    name: 'ListRuleNamesByTarget',
    input: z.object({ TargetArn: Arn, EventBusName: OnBus, ...Page }),
    target: ({ EventBusName }, rules) => onBus(EventBusName, rules),
    run(input, rules) {
      const { name: bus } = rules.getBus(input.EventBusName)
      const { items, next } = pageOf(
        'ListRuleNamesByTarget',
        input,
        (after, limit) => rules.repository.listRuleNamesByTarget(bus, input.TargetArn, after, limit),
        (name) => name
      )
      return { RuleNames: items, ...next }
    }
  }),
  eventsOperation({
    name: 'ListTagsForResource',
    input: z.object({ ResourceARN: Arn }),
    target: ({ ResourceARN }) => ResourceARN,
    run: ({ ResourceARN }, rules) => ({
      Tags: tagItems(rules.tagsOf(ResourceARN))
    })
  }),
  eventsOperation({
    name: 'TagResource',
    input: z.object({ ResourceARN: Arn, Tags: TagList }),
    target: ({ ResourceARN }) => ResourceARN,
    run({ ResourceARN, Tags }, rules) {
      rules.changeTags(ResourceARN, (tags) => withTags(tags, Tags))
      return undefined
    }
  }),
  eventsOperation({
    name: 'UntagResource',
    input: z.object({ ResourceARN: Arn, TagKeys: z.array(TagKey).max(50) }),
    target: ({ ResourceARN }) => ResourceARN,
    run({ ResourceARN, TagKeys }, rules) {
      rules.changeTags(ResourceARN, (tags) => withoutTags(tags, TagKeys))
      return undefined
    }
  })
]

function viewOf(rule: EventRule, { scope }: EventRules) {
  const said = Object.entries({
    EventPattern: rule.pattern,
    ScheduleExpression: rule.schedule,
    Description: rule.description,
    RoleArn: rule.roleArn
  }).filter(([, value]) => value !== undefined)
  return {
    Name: rule.name,
    Arn: ruleArn(scope, rule.bus, rule.name),
    State: rule.isEnabled ? 'ENABLED' : 'DISABLED',
    EventBusName: rule.bus,
    ...Object.fromEntries(said)
  }
}
