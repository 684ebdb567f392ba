import { randomUUID } from 'node:crypto'
import {
  type ArnScope,
  HearthError,
  isJson,
  parseFunctionRef,
  parseScheduleExpression,
  type Schedule,
  type ScheduleGroup,
  type ScheduleSettings
} from '@hearth/shared'
import type { SchedulesRepository } from '@hearth/store'
import { type Tag, type Tags, withTags } from '../access/tags.ts'
import type { CheckDestination } from '../destinations/check-destination.ts'
import { requireFunctionArn } from '../events/event-rules.ts'

/** Schedules and their groups. What is not there is told in AWS's words. */
export interface Schedules {
  readonly scope: ArnScope
  readonly repository: SchedulesRepository
  get(group: string, name: string): Schedule
  /** @throws HearthError RESOURCE_EXISTS, RESOURCE_NOT_FOUND (the group), INVALID_SCHEDULE, VALIDATION_FAILED */
  create(group: string, name: string, settings: ScheduleSettings): Schedule
  /** All of it: what is not said becomes as it is for a new one. */
  update(group: string, name: string, settings: ScheduleSettings): Schedule
  setEnabled(group: string, name: string, isEnabled: boolean): Schedule
  delete(group: string, name: string): void
  /** Those that the gateway found to have no next time; one that was changed or made anew since stays. */
  deleteCompleted(completed: readonly { readonly group: string; readonly name: string; readonly id: string }[]): void
  getGroup(name: string): ScheduleGroup
  createGroup(name: string, tags: readonly Tag[]): ScheduleGroup
  /** With its schedules. */
  deleteGroup(name: string): void
  changeTags(group: string, change: (tags: Tags) => Tags): void
}

export interface SchedulesDeps {
  readonly repository: SchedulesRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  readonly checkDestination: CheckDestination
  /** @throws HearthError when EventBridge Scheduler cannot take the role */
  readonly requireRole: (roleArn: string) => void
}

const DEFAULT_GROUP = 'default'

export function createSchedules(deps: SchedulesDeps): Schedules {
  const { repository, scope, now, exclusively } = deps
  const getGroup = (name: string): ScheduleGroup => {
    const group = repository.findGroup(name)
    if (group === undefined) throw notFound(`Schedule group ${name} does not exist.`)
    return group
  }
  const get = (group: string, name: string): Schedule => {
    const schedule = repository.find(group, name)
    if (schedule === undefined) throw notFound(`Schedule ${name} does not exist.`)
    return schedule
  }

  function check({ expression, timeZone, startAt, endAt, target }: ScheduleSettings): void {
    parseScheduleExpression(expression, { timeZone, anchor: startAt ?? 0, fromAnchor: false })
    if (startAt !== undefined && endAt !== undefined && endAt <= startAt) {
      throw new HearthError('VALIDATION_FAILED', 'The EndDate you specify must come after the StartDate.')
    }
    requireFunctionArn(scope, target.arn, 'Target.Arn')
    if (target.roleArn !== undefined) deps.requireRole(target.roleArn)
    if (target.input !== undefined && !isJson(target.input)) {
      throw new HearthError('VALIDATION_FAILED', 'Target.Input is not valid JSON.')
    }
    if (target.deadLetterArn !== undefined) {
      const { name } = parseFunctionRef(scope, target.arn)
      deps.checkDestination(target.deadLetterArn, { functionName: name, role: undefined, purpose: 'DeadLetter' })
    }
  }

  return {
    scope,
    repository,
    get,
    create(group, name, settings) {
      return exclusively(() => {
        getGroup(group)
        check(settings)
        const before = repository.find(group, name)
        if (before?.clientToken !== undefined && before.clientToken === settings.clientToken) return before
        if (before !== undefined) throw exists(`Schedule ${name} already exists.`)
        const at = now().getTime()
        const made = {
          ...settings,
          group,
          name,
          id: randomUUID(),
          anchor: at,
          activeFrom: at,
          createdAt: at,
          modifiedAt: at
        }
        repository.put(made)
        return made
      })
    },
    update(group, name, settings) {
      return exclusively(() => {
        const before = get(group, name)
        check(settings)
        const at = now().getTime()
        const isSame = (['expression', 'timeZone', 'startAt'] as const).every((key) => before[key] === settings[key])
        const { id, createdAt } = before
        const changed = {
          ...settings,
          group,
          name,
          id,
          anchor: isSame ? before.anchor : at,
          activeFrom: isSame && before.isEnabled ? before.activeFrom : at,
          createdAt,
          modifiedAt: at
        }
        repository.put(changed)
        return changed
      })
    },
    setEnabled(group, name, isEnabled) {
      return exclusively(() => {
        const before = get(group, name)
        if (before.isEnabled === isEnabled) return before
        const at = now().getTime()
        const changed = { ...before, isEnabled, activeFrom: isEnabled ? at : before.activeFrom, modifiedAt: at }
        repository.put(changed)
        return changed
      })
    },
    delete(group, name) {
      exclusively(() => {
        get(group, name)
        repository.remove(group, name)
      })
    },
    deleteCompleted(completed) {
      exclusively(() => {
        for (const { group, name, id } of completed) {
          const schedule = repository.find(group, name)
          if (schedule?.id === id && schedule.deletesItself && schedule.isEnabled) repository.remove(group, name, id)
        }
      })
    },
    getGroup,
    createGroup(name, tags) {
      return exclusively(() => {
        if (repository.findGroup(name) !== undefined) throw exists(`Schedule group ${name} already exists.`)
        const at = now().getTime()
        const group = { name, tags: withTags({}, tags), createdAt: at, modifiedAt: at }
        repository.putGroup(group)
        return group
      })
    },
    deleteGroup(name) {
      if (name === DEFAULT_GROUP) {
        throw new HearthError('VALIDATION_FAILED', 'Cannot delete the default schedule group.')
      }
      exclusively(() => {
        getGroup(name)
        repository.removeGroup(name)
      })
    },
    changeTags(name, change) {
      exclusively(() => {
        const group = getGroup(name)
        repository.putGroup({ ...group, tags: change(group.tags), modifiedAt: now().getTime() })
      })
    }
  }
}

function notFound(message: string): HearthError {
  return new HearthError('RESOURCE_NOT_FOUND', message)
}

function exists(message: string): HearthError {
  return new HearthError('RESOURCE_EXISTS', message, { awsCode: 'ConflictException' })
}
