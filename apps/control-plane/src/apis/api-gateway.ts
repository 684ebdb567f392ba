import { type ArnScope, apiGatewayArn, HearthError, toAwsError } from '@hearth/shared'
import type { FastifyError, FastifyPluginAsync } from 'fastify'
import { fromFramework, logRefusal, tellWhen } from '../http/error-responses.ts'
import { AnswerAgain } from '../http/idempotency.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { API_OPERATIONS } from './api-operations.ts'
import type { Apis } from './apis.ts'
import type { ApiOperation } from './operation.ts'
import { PART_OPERATIONS } from './part-operations.ts'
import { STAGE_OPERATIONS } from './stage-operations.ts'
import { UNSERVED_OPERATIONS } from './unserved-operations.ts'

/** What of API Gateway's second version is served. */
export const API_GATEWAY_OPERATIONS: readonly ApiOperation[] = [
  ...API_OPERATIONS,
  ...PART_OPERATIONS,
  ...STAGE_OPERATIONS
]

/** API Gateway's REST API for HTTP and WebSocket APIs, at AWS's own paths. */
export const apiGateway: FastifyPluginAsync<{ readonly apis: Apis }> = async (app, { apis }) => {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    if (thrown instanceof AnswerAgain) return thrown.send(reply)
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    const { status, type, message } = toApiGatewayError(err)
    tellWhen(err, reply)
    void reply.code(status).header('x-amzn-requestid', request.id).header('x-amzn-errortype', type)
    return reply.header('content-type', 'application/json').serializer(JSON.stringify).send({ message })
  })

  for (const operation of [...API_GATEWAY_OPERATIONS, ...UNSERVED_OPERATIONS]) {
    const { name, method, path, status } = operation
    app.route({
      method,
      url: `/v2${path}`,
      config: { operation: name, signedFor: () => ['apigateway'], action: 'in-route' },
      schema: { hide: true },
      handler: async (request, reply) => {
        const params = request.params as Record<string, string>
        // As IAM names the rights to API Gateway: by method and path.
        request.requireAccess({ action: `apigateway:${method}`, resource: resourceOf(path, params, apis.drafts.scope) })
        const bytes = bytesOf(request)
        const input = bytes.length === 0 ? {} : parseJsonObject(bytes)
        const query = request.query as Record<string, unknown>
        const body = operation.run({ params, query, input, origin: originOf(request) }, apis, (wish) => {
          request.requireAccess(wish)
        })
        request.log.info({ operation: `apigateway:${name}`, principal: request.principal?.arn }, 'operation')
        void reply.code(status).header('x-amzn-requestid', request.id)
        if (body === undefined) return reply.send()
        return reply.header('content-type', 'application/json').serializer(JSON.stringify).send(body)
      }
    })
  }
}

/** @returns the ARN of what a path is about; what a parameter has of slashes cannot make it another */
function resourceOf(path: string, params: Readonly<Record<string, string>>, scope: ArnScope): string {
  const filled = path.replaceAll(/:(\w+)/g, (_text, name: string) =>
    encodeURIComponent(params[name]!).replaceAll('%24', '$')
  )
  return apiGatewayArn(scope, filled)
}

/** Exceptions of other services, by what API Gateway has for them. */
const OWN: Readonly<Record<string, string>> = {
  InvalidParameterValueException: 'BadRequestException',
  InvalidRequestContentException: 'BadRequestException',
  ValidationException: 'BadRequestException',
  ResourceNotFoundException: 'NotFoundException',
  ResourceConflictException: 'ConflictException'
}

function toApiGatewayError(err: Error) {
  const { status, type, body } = toAwsError(err)
  const message = body['message'] ?? body['Message'] ?? ''
  const own = err instanceof HearthError ? OWN[type] : undefined
  return { status, type: own ?? type, message }
}
