import { contextKeys } from '@hearth/shared'
import type { FastifyInstance } from 'fastify'
import { apiGateway } from '../apis/api-gateway.ts'
import type { Deps } from '../deps.ts'
import { EVENTS } from '../events/registry.ts'
import { IAM } from '../iam/registry.ts'
import { bindJsonService, jsonApi } from '../json-protocol/registry.ts'
import { lambdaApi } from '../lambda-api/registry.ts'
import { LOGS } from '../logs/registry.ts'
import { monitoringQuery } from '../metrics-api/protocols/query.ts'
import { MONITORING } from '../metrics-api/registry.ts'
import { bindService, queryApi } from '../query/registry.ts'
import { schedulerApi } from '../scheduler/scheduler-api.ts'
import { SECRETS_MANAGER } from '../secrets-manager/registry.ts'
import { SSM } from '../ssm/registry.ts'
import { STS } from '../sts/registry.ts'
import { monitoringOf } from './mount-metrics.ts'

/** Services of the JSON protocol, by what stands before an operation's name in `X-Amz-Target`. */
export const JSON_TARGETS = new Set<string>([
  EVENTS.target,
  LOGS.target,
  SECRETS_MANAGER.target,
  SSM.target,
  MONITORING.target
])

/** The protocols of AWS's own clients, without those that are CloudWatch's alone. */
export async function mountAwsApis(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(lambdaApi, deps)
  await app.register(schedulerApi, { schedules: deps.schedules })
  await app.register(apiGateway, { apis: deps.apis })
  await app.register(jsonApi, {
    services: [
      bindJsonService(EVENTS, deps.eventRules),
      bindJsonService(LOGS, deps.logGroups),
      bindJsonService(SECRETS_MANAGER, deps.secrets),
      bindJsonService(SSM, deps.parameters)
    ]
  })
  await app.register(queryApi, {
    services: [bindService(IAM, deps.access), bindService(STS, deps), monitoringQuery(monitoringOf(deps))],
    authorize(request, action, { resource, context }) {
      // Who one is, everybody may know of himself.
      if (action === 'sts:GetCallerIdentity') return
      const wish = { action, resource, keys: contextKeys(context) }
      if (action === 'sts:AssumeRole') request.requireTrust(wish)
      else request.requireAccess(wish)
    }
  })
}
