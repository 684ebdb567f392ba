import {
  createArchivesRepository,
  createEventRulesRepository,
  createLoadBalancersRepository,
  createSchedulesRepository,
  createUsagePlansRepository,
  createWebhooksRepository,
  prepareHostOwner,
  prepareSecretLookup
} from '@hearth/store'
import { createApis } from '../apis/apis.ts'
import type { Deps } from '../deps.ts'
import { createEventRules } from '../events/event-rules.ts'
import { createSchedules } from '../scheduler/schedules.ts'
import { createUsagePlans } from '../usage-plans/usage-plans.ts'
import type { Functions } from './functions.ts'
import type { Identities } from './identities.ts'
import type { PartDeps } from './part.ts'

/** What runs functions by itself, or leads to them: rules, schedules, APIs, webhooks, load balancers. */
export type Triggers = Pick<Deps, 'eventRules' | 'schedules' | 'apis' | 'usagePlans' | 'webhooks' | 'loadBalancers'>

export function createTriggers(
  { options, storage, scope, now }: PartDeps,
  { roles }: Pick<Identities, 'roles'>,
  { roleOf, checkDestination }: Pick<Functions, 'roleOf' | 'checkDestination'>
): Triggers {
  const { db, box } = storage
  const { functions, apis } = storage.repositories
  const exclusively = <T>(work: () => T): T => functions.exclusively(work)
  const ownerOf = prepareHostOwner(db)
  return {
    eventRules: createEventRules({
      repository: createEventRulesRepository(db),
      archives: createArchivesRepository(db),
      scope,
      now,
      exclusively,
      checkDestination
    }),
    schedules: createSchedules({
      repository: createSchedulesRepository(db),
      scope,
      now,
      exclusively,
      checkDestination,
      requireRole: (roleArn) => {
        roles.requireFor(roleArn, 'scheduler.amazonaws.com')
      }
    }),
    apis: createApis({
      repository: apis,
      scope,
      urlDomain: options.config.urlDomain,
      now,
      exclusively,
      functionExists: (name, qualifier) => roleOf(name, qualifier) !== undefined,
      requireRole: (roleArn) => {
        roles.requireFor(roleArn, 'apigateway.amazonaws.com')
      },
      isHostTaken: (host) => ownerOf(host) !== undefined
    }),
    usagePlans: createUsagePlans({ repository: createUsagePlansRepository(db), apis, now, exclusively }),
    webhooks: { repository: createWebhooksRepository(db, box), findSecret: prepareSecretLookup(db, box) },
    loadBalancers: { repository: createLoadBalancersRepository(db), ownerOf }
  }
}
