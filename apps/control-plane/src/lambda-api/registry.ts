import { HearthError } from '@hearth/shared'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { addLayerVersionPermission } from './add-layer-version-permission.ts'
import { createFunction } from './create-function.ts'
import { deleteFunction } from './delete-function.ts'
import { deleteLayerVersion } from './delete-layer-version.ts'
import { getFunction } from './get-function.ts'
import { getFunctionConfiguration } from './get-function-configuration.ts'
import { getLayerVersion } from './get-layer-version.ts'
import { getLayerVersionPolicy } from './get-layer-version-policy.ts'
import { listFunctions } from './list-functions.ts'
import { listLayerVersions } from './list-layer-versions.ts'
import { listLayers } from './list-layers.ts'
import type { LambdaApiDeps, Operation, OperationAnswer } from './operation.ts'
import { publishLayerVersion } from './publish-layer-version.ts'
import { removeLayerVersionPermission } from './remove-layer-version-permission.ts'
import { updateFunctionCode } from './update-function-code.ts'
import { updateFunctionConfiguration } from './update-function-configuration.ts'

/** Every operation of the Lambda API that is served here. One more is one more file and one more line. */
const OPERATIONS: readonly Operation[] = [
  createFunction,
  deleteFunction,
  getFunction,
  getFunctionConfiguration,
  listFunctions,
  addLayerVersionPermission,
  deleteLayerVersion,
  getLayerVersion,
  getLayerVersionPolicy,
  listLayers,
  listLayerVersions,
  publishLayerVersion,
  removeLayerVersionPermission,
  updateFunctionCode,
  updateFunctionConfiguration
]

/** Mounts the Lambda API at AWS's own paths. */
export const lambdaApi: FastifyPluginAsync<LambdaApiDeps> = async (app, deps) => {
  const answerOf = async (operation: Operation, request: FastifyRequest): Promise<OperationAnswer> => {
    const bytes = bytesOf(request)
    return operation.run(
      {
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string>,
        body: bytes.length === 0 ? {} : parseJsonObject(bytes),
        origin: originOf(request),
        caller: request.principal?.arn ?? ''
      },
      deps
    )
  }
  for (const operation of OPERATIONS) {
    app.route({
      method: operation.method,
      url: operation.path,
      config: { operation: operation.name },
      schema: { hide: true },
      ...(operation.bodyLimit === undefined ? {} : { bodyLimit: operation.bodyLimit }),
      handler: async (request, reply) => {
        const answer = await answerOf(operation, request).catch((thrown: unknown) => {
          if (operation.deploys === true)
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
