import { HearthError, toJsonError } from '@hearth/shared'
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { fromFramework, logRefusal } from '../http/error-responses.ts'
import { bytesOf } from '../http/raw-bodies.ts'
import type { JsonCaller, JsonOperation, PreparedJsonCall } from './operation.ts'
import { callerOf, membersOf, operationOf, unknownOperation } from './request.ts'
import { ANY_TARGET, targetPrefix } from './target-constraint.ts'

/** A service that speaks AWS's JSON protocol, with what it works with. */
export interface JsonService {
  /** The prefix of its actions in policies, and the name that its requests are signed for. */
  readonly name: string
  /** What stands before the operation's name in `X-Amz-Target`. */
  readonly target: string
  /** Names of operations that are refused by name, with what is missing. */
  readonly unserved: Readonly<Record<string, string>>
  /** Whether answers without members have no body; elsewhere they are `{}`. */
  readonly answersEmpty: boolean
  /** @returns undefined when it has no such operation */
  prepare(
    operation: string,
    members: Readonly<Record<string, unknown>>,
    caller: JsonCaller
  ): PreparedJsonCall | undefined
}

export interface JsonServiceDefinition<Deps> {
  readonly name: string
  readonly target: string
  readonly unserved?: Readonly<Record<string, string>>
  readonly answersEmpty?: boolean
  readonly operations: readonly JsonOperation<Deps>[]
}

export function bindJsonService<Deps>(service: JsonServiceDefinition<Deps>, deps: Deps): JsonService {
  const byName = new Map(service.operations.map((operation) => [operation.name, operation]))
  return {
    name: service.name,
    target: service.target,
    unserved: service.unserved ?? {},
    answersEmpty: service.answersEmpty ?? false,
    prepare: (operation, members, caller) => byName.get(operation)?.prepare(members, caller, deps)
  }
}

const CONTENT_TYPE = 'application/x-amz-json-1.1'
/** The largest: ten parameters, or a secret of 64 KiB whose characters are all written as escapes. */
const BODY_BYTES = 1_048_576

/**
 * AWS's JSON protocol at `/`: `X-Amz-Target` says which service and operation a request is for. The app that this is
 * registered on needs the constraint `awsTarget`, with these services' targets.
 */
export const jsonApi: FastifyPluginAsync<{ readonly services: readonly JsonService[] }> = async (app, { services }) => {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    const { status, body } = toJsonError(err)
    return send(request, reply.code(status), body)
  })

  for (const service of services) {
    app.route({
      method: 'POST',
      url: '/',
      constraints: { awsTarget: service.target },
      config: { signedFor: () => [service.name], action: 'in-route' },
      schema: { hide: true },
      bodyLimit: BODY_BYTES,
      handler: async (request, reply) => {
        const name = operationOf(request)
        const caller = callerOf(request)
        const missing = Object.hasOwn(service.unserved, name) ? service.unserved[name] : undefined
        if (missing !== undefined) {
          caller.require(`${service.name}:${name}`, '*')
          throw new HearthError('NOT_IMPLEMENTED', `${name} is not supported by this server: ${missing}.`)
        }
        const call = service.prepare(name, membersOf(bytesOf(request)), caller)
        if (call === undefined) throw unknownOperation(name)
        const own = `${service.name}:${name}`
        for (const { action = own, resource, context } of call.targets) caller.require(action, resource, context)
        const answer = await call.run()
        request.log.info({ operation: own, principal: caller.principal.arn }, 'operation')
        return send(request, reply, answer ?? (service.answersEmpty ? undefined : {}))
      }
    })
  }

  const names = services.map(({ name }) => name)
  app.route({
    method: 'POST',
    url: '/',
    constraints: { awsTarget: ANY_TARGET },
    config: { signedFor: () => names, action: 'in-route' },
    schema: { hide: true },
    bodyLimit: BODY_BYTES,
    handler: async (request) => {
      throw unknownOperation(targetPrefix(request.headers) === '' ? '' : operationOf(request))
    }
  })
}

/** @param body - Undefined: none, as services answer that have nothing to say. */
function send(request: FastifyRequest, reply: FastifyReply, body: object | undefined): FastifyReply {
  reply.header('x-amzn-requestid', request.id).header('content-type', CONTENT_TYPE)
  return body === undefined ? reply.send('') : reply.serializer(JSON.stringify).send(body)
}
