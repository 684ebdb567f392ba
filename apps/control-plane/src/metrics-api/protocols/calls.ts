import type { FastifyRequest } from 'fastify'
import { callerOf, unknownOperation } from '../../json-protocol/request.ts'
import type { MonitoringDeps } from '../operation.ts'
import { MONITORING } from '../registry.ts'

const BY_NAME = new Map(MONITORING.operations.map((operation) => [operation.name, operation]))

/**
 * Runs an operation for whoever sent `request`, if he may.
 *
 * @param members - As the protocol brought them
 * @returns members of the answer
 * @throws HearthError ROUTE_NOT_FOUND when there is no such operation, ACCESS_DENIED, and what the operation throws
 */
export async function runOperation(
  request: FastifyRequest,
  name: string,
  members: Readonly<Record<string, unknown>>,
  deps: MonitoringDeps
): Promise<object> {
  const operation = BY_NAME.get(name)
  if (operation === undefined) throw unknownOperation(name)
  const caller = callerOf(request)
  const call = operation.prepare(members, caller, deps)
  const own = `${MONITORING.actions}:${name}`
  for (const { action = own, resource, context } of call.targets) caller.require(action, resource, context)
  const answer = await call.run()
  request.log.info({ operation: own, principal: caller.principal.arn }, 'operation')
  return answer ?? {}
}
