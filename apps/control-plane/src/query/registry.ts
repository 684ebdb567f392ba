import { HearthError } from '@hearth/shared'
import type { FastifyError, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { answerError, fromFramework, logRefusal, tellWhen } from '../http/error-responses.ts'
import { AnswerAgain } from '../http/idempotency.ts'
import { isCompressed, wholeBody } from '../http/inflate.ts'
import { bytesOf } from '../http/raw-bodies.ts'
import { errorXml, resultXml } from './answer.ts'
import { type FormMembers, parseForm } from './form.ts'
import type { PreparedCall, QueryCaller, QueryOperation, QueryResult } from './operation.ts'

/** A service that speaks the query protocol, with what it works with. */
export interface QueryService {
  /** The prefix of its actions in policies, and the name that its requests are signed for. */
  readonly name: string
  /** Of its API: how requests say whom they are for. */
  readonly version: string
  readonly xmlns: string
  /** Whether clients compress what they send it. */
  readonly takesGzip?: boolean
  /** @returns undefined when it has no such operation */
  prepare(action: string, members: FormMembers, caller: QueryCaller): PreparedCall | undefined
  /** In place of `prepare`, for a service whose operations speak other protocols too: asks by itself who may. */
  serve?(request: FastifyRequest, action: string, members: FormMembers): Promise<QueryResult | undefined>
}

export interface QueryApiOptions {
  readonly services: readonly QueryService[]
  /** Whether the caller may: throws ACCESS_DENIED when not. @param action - `iam:GetRole` */
  readonly authorize: (request: FastifyRequest, action: string, call: PreparedCall) => void
}

export function bindService<Deps>(
  service: Pick<QueryService, 'name' | 'version' | 'xmlns'> & { readonly operations: readonly QueryOperation<Deps>[] },
  deps: Deps
): QueryService {
  const byName = new Map(service.operations.map((operation) => [operation.name, operation]))
  return {
    name: service.name,
    version: service.version,
    xmlns: service.xmlns,
    prepare: (action, members, caller) => byName.get(action)?.prepare(members, caller, deps)
  }
}

/** The longest policy, percent-encoded, and a batch of metrics. */
const BODY_BYTES = 1_048_576

/** AWS's query protocol at `/`: the version in a request says which service it is for. */
export const queryApi: FastifyPluginAsync<QueryApiOptions> = async (app, { services, authorize }) => {
  const [first] = services
  if (first === undefined) throw new Error('the query protocol needs a service')

  // Errors can come before the request is read: its signature names the service too.
  const xmlnsFor = (request: FastifyRequest): string => {
    const text = `${request.headers.authorization ?? ''} ${request.url}`
    return services.find(({ name }) => text.includes(`/${name}/aws4_request`))?.xmlns ?? first.xmlns
  }

  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    if (!isCall(request) || thrown instanceof AnswerAgain) return answerError(thrown, request, reply)
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    tellWhen(err, reply)
    const { status, xml } = errorXml(err, xmlnsFor(request), request.id)
    return reply.code(status).header('content-type', 'text/xml').serializer(String).send(xml)
  })

  const membersOf = rememberMembers()
  const serviceOf = ({ Version: version }: FormMembers): QueryService | undefined =>
    version === undefined ? first : services.find((candidate) => candidate.version === version)
  const names = services.map(({ name }) => name)
  const gzipped = services.filter(({ takesGzip }) => takesGzip === true).map(({ name }) => name)

  app.route({
    method: ['GET', 'POST'],
    url: '/',
    config: {
      // A signature for one service is none for another, although all are at one address.
      signedFor(request, isWhole) {
        if (!isWhole) return names
        // It says whom it is for when it is unpacked, which is not done for strangers.
        if (isCompressed(request)) return gzipped
        const service = serviceOf(membersOf(request))
        return service === undefined ? names : [service.name]
      },
      action: 'in-route'
    },
    schema: { hide: true },
    bodyLimit: BODY_BYTES,
    handler: async (request, reply) => {
      if (!isCall(request)) throw new HearthError('ROUTE_NOT_FOUND', `There is no ${request.method} / here.`)
      const sent = isCompressed(request) ? parseForm(decodeText(await wholeBody(request))) : membersOf(request)
      const { Action: action, Version: version, ...members } = sent
      if (typeof action !== 'string' || action === '') {
        throw new HearthError('INVALID_REQUEST', 'The request has no Action.', { awsCode: 'MissingAction' })
      }
      const service = serviceOf(sent)
      if (isCompressed(request) && service?.takesGzip !== true) {
        throw new HearthError('UNSUPPORTED_MEDIA_TYPE', 'The body must come as it is.')
      }
      const answer = (result: QueryResult | undefined, xmlns: string): unknown =>
        reply
          .header('content-type', 'text/xml')
          .serializer(String)
          .send(resultXml(action, xmlns, result, request.id))
      if (service?.serve !== undefined) return answer(await service.serve(request, action, members), service.xmlns)
      const { principal } = request
      if (principal === null) throw new Error('a route that asks for a key has a principal')
      const call = service?.prepare(action, members, { principal, requestId: request.id })
      if (service === undefined || call === undefined) {
        const wanted = typeof version === 'string' ? version : first.version
        throw new HearthError('ROUTE_NOT_FOUND', `Could not find operation ${action} for version ${wanted}`)
      }
      authorize(request, `${service.name}:${action}`, call)
      const result = call.run()
      request.log.info({ operation: `${service.name}:${action}`, principal: principal.arn }, 'operation')
      return answer(result, service.xmlns)
    }
  })
}

/** Browsers come to `/` as well. */
function isCall(request: FastifyRequest): boolean {
  return request.method === 'POST' || /[?&]Action=/.test(request.url)
}

/** Asked for twice, read once. */
function rememberMembers(): (request: FastifyRequest) => FormMembers {
  const known = new WeakMap<FastifyRequest, FormMembers>()
  return (request) => {
    const members = known.get(request) ?? parametersOf(request)
    known.set(request, members)
    return members
  }
}

/** Those of the query and those of the body; the names of a signature in the query are not the operation's. */
function parametersOf(request: FastifyRequest): FormMembers {
  const mark = request.url.indexOf('?')
  const query = mark < 0 ? '' : request.url.slice(mark + 1)
  return parseForm(`${decodeText(bytesOf(request))}&${query}`)
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not UTF-8.', { cause })
  }
}
