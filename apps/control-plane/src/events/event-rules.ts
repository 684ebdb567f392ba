import { randomUUID } from 'node:crypto'
import {
  type ArnScope,
  checkTargetInput,
  compileEventPattern,
  DEFAULT_BUS,
  type EventBus,
  type EventRule,
  type EventTarget,
  HearthError,
  parseFunctionRef,
  parseScheduleExpression
} from '@hearth/shared'
import type { ArchivesRepository, EventRulesRepository } from '@hearth/store'
import { type Tag, type Tags, withTags } from '../access/tags.ts'
import type { CheckDestination } from '../destinations/check-destination.ts'
import { type Archives, createArchives } from './archives.ts'

export interface RuleSettings {
  readonly pattern?: string | undefined
  readonly schedule?: string | undefined
  readonly isEnabled: boolean
  readonly description?: string | undefined
  readonly roleArn?: string | undefined
  /** Only of a new one. */
  readonly tags?: readonly Tag[] | undefined
}

/** Why one of several targets was not taken. */
export interface TargetFault {
  readonly TargetId: string
  readonly ErrorCode: string
  readonly ErrorMessage: string
}

/** Buses and rules. What is not there is told in AWS's words. */
export interface EventRules {
  readonly scope: ArnScope
  readonly repository: EventRulesRepository
  readonly archives: Archives
  /** @throws HearthError RESOURCE_NOT_FOUND */
  getBus(name: string): EventBus
  /** @throws HearthError RESOURCE_EXISTS, LIMIT_EXCEEDED, INVALID_REQUEST */
  createBus(name: string, description: string | undefined, tags: readonly Tag[]): EventBus
  updateBus(name: string, description: string | undefined): EventBus
  /** One that is not there is as good as deleted. @throws HearthError VALIDATION_FAILED while it has rules or archives */
  deleteBus(name: string): void
  getRule(bus: string, name: string): EventRule
  /** @throws HearthError INVALID_EVENT_PATTERN, VALIDATION_FAILED, RESOURCE_NOT_FOUND */
  putRule(bus: string, name: string, settings: RuleSettings): EventRule
  setEnabled(bus: string, name: string, isEnabled: boolean): void
  /** @throws HearthError VALIDATION_FAILED while it has targets */
  deleteRule(bus: string, name: string): void
  /** All or none. @throws HearthError RESOURCE_NOT_FOUND, VALIDATION_FAILED, LIMIT_EXCEEDED, UNSUPPORTED_FEATURE */
  putTargets(bus: string, rule: string, targets: readonly Omit<EventTarget, 'activeFrom'>[]): void
  removeTargets(bus: string, rule: string, ids: readonly string[]): readonly TargetFault[]
  tagsOf(arn: string): Tags
  changeTags(arn: string, change: (tags: Tags) => Tags): void
}

export interface EventRulesDeps {
  readonly repository: EventRulesRepository
  readonly archives: ArchivesRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  readonly checkDestination: CheckDestination
}

/** EventBridge's own quotas. Rules: more than AWS's 300, as far as matching was measured. */
const LIMITS = { buses: 100, rules: 2_000, targets: 5, patternChars: 4_096 }
const BUS_NAME = /^[A-Za-z0-9._-]{1,256}$/

export function createEventRules({
  repository,
  archives,
  scope,
  now,
  exclusively,
  checkDestination
}: EventRulesDeps): EventRules {
  const getBus = (name: string): EventBus => {
    const bus = repository.findBus(name)
    if (bus === undefined) throw notFound(`Event bus ${name} does not exist.`)
    return bus
  }
  const getRule = (bus: string, name: string): EventRule => {
    getBus(bus)
    const rule = repository.findRule(bus, name)
    if (rule === undefined) throw notFound(`Rule ${name} does not exist on EventBus ${bus}.`)
    return rule
  }

  function checkSettings(bus: string, { pattern, schedule }: RuleSettings): void {
    if (pattern === undefined && schedule === undefined) {
      throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.')
    }
    if (schedule !== undefined) {
      if (bus !== DEFAULT_BUS) throw invalid('ScheduleExpression is supported only on the default event bus.')
      if (schedule.startsWith('at('))
        throw invalid('Parameter ScheduleExpression is not valid. Reason: a rule takes rate(…) and cron(…).')
      try {
        parseScheduleExpression(schedule, { timeZone: 'UTC', anchor: 0, fromAnchor: false })
      } catch (err) {
        throw invalid(`Parameter ScheduleExpression is not valid. ${(err as Error).message}`)
      }
    }
    if (pattern === undefined) return
    if (pattern.length > LIMITS.patternChars) throw invalid(`EventPattern may have ${LIMITS.patternChars} characters.`)
    compileEventPattern(pattern)
  }

  function checkTarget({ id, arn, deadLetterArn, ...target }: Omit<EventTarget, 'activeFrom'>): void {
    requireFunctionArn(scope, arn, `Targets with the id ${id}`)
    const fault = checkTargetInput(target)
    if (fault !== undefined) throw invalid(`Invalid ${fault.member} for target ${id} : ${fault.reason}.`)
    if (deadLetterArn !== undefined) {
      checkDestination(deadLetterArn, {
        functionName: parseFunctionRef(scope, arn).name,
        role: undefined,
        purpose: 'DeadLetter'
      })
    }
  }

  /** What an ARN of tags is of. */
  function find(arn: string): { readonly rule: EventRule } | { readonly bus: EventBus } {
    const own = `arn:aws:events:${scope.region}:${scope.accountId}:`
    const [kind = '', ...names] = arn.startsWith(own) ? arn.slice(own.length).split('/') : []
    if (kind === 'event-bus' && names.length === 1) return { bus: getBus(names[0]!) }
    if (kind === 'rule' && (names.length === 1 || names.length === 2)) {
      return { rule: getRule(names.length === 2 ? names[0]! : DEFAULT_BUS, names.at(-1)!) }
    }
    throw notFound(`${arn} does not exist.`)
  }

  return {
    scope,
    repository,
    archives: createArchives({ repository: archives, scope, now, exclusively, getBus, getRule }),
    getBus,
    createBus(name, description, tags) {
      if (!BUS_NAME.test(name)) throw invalid("Event bus name must not contain '/'.")
      return exclusively(() => {
        if (repository.findBus(name) !== undefined) {
          throw new HearthError('RESOURCE_EXISTS', `Event bus ${name} already exists.`)
        }
        if (repository.listBuses('', '', LIMITS.buses).length >= LIMITS.buses)
          throw tooMany('event buses', LIMITS.buses)
        const at = now().getTime()
        const bus = { name, description, tags: withTags({}, tags), createdAt: at, modifiedAt: at }
        repository.putBus(bus)
        return bus
      })
    },
    updateBus(name, description) {
      return exclusively(() => {
        const bus = { ...getBus(name), description, modifiedAt: now().getTime() }
        repository.putBus(bus)
        return bus
      })
    },
    deleteBus(name) {
      if (name === DEFAULT_BUS) throw invalid('Cannot delete event bus default.')
      exclusively(() => {
        if (repository.findBus(name) === undefined) return
        if (repository.countRules(name) > 0) throw invalid("Event bus can't be deleted since it has rules.")
        if (archives.hasBus(name)) throw invalid("Event bus can't be deleted since it has archives.")
        repository.removeBus(name)
      })
    },
    getRule,
    putRule(bus, name, settings) {
      return exclusively(() => {
        getBus(bus)
        checkSettings(bus, settings)
        const before = repository.findRule(bus, name)
        if (before === undefined && repository.countRules(bus) >= LIMITS.rules) throw tooMany('rules', LIMITS.rules)
        const at = now().getTime()
        const isSame = before?.schedule === settings.schedule
        const goesOn = isSame && before?.isEnabled === true
        const rule: EventRule = {
          bus,
          name,
          id: before?.id ?? randomUUID(),
          pattern: settings.pattern,
          schedule: settings.schedule,
          isEnabled: settings.isEnabled,
          description: settings.description,
          roleArn: settings.roleArn,
          tags: before?.tags ?? withTags({}, settings.tags ?? []),
          anchor: isSame && before !== undefined ? before.anchor : at,
          activeFrom: goesOn ? before.activeFrom : at,
          createdAt: before?.createdAt ?? at
        }
        repository.putRule(rule)
        return rule
      })
    },
    setEnabled(bus, name, isEnabled) {
      exclusively(() => {
        const rule = getRule(bus, name)
        if (rule.isEnabled === isEnabled) return
        repository.putRule({ ...rule, isEnabled, activeFrom: isEnabled ? now().getTime() : rule.activeFrom })
      })
    },
    deleteRule(bus, name) {
      exclusively(() => {
        getBus(bus)
        if (repository.listTargets(bus, name, '', 1).length > 0) {
          throw invalid("Rule can't be deleted since it has targets.")
        }
        repository.removeRule(bus, name)
      })
    },
    putTargets(bus, rule, targets) {
      exclusively(() => {
        getRule(bus, rule)
        for (const target of targets) checkTarget(target)
        const ids = new Set(repository.listTargets(bus, rule, '', LIMITS.targets + 1).map(({ id }) => id))
        for (const { id } of targets) ids.add(id)
        if (ids.size > LIMITS.targets) throw tooMany('targets of one rule', LIMITS.targets)
        const activeFrom = now().getTime()
        for (const target of targets) repository.putTarget(bus, rule, { ...target, activeFrom })
      })
    },
    removeTargets(bus, rule, ids) {
      return exclusively(() => {
        getRule(bus, rule)
        return ids.flatMap((TargetId) =>
          repository.removeTarget(bus, rule, TargetId)
            ? []
            : [
                {
                  TargetId,
                  ErrorCode: 'ResourceNotFoundException',
                  ErrorMessage: `Rule ${rule} has no target ${TargetId}.`
                }
              ]
        )
      })
    },
    tagsOf(arn) {
      const found = find(arn)
      return 'rule' in found ? found.rule.tags : found.bus.tags
    },
    changeTags(arn, change) {
      exclusively(() => {
        const found = find(arn)
        if ('rule' in found) repository.putRule({ ...found.rule, tags: change(found.rule.tags) })
        else repository.putBus({ ...found.bus, tags: change(found.bus.tags), modifiedAt: now().getTime() })
      })
    }
  }
}

/** Functions alone can be targets; what AWS also has is refused by its name. @throws HearthError */
export function requireFunctionArn(scope: ArnScope, arn: string, where: string): void {
  const [start, , service = ''] = arn.split(':')
  if (start !== 'arn' || service === '') {
    throw invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`)
  }
  if (service !== 'lambda') {
    throw new HearthError(
      'UNSUPPORTED_FEATURE',
      `${where} cannot be ${arn}: this server has functions as targets, and no other kind yet.`,
      { awsCode: 'ValidationException' }
    )
  }
  try {
    parseFunctionRef(scope, arn)
  } catch (cause) {
    throw new HearthError(
      'VALIDATION_FAILED',
      `Parameter ${arn} is not valid. Reason: it is no function of this account and region.`,
      { cause }
    )
  }
}

function notFound(message: string): HearthError {
  return new HearthError('RESOURCE_NOT_FOUND', message)
}

function invalid(message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', message)
}

function tooMany(what: string, limit: number): HearthError {
  return new HearthError(
    'LIMIT_EXCEEDED',
    `The requested resource exceeds the maximum number allowed: ${limit} ${what}.`,
    {
      awsCode: 'LimitExceededException'
    }
  )
}
