import { type ArnScope, FUNCTION_NAME, type FunctionRecord, HearthError } from '@hearth/shared'
import { type ArtifactStore, LATEST } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { passRole } from '../access/pass-role.ts'
import type { CodeLinks } from '../code-links.ts'
import type { FunctionService } from '../functions/function-service.ts'
import { inspectStored, requireSame } from '../functions/inspect-stored.ts'
import type { Runtimes } from '../functions/runtimes.ts'
import { linkNext, pageOf } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import type { LayerAttachments } from '../layers/layer-attachments.ts'
import type { LogGroups } from '../logs/log-groups.ts'
import {
  ChangedView,
  FunctionList,
  FunctionName,
  FunctionView,
  ListQuery,
  PatchBody,
  Qualifier
} from './function-schemas.ts'
import { etagOf, toFunctionView } from './function-view.ts'
import { askForRetention, keepFor, retentionOf } from './log-retention.ts'
import { packageResponse, sendPackage } from './package-download.ts'
import { matches, preconditionOf } from './preconditions.ts'
import { readPatch } from './settings.ts'

export interface FunctionRoutesOptions {
  readonly service: FunctionService
  readonly artifacts: ArtifactStore
  readonly attachments: LayerAttachments
  readonly runtimes: Runtimes
  readonly links: CodeLinks
  readonly scope: ArnScope
  readonly groups: LogGroups
}

const Params = z.object({ name: FunctionName })
const tags = ['functions']
const PAGE = 50

/** Look at, change and remove functions. Mounted under `/v1/functions`. */
export const functionRoutes: FastifyPluginAsyncZod<FunctionRoutesOptions> = async (
  app,
  { service, artifacts, attachments, runtimes, links, scope, groups }
) => {
  const daysOf = retentionOf(groups)

  app.get(
    '/',
    {
      schema: {
        operationId: 'listFunctions',
        summary: 'List functions by name',
        description: 'The next page is in `nextCursor` and in the Link header.',
        tags,
        querystring: ListQuery,
        response: { 200: FunctionList }
      }
    },
    async (request, reply) => {
      const { limit = PAGE, cursor } = request.query
      const origin = originOf(request)
      const page = pageOf(
        { query: ['functions'], cursor, limit, key: FUNCTION_NAME },
        (after, most) => service.list(after, most),
        ({ name }) => name,
        (record) => toFunctionView(record, scope, origin, daysOf)
      )
      return linkNext(reply, '/v1/functions', limit, page)
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getFunction',
        summary: 'Get a function',
        description: 'The ETag is the revision id; with If-None-Match the answer is 304 while it is the same.',
        tags,
        params: Params,
        querystring: z.strictObject({ qualifier: Qualifier.optional() }),
        response: { 200: FunctionView, 304: z.undefined().describe('Not modified') }
      }
    },
    async (request, reply) => {
      const record = service.get(request.params.name, request.query.qualifier)
      void reply.header('etag', etagOf(record))
      const known = request.headers['if-none-match']
      if (known !== undefined && matches(known, record.revisionId)) return reply.code(304).send()
      return toFunctionView(record, scope, originOf(request), daysOf)
    }
  )

  app.patch(
    '/:name',
    {
      // The bytes are what is signed, so they are parsed only now.
      preValidation: async (request) => {
        request.body = parseJsonObject(bytesOf(request))
      },
      schema: {
        operationId: 'patchFunction',
        summary: 'Change settings',
        tags,
        params: Params,
        body: PatchBody,
        response: { 200: ChangedView }
      }
    },
    async (request, reply) => {
      const { body } = request
      const before = service.get(request.params.name)
      const arns = body.layers?.map((layer) => attachments.toArn(layer))
      if (body.role !== undefined) request.requireAccess(passRole(body.role))
      await askForRetention(request, groups, body.logGroup ?? before.logging.logGroup, body.logRetentionDays)
      for (const resource of arns ?? []) request.requireAccess({ action: 'lambda:GetLayerVersion', resource })
      const attached = arns && (await attachments.attach(arns, request.principal?.arn ?? ''))
      try {
        const change = (now: FunctionRecord) => ({
          ...readPatch(body, now),
          ...(attached === undefined ? {} : { layers: attached.layers })
        })
        const notices = await inspectStored({ artifacts, runtimes, attachments }, before, change(before))
        const decide = (now: FunctionRecord) => {
          // Its retention was asked for, and no other group's.
          if (body.logRetentionDays !== undefined) requireSame(before, now, 'log group')
          if (attached !== undefined) requireSame(before, now, 'code')
          return change(now)
        }
        const record = service.configure(request.params.name, decide, {
          precondition: preconditionOf(request.headers),
          settle: 'at-once'
        })
        await keepFor(groups, record.logging.logGroup, body.logRetentionDays)
        request.log.info({ fn: record.name, revision: record.revisionId }, 'function changed')
        void reply.header('etag', etagOf(record))
        return {
          ...toFunctionView(record, scope, originOf(request), daysOf),
          notices: [...notices, ...service.check(record, readPatch(body, record))]
        }
      } finally {
        attached?.release()
      }
    }
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteFunction',
        summary: 'Delete a function',
        tags,
        params: Params,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      service.remove(request.params.name, preconditionOf(request.headers))
      request.log.info({ fn: request.params.name }, 'function deleted')
      return reply.code(204).send()
    }
  )

  app.get(
    '/:name/code',
    {
      config: { access: 'signed-link' },
      schema: {
        operationId: 'getFunctionCode',
        summary: 'Download the package',
        description: 'The bytes as they were uploaded; a single source file comes as the zip it was made into.',
        tags,
        params: Params,
        querystring: z
          .object({
            expires: z.string().regex(/^\d{1,12}$/),
            signature: z.string().max(64),
            qualifier: Qualifier
          })
          .partial(),
        response: {
          200: packageResponse
        }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { qualifier = LATEST } = request.query
      // A link is checked before the name is looked up, so that strangers can't find out what exists.
      if (request.principal === null) {
        links.verify(name, qualifier, request.query.expires ?? '', request.query.signature ?? '')
      }
      const record = service.get(name, qualifier)
      if (!artifacts.has(record.artifact))
        throw new HearthError('INTERNAL', 'The package of this function is not in the artifact store.')
      return sendPackage(reply, artifacts.packageFile(record.artifact), record.codeSize, name)
    }
  )
}
