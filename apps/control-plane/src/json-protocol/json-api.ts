import { HearthError, toAwsError } from '@hearth/shared'
import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { fromFramework, logRefusal } from '../http/error-responses.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import type { JsonOperation, PreparedJsonCall } from './operation.ts'

/** A service that speaks the JSON protocol, with what it works with. */
export interface JsonService {
  /** The prefix of its actions in policies, and the name that its requests are signed for. */
  readonly name: string
  /** Before the operation's name in `X-Amz-Target`. */
  readonly target: string
  /** @returns undefined when it has no such operation */
  prepare(operation: string, members: Readonly<Record<string, unknown>>): PreparedJsonCall | undefined
}

export function bindJsonService<Deps>(
  service: Pick<JsonService, 'name' | 'target'> & { readonly operations: readonly JsonOperation<Deps>[] },
  deps: Deps
): JsonService {
  const byName = new Map(service.operations.map((operation) => [operation.name, operation]))
  return {
    name: service.name,
    target: service.target,
    prepare: (operation, members) => byName.get(operation)?.prepare(members, deps)
  }
}

const TYPE = 'application/x-amz-json-1.1'
const BODY_BYTES = 1_048_576

/** Requests to `/` are told apart by the service in `X-Amz-Target`; those without one are of the query protocol. */
export function addTargetConstraint(app: FastifyInstance): void {
  app.addConstraintStrategy({
    name: 'amzTarget',
    storage: () => {
      const handlers = new Map<string, never>()
      return {
        get: (key: string) => handlers.get(key) ?? null,
        set: (key: string, store: never) => void handlers.set(key, store)
      }
    },
    deriveConstraint: (req) => String(req.headers['x-amz-target'] ?? '').split('.')[0] || undefined,
    validate: () => undefined
  })
}

/** AWS's JSON protocol, version 1.1, at `/`. */
export const jsonApi: FastifyPluginAsync<{ readonly services: readonly JsonService[] }> = async (app, { services }) => {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    const { status, type, body } = toAwsError(err)
    void reply.header('x-amzn-requestid', request.id).header('x-amzn-errortype', type).header('content-type', TYPE)
    // One status for all that is the caller's fault.
    void reply.code(status >= 500 || status === 413 ? status : 400)
    return reply.serializer(JSON.stringify).send({ __type: type, message: body['message'] ?? body['Message'] ?? '' })
  })
  for (const service of services) {
    app.route({
      method: 'POST',
      url: '/',
      constraints: { amzTarget: service.target },
      config: { signedFor: [service.name], action: 'in-route' },
      schema: { hide: true },
      bodyLimit: BODY_BYTES,
      handler: async (request, reply) => {
        const { operation, call } = prepare(service, request)
        for (const wish of call.wishes) request.requireAccess(wish)
        const result = call.run()
        request.log.info({ operation: `${service.name}:${operation}`, principal: request.principal?.arn }, 'operation')
        void reply.header('x-amzn-requestid', request.id).header('content-type', TYPE)
        return reply.serializer(JSON.stringify).send(result)
      }
    })
  }
}

function prepare(service: JsonService, request: FastifyRequest) {
  const operation = String(request.headers['x-amz-target']).slice(service.target.length + 1)
  const bytes = bytesOf(request)
  const call = service.prepare(operation, bytes.length === 0 ? {} : parseJsonObject(bytes))
  if (call === undefined) {
    throw new HearthError(
      'ROUTE_NOT_FOUND',
      `This server has no operation ${operation.slice(0, 64)} of ${service.name}.`
    )
  }
  return { operation, call }
}
