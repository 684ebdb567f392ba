import type { Domain } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { linkNext, pageOf } from '../http/cursor.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { readDomainName } from '../urls/domain-name.ts'
import type { UrlService } from '../urls/url-service.ts'
import { ListQuery } from './function-schemas.ts'
import { DomainBody, DomainList, DomainParams, DomainView } from './url-schemas.ts'

export interface DomainRoutesOptions {
  readonly urls: UrlService
  readonly urlDomain: string
}

const tags = ['urls']
const PAGE = 50
const HOST = /^[a-z0-9_.-]{1,253}$/

/** Custom domains: other host names of function URLs. Mounted under `/v1/domains`. */
export const domainRoutes: FastifyPluginAsyncZod<DomainRoutesOptions> = async (app, { urls, urlDomain }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'listDomains',
        summary: 'List custom domains by name',
        tags,
        querystring: ListQuery,
        response: { 200: DomainList }
      }
    },
    async (request, reply) => {
      const { limit = PAGE, cursor } = request.query
      const page = pageOf(
        { query: ['domains'], cursor, limit, key: HOST },
        (after, most) => urls.listDomains(after, most),
        ({ host }) => host,
        toDomainView
      )
      return linkNext(reply, '/v1/domains', limit, page)
    }
  )

  app.put(
    '/:host',
    {
      preValidation: async (request) => {
        request.body = parseJsonObject(bytesOf(request)) as never
      },
      schema: {
        operationId: 'putDomain',
        summary: 'Let a host name lead to a function',
        description:
          "The name answers as the function's URL does, with its authentication and CORS; the function must have one. Requests must reach this server with the name in their Host header.",
        tags,
        params: DomainParams,
        body: DomainBody,
        response: { 200: DomainView.describe('Changed'), 201: DomainView.describe('Created') }
      }
    },
    async (request, reply) => {
      const host = readDomainName(request.params.host, urlDomain)
      const { domain, created } = urls.putDomain(host, request.body.function, request.body.qualifier ?? undefined)
      request.log.info({ host, fn: domain.functionName, created }, 'domain written')
      void reply.code(created ? 201 : 200)
      return toDomainView(domain)
    }
  )

  app.get(
    '/:host',
    {
      schema: {
        operationId: 'getDomain',
        summary: 'Get a custom domain',
        tags,
        params: DomainParams,
        response: { 200: DomainView }
      }
    },
    async (request) => toDomainView(urls.getDomain(readDomainName(request.params.host, urlDomain)))
  )

  app.delete(
    '/:host',
    {
      schema: {
        operationId: 'deleteDomain',
        summary: 'Remove a custom domain',
        tags,
        params: DomainParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const host = readDomainName(request.params.host, urlDomain)
      urls.removeDomain(host)
      request.log.info({ host }, 'domain deleted')
      return reply.code(204).send()
    }
  )
}

function toDomainView(domain: Domain) {
  return {
    host: domain.host,
    function: domain.functionName,
    qualifier: domain.qualifier ?? null,
    createdAt: domain.createdAt
  }
}
