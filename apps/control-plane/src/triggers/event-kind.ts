import { type EventRule, HearthError, ruleArn } from '@hearth/shared'
import { z } from 'zod'
import type { EventRules } from '../events/event-rules.ts'
import type { TriggerKind, TriggerShown } from './kind.ts'
import { afterKey, fromKey, PlaceName, statementFor, toKey } from './place.ts'
import { Common, refuseForeign } from './schemas.ts'
import type { ServicePermissions } from './service-permission.ts'

const Body = z.strictObject({
  ...Common,
  bus: PlaceName.optional().meta({ description: 'Default: `default`. Another one is another trigger' }),
  pattern: z.record(z.string(), z.unknown()).meta({ description: 'Which events: see docs/events.md' }),
  inputPath: z.string().max(256).nullish(),
  inputTransformer: z
    .strictObject({ paths: z.record(z.string(), z.string()).default({}), template: z.string().min(1).max(8_192) })
    .nullish()
})

const SERVICE = 'events.amazonaws.com'
const TARGET = 'function'

/** Events on a bus: a rule with one target. */
export function createEventKind(rules: EventRules, permissions: ServicePermissions): TriggerKind<typeof Body> {
  const { scope, repository } = rules
  const arnOf = (key: string): string => {
    const { place: bus, name } = fromKey(key)
    return ruleArn(scope, bus, name)
  }
  const statementOf = (key: string): string => statementFor('event', key)

  const show = (rule: EventRule, created = false): TriggerShown => {
    const targets = repository.listTargets(rule.bus, rule.name, '', 5)
    const [target] = targets
    const arn = ruleArn(scope, rule.bus, rule.name)
    return {
      arn,
      created,
      key: toKey(rule.bus, rule.name),
      view: {
        kind: 'event',
        name: rule.name,
        bus: rule.bus,
        arn,
        functions: targets.map((one) => one.arn),
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
  const getOwn = (key: string): EventRule => {
    const { place: bus, name } = fromKey(key)
    const rule = repository.findRule(bus, name)
    if (rule?.pattern === undefined) {
      throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${key} of kind event.`)
    }
    return rule
  }

  return {
    kind: 'event',
    body: Body,
    summary: 'events on a bus',
    place: 'bus',
    wishes(step, key, body) {
      const action = {
        put: 'PutRule',
        get: 'DescribeRule',
        pause: 'DisableRule',
        resume: 'EnableRule',
        delete: 'DeleteRule',
        list: 'ListRules'
      }[step]
      const own = { action: `events:${action}`, resource: step === 'list' ? '*' : arnOf(key) }
      if (step === 'delete') return [own, { ...own, action: 'events:RemoveTargets' }]
      if (body === undefined) return [own]
      return [own, { ...own, action: 'events:PutTargets' }, permissions.wish(body.function, 'lambda:AddPermission')]
    },
    put(key, body) {
      const { place: bus, name } = fromKey(key)
      const before = repository.findRule(bus, name)
      refuseForeign(before !== undefined && before.pattern === undefined, name)
      const old = before === undefined ? [] : repository.listTargets(bus, name, '', 5)
      const arn = permissions.arnOf(body.function)
      permissions.allow(body.function, statementOf(key), SERVICE, arnOf(key))
      for (const target of old) if (target.arn !== arn) permissions.revoke(target.arn, statementOf(key))
      const rule = rules.putRule(bus, name, {
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
      const ids = old.map(({ id }) => id)
      rules.removeTargets(bus, name, ids)
      rules.putTargets(bus, name, [target])
      return show(rule, before === undefined)
    },
    get: (key) => show(getOwn(key)),
    setEnabled(key, isEnabled) {
      const { bus, name } = getOwn(key)
      rules.setEnabled(bus, name, isEnabled)
      return show(getOwn(key))
    },
    delete(key) {
      const { bus, name } = getOwn(key)
      const targets = repository.listTargets(bus, name, '', 5)
      for (const target of targets) permissions.revoke(target.arn, statementOf(key))
      const ids = targets.map(({ id }) => id)
      rules.removeTargets(bus, name, ids)
      rules.deleteRule(bus, name)
    },
    list(after, limit, bus) {
      const { place, name } = afterKey(after)
      return repository.listEventRules(bus, { bus: place, name }, limit).map((rule) => show(rule))
    }
  }
}
