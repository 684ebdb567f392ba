import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ConcurrencyService, Provisioned } from '../functions/concurrency-service.ts'
import { pageOf } from '../http/cursor.ts'
import {
  ConcurrencyParams,
  ProvisionedBody,
  ProvisionedList,
  ProvisionedParams,
  ProvisionedView,
  ReservedBody,
  ReservedView
} from './concurrency-schemas.ts'
import { ListQuery } from './function-schemas.ts'
import { parseBody } from './json-body.ts'

export interface ConcurrencyRoutesOptions {
  readonly concurrency: ConcurrencyService
}

const tags = ['concurrency']
const PAGE = 50
/** A version's number or an alias. */
const QUALIFIER = /^[a-zA-Z0-9-_]+$/

/** Reserved and provisioned concurrency. Mounted under `/v1/functions`. */
export const concurrencyRoutes: FastifyPluginAsyncZod<ConcurrencyRoutesOptions> = async (app, { concurrency }) => {
  const reservedView = (functionName: string): ReservedView => ({
    functionName,
    reserved: concurrency.reserved(functionName) ?? null,
    unreserved: concurrency.unreserved()
  })

  app.get(
    '/:name/concurrency',
    {
      schema: {
        operationId: 'getReservedConcurrency',
        summary: 'Get how many events of a function may be in flight at once',
        tags,
        params: ConcurrencyParams,
        response: { 200: ReservedView }
      }
    },
    async (request) => reservedView(request.params.name)
  )

  app.put(
    '/:name/concurrency',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putReservedConcurrency',
        summary: 'Reserve concurrency for a function',
        description:
          'As many events of all its versions may be in flight at once, and as many places are kept for it. 0 switches the function off. Refused with 400 when too little would be left for functions without a reservation.',
        tags,
        params: ConcurrencyParams,
        body: ReservedBody,
        response: { 200: ReservedView }
      }
    },
    async (request) => {
      const { name } = request.params
      const { reserved } = request.body
      concurrency.reserve(name, reserved)
      request.log.info({ fn: name, reserved }, 'concurrency reserved')
      return reservedView(name)
    }
  )

  app.delete(
    '/:name/concurrency',
    {
      schema: {
        operationId: 'deleteReservedConcurrency',
        summary: 'Give reserved concurrency back',
        tags,
        params: ConcurrencyParams,
        response: { 204: z.undefined().describe('Nothing is reserved') }
      }
    },
    async (request, reply) => {
      concurrency.unreserve(request.params.name)
      request.log.info({ fn: request.params.name }, 'concurrency given back')
      return reply.code(204).send()
    }
  )

  app.get(
    '/:name/provisioned-concurrency',
    {
      schema: {
        operationId: 'listProvisionedConcurrency',
        summary: 'List versions and aliases whose instances are started ahead',
        tags,
        params: ConcurrencyParams,
        querystring: ListQuery,
        response: { 200: ProvisionedList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor } = request.query
      const { name } = request.params
      return pageOf(
        { query: ['provisioned-concurrency', name], cursor, limit, key: QUALIFIER },
        (after, most) => concurrency.listProvisioned(name, after, most),
        ({ qualifier }) => qualifier,
        toProvisionedView
      )
    }
  )

  app.get(
    '/:name/provisioned-concurrency/:qualifier',
    {
      schema: {
        operationId: 'getProvisionedConcurrency',
        summary: 'Get how far instances are that are started ahead',
        tags,
        params: ProvisionedParams,
        response: { 200: ProvisionedView }
      }
    },
    async (request) => toProvisionedView(concurrency.provisioned(request.params.name, request.params.qualifier))
  )

  app.put(
    '/:name/provisioned-concurrency/:qualifier',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putProvisionedConcurrency',
        summary: 'Have instances of a version or an alias started ahead',
        description:
          'The answer is 202: the status becomes READY when all are initialised. What is provisioned follows its alias. The same again tries again.',
        tags,
        params: ProvisionedParams,
        body: ProvisionedBody,
        response: { 202: ProvisionedView.describe('Accepted') }
      }
    },
    async (request, reply) => {
      const { name, qualifier } = request.params
      const { requested } = request.body
      const config = concurrency.provision(name, qualifier, requested)
      request.log.info({ fn: name, qualifier, requested }, 'concurrency provisioned')
      void reply.code(202)
      return toProvisionedView(config)
    }
  )

  app.delete(
    '/:name/provisioned-concurrency/:qualifier',
    {
      schema: {
        operationId: 'deleteProvisionedConcurrency',
        summary: 'Start no more instances ahead',
        tags,
        params: ProvisionedParams,
        response: { 204: z.undefined().describe('Nothing is provisioned') }
      }
    },
    async (request, reply) => {
      const { name, qualifier } = request.params
      // Whether there is one.
      concurrency.provisioned(name, qualifier)
      concurrency.unprovision(name, qualifier)
      request.log.info({ fn: name, qualifier }, 'provisioned concurrency given back')
      return reply.code(204).send()
    }
  )
}

function toProvisionedView(config: Provisioned): ProvisionedView {
  return {
    functionName: config.functionName,
    qualifier: config.qualifier,
    version: config.version,
    requested: config.requested,
    allocated: config.allocated,
    available: config.available,
    status: config.status,
    statusReason: config.statusReason ?? null,
    lastModified: config.lastModified
  }
}
