import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { fromFramework, logRefusal } from '../../http/error-responses.ts'
import { BODY_BYTES, wholeBody } from '../../http/inflate.ts'
import { membersOf, operationOf } from '../../json-protocol/request.ts'
import { StringMap } from '../../query/xml.ts'
import { toMonitoringFailure } from '../errors.ts'
import type { MonitoringDeps } from '../operation.ts'
import { MONITORING } from '../registry.ts'
import { runOperation } from './calls.ts'

const CONTENT_TYPE = 'application/x-amz-json-1.0'

/** CloudWatch by AWS JSON 1.0, at `/`. The app needs the constraint `awsTarget` with its target. */
export const monitoringJson: FastifyPluginAsync<{ readonly deps: MonitoringDeps }> = async (app, { deps }) => {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    const { status, queryError, body } = toMonitoringFailure(err)
    return send(request, reply.code(status).header('x-amzn-query-error', queryError), body)
  })

  app.route({
    method: 'POST',
    url: '/',
    constraints: { awsTarget: MONITORING.target },
    config: { signedFor: () => [MONITORING.name], action: 'in-route' },
    schema: { hide: true },
    bodyLimit: BODY_BYTES,
    handler: async (request, reply) => {
      const members = membersOf(await wholeBody(request))
      return send(request, reply, await runOperation(request, operationOf(request), members, deps))
    }
  })
}

function send(request: FastifyRequest, reply: FastifyReply, body: object): FastifyReply {
  return reply
    .header('x-amzn-requestid', request.id)
    .header('content-type', CONTENT_TYPE)
    .serializer((value: unknown) => JSON.stringify(secondsOf(value)))
    .send(body)
}

/** Times as seconds. */
function secondsOf(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1_000
  if (Array.isArray(value)) return value.map(secondsOf)
  if (typeof value !== 'object' || value === null || value instanceof StringMap) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, secondsOf(inner)]))
}
