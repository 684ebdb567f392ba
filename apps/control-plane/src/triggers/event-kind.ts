import { DEFAULT_BUS, type EventRule, HearthError, ruleArn } from '@hearth/shared'
import { z } from 'zod'
import type { EventRules } from '../events/event-rules.ts'
import type { TriggerKind, TriggerShown } from './kind.ts'
import { Common, refuseForeign } from './schemas.ts'
import type { ServicePermissions } from './service-permission.ts'

const Body = z.strictObject({
  ...Common,
  pattern: z.record(z.string(), z.unknown()).meta({ description: 'Which events: see docs/events.md' }),
  inputPath: z.string().max(256).nullish(),
  inputTransformer: z
    .strictObject({ paths: z.record(z.string(), z.string()).default({}), template: z.string().min(1).max(8_192) })
    .nullish()
})

const SERVICE = 'events.amazonaws.com'
const TARGET = 'function'

/** Events on the default bus: a rule with one target. */
export function createEventKind(rules: EventRules, permissions: ServicePermissions): TriggerKind<typeof Body> {
  const { scope, repository } = rules
  const arnOf = (name: string): string => ruleArn(scope, DEFAULT_BUS, name)
  const statementOf = (name: string): string => `hearth-event-${name.replaceAll('.', '_')}`

  const show = (rule: EventRule, created = false): TriggerShown => {
    const targets = repository.listTargets(DEFAULT_BUS, rule.name, '', 5)
    const [target] = targets
    return {
      arn: arnOf(rule.name),
      created,
      view: {
        kind: 'event',
        name: rule.name,
        arn: arnOf(rule.name),
        functions: targets.map(({ arn }) => arn),
        enabled: rule.isEnabled,
        description: rule.description ?? '',
        pattern: JSON.parse(rule.pattern ?? '{}') as unknown,
        input: target?.input === undefined ? null : (JSON.parse(target.input) as unknown),
        inputPath: target?.inputPath ?? null,
        inputTransformer: target?.inputTransformer ?? null,
        deadLetterFunction: target?.deadLetterArn ?? null,
        createdAt: new Date(rule.createdAt).toISOString()
      }
    }
  }
  const getOwn = (name: string): EventRule => {
    const rule = repository.findRule(DEFAULT_BUS, name)
    if (rule?.pattern === undefined) {
      throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name} of kind event.`)
    }
    return rule
  }

  return {
    kind: 'event',
    body: Body,
    summary: 'events on the default bus',
    wishes(step, name, body) {
      const action = {
        put: 'PutRule',
        get: 'DescribeRule',
        pause: 'DisableRule',
        resume: 'EnableRule',
        delete: 'DeleteRule',
        list: 'ListRules'
      }[step]
      const own = { action: `events:${action}`, resource: step === 'list' ? '*' : arnOf(name) }
      if (step === 'delete') return [own, { ...own, action: 'events:RemoveTargets' }]
      if (body === undefined) return [own]
      return [own, { ...own, action: 'events:PutTargets' }, permissions.wish(body.function, 'lambda:AddPermission')]
    },
    put(name, body) {
      const before = repository.findRule(DEFAULT_BUS, name)
      refuseForeign(before !== undefined && before.pattern === undefined, name)
      const old = before === undefined ? [] : repository.listTargets(DEFAULT_BUS, name, '', 5)
      const arn = permissions.arnOf(body.function)
      permissions.allow(body.function, statementOf(name), SERVICE, arnOf(name))
      for (const target of old) if (target.arn !== arn) permissions.revoke(target.arn, statementOf(name))
      const rule = rules.putRule(DEFAULT_BUS, name, {
        pattern: JSON.stringify(body.pattern),
        isEnabled: body.enabled ?? true,
        description: body.description ?? undefined
      })
      const target = {
        id: TARGET,
        arn,
        input: body.input === undefined ? undefined : JSON.stringify(body.input),
        inputPath: body.inputPath ?? undefined,
        inputTransformer: body.inputTransformer ?? undefined,
        deadLetterArn: body.deadLetterFunction == null ? undefined : permissions.arnOf(body.deadLetterFunction)
      }
      rules.removeTargets(
        DEFAULT_BUS,
        name,
        old.map(({ id }) => id)
      )
      rules.putTargets(DEFAULT_BUS, name, [target])
      return show(rule, before === undefined)
    },
    get: (name) => show(getOwn(name)),
    setEnabled(name, isEnabled) {
      getOwn(name)
      rules.setEnabled(DEFAULT_BUS, name, isEnabled)
      return show(getOwn(name))
    },
    delete(name) {
      getOwn(name)
      const targets = repository.listTargets(DEFAULT_BUS, name, '', 5)
      for (const target of targets) permissions.revoke(target.arn, statementOf(name))
      rules.removeTargets(
        DEFAULT_BUS,
        name,
        targets.map(({ id }) => id)
      )
      rules.deleteRule(DEFAULT_BUS, name)
    },
    list: (after, limit) =>
      repository
        .listRules(DEFAULT_BUS, '', after, limit)
        .filter(({ pattern }) => pattern !== undefined)
        .map((rule) => show(rule))
  }
}
