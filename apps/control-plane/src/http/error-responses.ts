import { type ErrorDetail, HearthError, toAwsError, toProblem } from '@hearth/shared'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { isAwsPath, pathOf } from './dialect.ts'
import { AnswerAgain } from './idempotency.ts'

/** The one error handler of this app: routes throw, nothing else picks a status. Two dialects, told by the path. */
export const errorResponses = fp(
  async (app) => {
    app.setErrorHandler<FastifyError>(answerError)
    app.setNotFoundHandler((request) => {
      throw new HearthError('ROUTE_NOT_FOUND', `There is no ${request.method} ${pathOf(request.url)} here.`)
    })
  },
  { name: 'error-responses' }
)

/** Also given to Fastify for what it refuses before there is a route, such as a URL that cannot be decoded. */
export function answerError(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): unknown {
  if (thrown instanceof AnswerAgain) return thrown.send(reply)
  void reply.header('x-amzn-requestid', request.id)
  const err = fromFramework(thrown, request)
  logRefusal(err, request)
  return isAwsPath(request.url) ? sendAws(err, reply) : sendProblem(err, request, reply)
}

/**
 * Only what the operator can mend is an `error` line with its cause. A refusal's message may quote what the caller sent (a
 * variable's value, say), so its code alone is logged.
 */
export function logRefusal(err: Error, request: FastifyRequest): void {
  const { code } = toProblem(err)
  if (code === 'INTERNAL' || code === 'CODE_SOURCE_UNAVAILABLE') request.log.error({ err }, 'request failed')
  else request.log.info({ code }, 'request refused')
}

function sendAws(err: Error, reply: FastifyReply): unknown {
  const { status, type, body } = toAwsError(err)
  tellWhen(err, reply)
  void reply.code(status).header('x-amzn-errortype', type).header('content-type', 'application/json')
  return reply.serializer(JSON.stringify).send(body)
}

function sendProblem(err: Error, request: FastifyRequest, reply: FastifyReply): unknown {
  const problem = { ...toProblem(err), requestId: request.id }
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="hearth"')
  tellWhen(err, reply)
  void reply.code(problem.status).header('content-type', 'application/problem+json')
  return reply.serializer(JSON.stringify).send(problem)
}

/** When to try again, where that is known. */
export function tellWhen(err: Error, reply: FastifyReply): void {
  if (err instanceof HearthError && err.retryAfterS !== undefined) void reply.header('retry-after', err.retryAfterS)
}

/** Fastify throws too (schema, body limit, broken path); without this its 4xx would be reported as our 500. */
export function fromFramework(thrown: FastifyError, request: FastifyRequest): Error {
  if (thrown instanceof HearthError) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const where = thrown.validationContext ?? 'request'
    const errors = thrown.validation.map((issue): ErrorDetail => {
      const path = `${where}${issue.instancePath.replaceAll('/', '.')}`
      return {
        path: where === 'querystring' ? path.replace('querystring', 'query') : path,
        message: issue.message ?? 'is not valid'
      }
    })
    return new HearthError('INVALID_REQUEST', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), {
      errors
    })
  }
  const status = thrown.statusCode ?? 500
  if (status === 413) return tooLarge(request, thrown)
  if (status === 415) return new HearthError('UNSUPPORTED_MEDIA_TYPE', thrown.message, { cause: thrown })
  if (status >= 400 && status < 500) return new HearthError('INVALID_REQUEST', thrown.message, { cause: thrown })
  return thrown
}

function tooLarge(request: FastifyRequest, cause: Error): HearthError {
  const limit = request.routeOptions.bodyLimit
  const operation = request.routeOptions.config.operation ?? ''
  return new HearthError('PAYLOAD_TOO_LARGE', `The body may have ${limit} bytes.`, {
    cause,
    awsMessage: `Request must be smaller than ${limit} bytes for the ${operation} operation`
  })
}
