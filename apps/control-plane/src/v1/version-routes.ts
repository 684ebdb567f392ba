import { type ArnScope, HearthError } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { functionNotFound } from '../functions/function-record.ts'
import type { FunctionService } from '../functions/function-service.ts'
import { numberOf, type VersionService } from '../functions/version-service.ts'
import { pageOf } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import type { LogGroups } from '../logs/log-groups.ts'
import { FunctionList, FunctionName, FunctionView, ListQuery } from './function-schemas.ts'
import { etagOf, toFunctionView } from './function-view.ts'
import { parseBody } from './json-body.ts'
import { retentionOf } from './log-retention.ts'
import { preconditionOf } from './preconditions.ts'
import { PublishBody, VersionNumber } from './version-schemas.ts'

export interface VersionRoutesOptions {
  readonly service: FunctionService
  readonly versions: VersionService
  readonly scope: ArnScope
  readonly groups: LogGroups
}

const Params = z.object({ name: FunctionName })
const VersionParams = Params.extend({ version: VersionNumber })
const tags = ['versions']
const PAGE = 50

/** Published versions. Mounted under `/v1/functions`. */
export const versionRoutes: FastifyPluginAsyncZod<VersionRoutesOptions> = async (
  app,
  { service, versions, scope, groups }
) => {
  const daysOf = retentionOf(groups)

  app.get(
    '/:name/versions',
    {
      schema: {
        operationId: 'listVersions',
        summary: 'List versions: $LATEST first, then by number',
        tags,
        params: Params,
        querystring: ListQuery,
        response: { 200: FunctionList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor } = request.query
      const { name } = request.params
      const origin = originOf(request)
      return pageOf(
        { query: ['versions', name], cursor, limit, key: /^\d{1,15}$/ },
        (after, most) => versions.list(name, after === '' ? -1 : Number(after), most),
        (record) => String(numberOf(record.version)),
        (record) => toFunctionView(record, scope, origin, daysOf)
      )
    }
  )

  app.post(
    '/:name/versions',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'publishVersion',
        summary: 'Publish $LATEST as a version',
        description:
          'A version never changes. 201 with a new version; 200 with the newest one when nothing has changed since it was published.',
        tags,
        params: Params,
        body: PublishBody,
        response: { 200: FunctionView.describe('Nothing has changed'), 201: FunctionView.describe('Published') }
      }
    },
    async (request, reply) => {
      const { record, created } = versions.publish(request.params.name, {
        ...request.body,
        precondition: preconditionOf(request.headers)
      })
      request.log.info({ fn: record.name, version: record.version, created }, 'version published')
      void reply.code(created ? 201 : 200).header('etag', etagOf(record))
      if (created) void reply.header('location', `/v1/functions/${record.name}/versions/${record.version}`)
      return toFunctionView(record, scope, originOf(request), daysOf)
    }
  )

  app.get(
    '/:name/versions/:version',
    {
      schema: {
        operationId: 'getVersion',
        summary: 'Get a version',
        tags,
        params: VersionParams,
        response: { 200: FunctionView }
      }
    },
    async (request, reply) => {
      const record = service.get(request.params.name, request.params.version)
      void reply.header('etag', etagOf(record))
      return toFunctionView(record, scope, originOf(request), daysOf)
    }
  )

  app.delete(
    '/:name/versions/:version',
    {
      schema: {
        operationId: 'deleteVersion',
        summary: 'Delete a version that no alias points to',
        tags,
        params: VersionParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name, version } = request.params
      if (version === '$LATEST')
        throw new HearthError('INVALID_REQUEST', '$LATEST goes with its function: delete that, or a published version.')
      if (!versions.remove(name, version)) throw functionNotFound(scope, name, version)
      request.log.info({ fn: name, version }, 'version deleted')
      return reply.code(204).send()
    }
  )
}
