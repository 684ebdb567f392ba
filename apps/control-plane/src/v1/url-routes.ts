import { type ArnScope, contextKeys, type FunctionUrl, functionArn } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { PermissionService } from '../functions/permission-service.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { setPublicAccess } from '../urls/public-access.ts'
import { addressOf } from '../urls/url-address.ts'
import type { UrlService } from '../urls/url-service.ts'
import { UrlBody, UrlParams, UrlQuery, UrlView } from './url-schemas.ts'

export interface UrlRoutesOptions {
  readonly urls: UrlService
  readonly urlDomain: string
  readonly permissions: PermissionService
  readonly scope: ArnScope
}

const tags = ['urls']

/** A function's URL. Mounted under `/v1/functions`. */
export const urlRoutes: FastifyPluginAsyncZod<UrlRoutesOptions> = async (
  app,
  { urls, urlDomain, permissions, scope }
) => {
  app.put(
    '/:name/url',
    {
      preValidation: async (request) => {
        const bytes = bytesOf(request)
        request.body = (bytes.length === 0 ? {} : parseJsonObject(bytes)) as never
      },
      schema: {
        operationId: 'putFunctionUrl',
        summary: 'Give a function a URL of its own, or change it',
        description:
          "The address stays the same for as long as the URL is there. `NONE` also lets everybody in by the function's policy, and `AWS_IAM` takes that back.",
        tags,
        params: UrlParams,
        querystring: UrlQuery,
        body: UrlBody,
        response: { 200: UrlView.describe('Changed'), 201: UrlView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { authType, cors, invokeMode } = request.body
      const { name } = request.params
      const { qualifier } = request.query
      const exists = urls.find(name, qualifier) !== undefined
      request.requireAccess({
        action: exists ? 'lambda:UpdateFunctionUrlConfig' : 'lambda:CreateFunctionUrlConfig',
        resource: functionArn(scope, name),
        keys: contextKeys({ 'lambda:FunctionUrlAuthType': authType })
      })
      const isEmpty = cors == null || Object.keys(cors).length === 0
      const { url, created } = urls.put(name, qualifier, {
        authType,
        cors: isEmpty ? undefined : withoutAbsent(cors),
        invokeMode
      })
      setPublicAccess(permissions, { name, qualifier }, authType)
      request.log.info({ fn: url.functionName, authType, created }, 'function URL written')
      void reply.code(created ? 201 : 200)
      return toUrlView(url, urlDomain, originOf(request))
    }
  )

  app.get(
    '/:name/url',
    {
      schema: {
        operationId: 'getFunctionUrl',
        summary: "Get a function's URL",
        tags,
        params: UrlParams,
        querystring: UrlQuery,
        response: { 200: UrlView }
      }
    },
    async (request) => toUrlView(urls.get(request.params.name, request.query.qualifier), urlDomain, originOf(request))
  )

  app.delete(
    '/:name/url',
    {
      schema: {
        operationId: 'deleteFunctionUrl',
        summary: "Remove a function's URL",
        description: 'It stops answering with the next request. A new one has another address.',
        tags,
        params: UrlParams,
        querystring: UrlQuery,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { qualifier } = request.query
      urls.remove(name, qualifier)
      setPublicAccess(permissions, { name, qualifier }, undefined)
      request.log.info({ fn: name }, 'function URL deleted')
      return reply.code(204).send()
    }
  )
}

function toUrlView(url: FunctionUrl, urlDomain: string, origin: string): z.input<typeof UrlView> {
  return {
    url: addressOf(url.id, urlDomain, origin),
    pathUrl: `${origin}/url/${url.id}/`,
    id: url.id,
    function: url.functionName,
    qualifier: url.qualifier ?? null,
    authType: url.authType,
    cors: url.cors === undefined ? null : (structuredClone(url.cors) as z.input<typeof UrlView>['cors']),
    invokeMode: url.invokeMode,
    createdAt: url.createdAt,
    lastModified: url.lastModified
  }
}

function withoutAbsent(cors: object): NonNullable<FunctionUrl['cors']> {
  return Object.fromEntries(Object.entries(cors).filter(([, value]) => value !== undefined))
}
