import {
  API_ID,
  type Api,
  type ApiStaticFiles,
  type ArnScope,
  apiGatewayArn,
  HearthError,
  LIMITS
} from '@hearth/shared'
import type { ApisRepository } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { bytesOf } from '../http/raw-bodies.ts'
import { sniffPackage } from '../packages/package-kind.ts'
import type { PackageStore } from '../packages/package-store.ts'
import { TriggerName } from '../triggers/schemas.ts'

export interface HttpStaticRoutesOptions {
  readonly apis: Pick<ApisRepository, 'find' | 'findTrigger' | 'put'>
  readonly packages: PackageStore
  readonly scope: ArnScope
  readonly now: () => Date
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

const tags = ['triggers']
const FileName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^(?!.*(?:^|\/)\.)[^/\\\0][^\\\0]*$/, 'a path below the folder, without names that begin with a dot')
const Params = z.object({ name: TriggerName.meta({ description: 'Name of the trigger, or id of the API' }) })
const Query = z.strictObject({
  index: FileName.default('index.html').meta({ description: 'File that stands for a folder' }),
  notFound: FileName.optional().meta({
    description:
      'File for what there is not, sent with 404; the same as `index`: sent with 200, for pages that find their own way in the browser'
  })
})
const View = z.object({
  apiId: z.string(),
  sha256: z.string(),
  index: z.string(),
  notFound: z.string().nullable(),
  files: z.int().optional().meta({ description: 'How many were uploaded' }),
  uploadedAt: z.iso.datetime()
})

/** A folder of files beside the routes of an HTTP API. Mounted under `/v1/triggers/http`. */
export const httpStaticRoutes: FastifyPluginAsyncZod<HttpStaticRoutesOptions> = async (
  app,
  { apis, packages, scope, now, exclusively }
) => {
  const isHttp = (api: Api | undefined): api is Api => api?.protocol === 'HTTP'

  const getApi = (name: string): Api => {
    const byId = API_ID.test(name) ? apis.find(name) : undefined
    if (isHttp(byId)) return byId
    const found = apis.findTrigger('HTTP', name)
    if (found !== undefined) return found
    throw new HearthError('RESOURCE_NOT_FOUND', `There is no HTTP API ${name}.`)
  }

  /** Who may not is told so whether or not there is such an API. */
  const arnOf = (name: string): string => {
    try {
      return apiGatewayArn(scope, `/apis/${getApi(name).id}`)
    } catch (err) {
      if (err instanceof HearthError) return apiGatewayArn(scope, `/apis/${name}`)
      throw err
    }
  }

  /** Changes nothing else of the API, whoever changes that meanwhile. */
  const write = (id: string, files: ApiStaticFiles | undefined): void => {
    exclusively(() => {
      const api = apis.find(id)
      if (api === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `There is no HTTP API ${id}.`)
      apis.put({ ...api, static: files })
    })
  }

  const toView = ({ id }: Api, { sha256, index, notFound, uploadedAt }: ApiStaticFiles) => ({
    apiId: id,
    sha256,
    index,
    notFound: notFound ?? null,
    uploadedAt: new Date(uploadedAt).toISOString()
  })

  app.put(
    '/:name/static',
    {
      bodyLimit: LIMITS.zipBytes,
      config: { payloads: 'any' },
      schema: {
        operationId: 'putHttpTriggerStatic',
        summary: 'Serve a folder of files beside the routes of an HTTP API',
        description:
          'The body is a zip or a gzipped tar, which takes the place of the one before as a whole. Its files are answers to GET and HEAD of paths that no route takes.',
        tags,
        consumes: ['application/octet-stream'],
        params: Params,
        querystring: Query,
        body: z.any().meta({ type: 'string', format: 'binary', description: 'Zip or gzipped tar' }),
        response: { 200: View.describe('Served from now on') }
      }
    },
    async (request) => {
      const { name } = request.params
      request.requireAccess({ action: 'apigateway:PATCH', resource: arnOf(name) })
      const api = getApi(name)
      const bytes = bytesOf(request)
      const kind = sniffPackage(bytes)
      if (kind === 'source') throw new HearthError('INVALID_ARCHIVE', 'A folder of files is a zip or a gzipped tar.')
      const { index, notFound } = request.query
      const stored = await packages.add(bytes, kind, {
        inspect: async ({ files }) => {
          if (notFound === undefined || files.includes(notFound)) return
          const message = `There is no ${notFound} in the archive.`
          throw new HearthError('INVALID_REQUEST', message, { errors: [{ path: 'query.notFound', message }] })
        }
      })
      try {
        const files = { sha256: stored.artifact, index, notFound, uploadedAt: now().getTime() }
        write(api.id, files)
        request.log.info({ api: api.id, files: stored.files.length, bytes: stored.codeSize }, 'static files written')
        return { ...toView(api, files), files: stored.files.length }
      } finally {
        stored.release()
      }
    }
  )

  app.get(
    '/:name/static',
    {
      schema: {
        operationId: 'getHttpTriggerStatic',
        summary: 'Which folder of files an HTTP API serves',
        tags,
        params: Params,
        response: { 200: View }
      }
    },
    async (request) => {
      const { name } = request.params
      request.requireAccess({ action: 'apigateway:GET', resource: arnOf(name) })
      const api = getApi(name)
      if (api.static === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `The API ${name} serves no files.`)
      return toView(api, api.static)
    }
  )

  app.delete(
    '/:name/static',
    {
      schema: {
        operationId: 'deleteHttpTriggerStatic',
        summary: 'Serve no files any more',
        tags,
        params: Params,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      request.requireAccess({ action: 'apigateway:PATCH', resource: arnOf(name) })
      const api = getApi(name)
      if (api.static === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `The API ${name} serves no files.`)
      write(api.id, undefined)
      request.log.info({ api: api.id }, 'static files deleted')
      return reply.code(204).send()
    }
  )
}
