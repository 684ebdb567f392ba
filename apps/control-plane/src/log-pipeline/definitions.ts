import { compileLogFilter, type LogFilter, type SubscriptionFilter } from '@hearth/shared'
import type { LogGroupsRepository } from '@hearth/store'
import { type ArmedMetricFilter, armMetricFilter } from './metric-filters.ts'

/** A subscription filter, ready to look at events. */
export interface ArmedSubscription {
  readonly definition: SubscriptionFilter
  readonly pattern: LogFilter
  /** Of its cursor: another one when it is made anew. */
  readonly reader: string
}

/** What is said of log groups and has to do with their events. */
export interface Definitions {
  /** Of a group; empty for most. */
  metricFilters(group: string): readonly ArmedMetricFilter[]
  subscriptions(): readonly ArmedSubscription[]
  /** Another number than before: they may be others. */
  revision(): number
}

type Repository = Pick<LogGroupsRepository, 'revision'> & {
  readonly metricFilters: Pick<LogGroupsRepository['metricFilters'], 'list'>
  readonly subscriptions: Pick<LogGroupsRepository['subscriptions'], 'list'>
}

export const SUBSCRIPTION_READERS = 'subscription:'

/** Reads definitions once until they change. @param onError - A filter cannot be used; the others can */
export function createDefinitions(repository: Repository, onError: (err: unknown) => void): Definitions {
  let revision: number | undefined
  let metricFilters = new Map<string, ArmedMetricFilter[]>()
  let subscriptions: readonly ArmedSubscription[] = []

  const arm = <In, Out>(definitions: readonly In[], armOne: (definition: In) => Out): Out[] =>
    definitions.flatMap((definition) => {
      try {
        return [armOne(definition)]
      } catch (err) {
        onError(err)
        return []
      }
    })

  function refresh(): number {
    const current = repository.revision()
    if (current === revision) return current
    metricFilters = new Map()
    for (const filter of arm(repository.metricFilters.list(), armMetricFilter)) {
      const { group } = filter.definition
      metricFilters.set(group, [...(metricFilters.get(group) ?? []), filter])
    }
    subscriptions = arm(repository.subscriptions.list(), (definition) => ({
      definition,
      pattern: compileLogFilter(definition.pattern),
      reader: `${SUBSCRIPTION_READERS}${definition.group}:${definition.name}:${definition.createdAt}`
    }))
    revision = current
    return current
  }

  return {
    metricFilters(group) {
      refresh()
      return metricFilters.get(group) ?? []
    },
    subscriptions() {
      refresh()
      return subscriptions
    },
    revision: refresh
  }
}
