import { HearthError } from '@hearth/shared'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { AnswerAgain } from '../http/idempotency.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { wishesOf } from './access.ts'
import { addLayerVersionPermission } from './add-layer-version-permission.ts'
import { addPermission } from './add-permission.ts'
import { createAlias } from './create-alias.ts'
import { createCodeSigningConfig } from './create-code-signing-config.ts'
import { createFunction } from './create-function.ts'
import { createFunctionUrlConfig } from './create-function-url-config.ts'
import { deleteAlias } from './delete-alias.ts'
import { deleteCodeSigningConfig } from './delete-code-signing-config.ts'
import { deleteFunction } from './delete-function.ts'
import { deleteFunctionCodeSigningConfig } from './delete-function-code-signing-config.ts'
import { deleteFunctionConcurrency } from './delete-function-concurrency.ts'
import { deleteFunctionEventInvokeConfig } from './delete-function-event-invoke-config.ts'
import { deleteFunctionUrlConfig } from './delete-function-url-config.ts'
import { deleteLayerVersion } from './delete-layer-version.ts'
import { deleteProvisionedConcurrencyConfig } from './delete-provisioned-concurrency-config.ts'
import { getAccountSettings } from './get-account-settings.ts'
import { getAlias } from './get-alias.ts'
import { getCodeSigningConfig } from './get-code-signing-config.ts'
import { getFunction } from './get-function.ts'
import { getFunctionCodeSigningConfig } from './get-function-code-signing-config.ts'
import { getFunctionConcurrency } from './get-function-concurrency.ts'
import { getFunctionConfiguration } from './get-function-configuration.ts'
import { getFunctionEventInvokeConfig } from './get-function-event-invoke-config.ts'
import { getFunctionRecursionConfig } from './get-function-recursion-config.ts'
import { getFunctionUrlConfig } from './get-function-url-config.ts'
import { getLayerVersion } from './get-layer-version.ts'
import { getLayerVersionByArn } from './get-layer-version-by-arn.ts'
import { getLayerVersionPolicy } from './get-layer-version-policy.ts'
import { getPolicy } from './get-policy.ts'
import { getProvisionedConcurrencyConfig } from './get-provisioned-concurrency-config.ts'
import { getRuntimeManagementConfig } from './get-runtime-management-config.ts'
import { listAliases } from './list-aliases.ts'
import { listCodeSigningConfigs } from './list-code-signing-configs.ts'
import { listFunctionEventInvokeConfigs } from './list-function-event-invoke-configs.ts'
import { listFunctionUrlConfigs } from './list-function-url-configs.ts'
import { listFunctions } from './list-functions.ts'
import { listFunctionsByCodeSigningConfig } from './list-functions-by-code-signing-config.ts'
import { listLayerVersions } from './list-layer-versions.ts'
import { listLayers } from './list-layers.ts'
import { listProvisionedConcurrencyConfigs } from './list-provisioned-concurrency-configs.ts'
import { listTags } from './list-tags.ts'
import { listVersionsByFunction } from './list-versions-by-function.ts'
import type { LambdaApiDeps, Operation, OperationAnswer, OperationCall } from './operation.ts'
import { publishLayerVersion } from './publish-layer-version.ts'
import { publishVersion } from './publish-version.ts'
import { putFunctionCodeSigningConfig } from './put-function-code-signing-config.ts'
import { putFunctionConcurrency } from './put-function-concurrency.ts'
import { putFunctionEventInvokeConfig } from './put-function-event-invoke-config.ts'
import { putFunctionRecursionConfig } from './put-function-recursion-config.ts'
import { putProvisionedConcurrencyConfig } from './put-provisioned-concurrency-config.ts'
import { putRuntimeManagementConfig } from './put-runtime-management-config.ts'
import { removeLayerVersionPermission } from './remove-layer-version-permission.ts'
import { removePermission } from './remove-permission.ts'
import { tagResource } from './tag-resource.ts'
import { unservedOperations } from './unserved-operations.ts'
import { untagResource } from './untag-resource.ts'
import { updateAlias } from './update-alias.ts'
import { updateCodeSigningConfig } from './update-code-signing-config.ts'
import { updateFunctionCode } from './update-function-code.ts'
import { updateFunctionConfiguration } from './update-function-configuration.ts'
import { updateFunctionEventInvokeConfig } from './update-function-event-invoke-config.ts'
import { updateFunctionUrlConfig } from './update-function-url-config.ts'

/**
 * Every operation of the Lambda API that is served here. One more is one more file and one more line; the catalogue's
 * reason why it is missing then no longer applies.
 */
export const OPERATIONS: readonly Operation[] = [
  addLayerVersionPermission,
  createCodeSigningConfig,
  createFunction,
  deleteCodeSigningConfig,
  deleteFunctionCodeSigningConfig,
  deleteFunction,
  deleteLayerVersion,
  getAccountSettings,
  getCodeSigningConfig,
  getFunctionCodeSigningConfig,
  getFunctionConfiguration,
  getFunctionRecursionConfig,
  getFunction,
  getLayerVersionByArn,
  getLayerVersionPolicy,
  getLayerVersion,
  getRuntimeManagementConfig,
  listCodeSigningConfigs,
  listFunctionsByCodeSigningConfig,
  listFunctions,
  listLayerVersions,
  listLayers,
  listTags,
  listVersionsByFunction,
  publishLayerVersion,
  putFunctionCodeSigningConfig,
  putFunctionRecursionConfig,
  putRuntimeManagementConfig,
  removeLayerVersionPermission,
  createFunctionUrlConfig,
  deleteFunctionUrlConfig,
  getFunctionUrlConfig,
  updateFunctionUrlConfig,
  listFunctionUrlConfigs,
  putFunctionEventInvokeConfig,
  updateFunctionEventInvokeConfig,
  getFunctionEventInvokeConfig,
  deleteFunctionEventInvokeConfig,
  listFunctionEventInvokeConfigs,
  addPermission,
  removePermission,
  getPolicy,
  tagResource,
  untagResource,
  updateCodeSigningConfig,
  updateFunctionCode,
  updateFunctionConfiguration,
  publishVersion,
  createAlias,
  getAlias,
  updateAlias,
  deleteAlias,
  listAliases,
  putFunctionConcurrency,
  getFunctionConcurrency,
  deleteFunctionConcurrency,
  putProvisionedConcurrencyConfig,
  getProvisionedConcurrencyConfig,
  deleteProvisionedConcurrencyConfig,
  listProvisionedConcurrencyConfigs
]

/** Mounts the Lambda API at AWS's own paths. */
export const lambdaApi: FastifyPluginAsync<LambdaApiDeps> = async (app, deps) => {
  const answerOf = async (operation: Operation, request: FastifyRequest): Promise<OperationAnswer> => {
    const bytes = bytesOf(request)
    const call: OperationCall = {
      params: request.params as Record<string, string>,
      query: request.query as Record<string, string>,
      body: bytes.length === 0 ? {} : parseJsonObject(bytes),
      origin: originOf(request),
      caller: request.principal?.arn ?? ''
    }
    for (const wish of wishesOf(operation, call, deps)) request.requireAccess(wish)
    return operation.run(call, deps)
  }
  for (const { method, url, candidates } of routesOf([...OPERATIONS, ...unservedOperations(OPERATIONS)])) {
    const [{ operation: usual }] = candidates
    app.route({
      method,
      url,
      // Which operation it is, and on what, may stand in the body.
      config: { operation: usual.name, action: 'in-route' },
      schema: { hide: true },
      bodyLimit: Math.max(...candidates.map(({ operation }) => operation.bodyLimit ?? BODY_BYTES)),
      handler: async (request, reply) => {
        const operation = candidates.length === 1 ? usual : chosenOf(candidates, request)
        const answer = await answerOf(operation, request).catch((thrown: unknown) => {
          if (operation.deploys === true && !(thrown instanceof AnswerAgain))
            deps.metrics.deployments.inc({ result: thrown instanceof HearthError ? 'refused' : 'failed' })
          throw thrown
        })
        request.log.info({ operation: operation.name, principal: request.principal?.arn }, 'operation')
        void reply.code(answer.status)
        if (answer.body === undefined) return reply.send()
        return reply.header('content-type', 'application/json').serializer(JSON.stringify).send(answer.body)
      }
    })
  }
}

/** JSON of settings fits in this many times over. */
const BODY_BYTES = 262_144

interface Candidate {
  readonly operation: Operation
  /** What the query must have for it, as in `?List=ALL`. */
  readonly query: readonly (readonly [name: string, value: string])[]
}

interface Route {
  readonly method: Operation['method']
  readonly url: string
  /** The one without demands on the query first. */
  readonly candidates: readonly [Candidate, ...Candidate[]]
}

/** Operations by route: some share method and path, and a member of the query tells them apart. */
function routesOf(operations: readonly Operation[]): readonly Route[] {
  const routes = new Map<string, Route>()
  for (const operation of operations) {
    const [url = '', search] = operation.path.split('?')
    const candidate = { operation, query: [...new URLSearchParams(search)] }
    const key = `${operation.method} ${url.replaceAll(/:\w+/g, ':')}`
    const route = routes.get(key)
    if (route === undefined) routes.set(key, { method: operation.method, url, candidates: [candidate] })
    else {
      const [first, ...rest] = [...route.candidates, candidate].sort((a, b) => a.query.length - b.query.length)
      routes.set(key, { ...route, url: first!.operation.path.split('?')[0]!, candidates: [first!, ...rest] })
    }
  }
  return [...routes.values()]
}

function chosenOf(candidates: Route['candidates'], request: FastifyRequest): Operation {
  const sent = request.query as Record<string, unknown>
  const chosen = candidates.findLast(({ query }) => query.every(([name, value]) => sent[name] === value))
  return (chosen ?? candidates[0]).operation
}
