import {
  type ArnScope,
  type Destination,
  type EventInvokeConfig,
  functionArn,
  HearthError,
  webhookKey
} from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { DestinationWish, EventInvokeService } from '../functions/event-invoke-service.ts'
import { pageOf } from '../http/cursor.ts'
import {
  EventInvokeBody,
  EventInvokeList,
  EventInvokeParams,
  EventInvokeQuery,
  EventInvokeView
} from './event-invoke-schemas.ts'
import { ListQuery } from './function-schemas.ts'
import { parseBody } from './json-body.ts'

export interface EventInvokeRoutesOptions {
  readonly eventInvoke: EventInvokeService
  readonly scope: ArnScope
}

const tags = ['invocations']
const PAGE = 50
const QUALIFIER = /^(\$LATEST|[a-zA-Z0-9-_]+)$/

/** How events of a function are tried again, and where their outcome goes. Mounted under `/v1/functions`. */
export const eventInvokeRoutes: FastifyPluginAsyncZod<EventInvokeRoutesOptions> = async (
  app,
  { eventInvoke, scope }
) => {
  app.put(
    '/:name/event-invoke-config',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putEventInvokeConfig',
        summary: 'Set how events are tried again and where their outcome goes',
        description: 'Of `$LATEST`, or of a version or an alias. What is not named becomes the default.',
        tags,
        params: EventInvokeParams,
        querystring: EventInvokeQuery,
        body: EventInvokeBody,
        response: { 200: EventInvokeView.describe('Changed'), 201: EventInvokeView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { qualifier } = request.query
      const settings = { maxRetries: undefined, maxAgeS: undefined, onSuccess: undefined, onFailure: undefined }
      const { config, created, newSecrets } = eventInvoke.put(name, qualifier, {
        ...settings,
        ...toChange(request.body)
      })
      request.log.info({ fn: name, qualifier: config.qualifier }, 'event invoke config set')
      void reply.code(created ? 201 : 200)
      return toView(config, scope, newSecrets)
    }
  )

  app.patch(
    '/:name/event-invoke-config',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'changeEventInvokeConfig',
        summary: 'Change some of it',
        description: 'What is not named stays; null goes back to the default.',
        tags,
        params: EventInvokeParams,
        querystring: EventInvokeQuery,
        body: EventInvokeBody,
        response: { 200: EventInvokeView }
      }
    },
    async (request) => {
      const { name } = request.params
      const { config, newSecrets } = eventInvoke.change(name, request.query.qualifier, toChange(request.body))
      request.log.info({ fn: name, qualifier: config.qualifier }, 'event invoke config set')
      return toView(config, scope, newSecrets)
    }
  )

  app.get(
    '/:name/event-invoke-config',
    {
      schema: {
        operationId: 'getEventInvokeConfig',
        summary: 'Get how events are tried again and where their outcome goes',
        tags,
        params: EventInvokeParams,
        querystring: EventInvokeQuery,
        response: { 200: EventInvokeView }
      }
    },
    async (request) => toView(eventInvoke.get(request.params.name, request.query.qualifier), scope)
  )

  app.delete(
    '/:name/event-invoke-config',
    {
      schema: {
        operationId: 'deleteEventInvokeConfig',
        summary: 'Go back to the defaults',
        tags,
        params: EventInvokeParams,
        querystring: EventInvokeQuery,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      eventInvoke.remove(request.params.name, request.query.qualifier)
      request.log.info({ fn: request.params.name }, 'event invoke config deleted')
      return reply.code(204).send()
    }
  )

  app.get(
    '/:name/event-invoke-configs',
    {
      schema: {
        operationId: 'listEventInvokeConfigs',
        summary: 'List a function’s configs by qualifier',
        tags,
        params: EventInvokeParams,
        querystring: ListQuery,
        response: { 200: EventInvokeList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor } = request.query
      const { name } = request.params
      return pageOf(
        { query: ['event-invoke-configs', name], cursor, limit, key: QUALIFIER },
        (after, most) => eventInvoke.list(name, after, most),
        ({ qualifier }) => qualifier,
        (config) => toView(config, scope)
      )
    }
  )
}

/** @throws HearthError INVALID_REQUEST */
function toChange(body: EventInvokeBody) {
  const { maximumRetryAttempts, maximumEventAgeInSeconds, onSuccess, onFailure } = body
  return {
    ...(maximumRetryAttempts === undefined ? {} : { maxRetries: maximumRetryAttempts ?? undefined }),
    ...(maximumEventAgeInSeconds === undefined ? {} : { maxAgeS: maximumEventAgeInSeconds ?? undefined }),
    ...(onSuccess === undefined ? {} : { onSuccess: toWish(onSuccess, 'onSuccess') }),
    ...(onFailure === undefined ? {} : { onFailure: toWish(onFailure, 'onFailure') })
  }
}

function toWish(destination: EventInvokeBody['onSuccess'], member: string): DestinationWish | undefined {
  if (destination === null || destination === undefined) return undefined
  if ('arn' in destination) return { target: destination.arn }
  const { url, secret } = destination.webhook
  if (secret !== undefined && webhookKey(secret) === undefined) {
    const message = 'whsec_ and 24 to 64 bytes in base64'
    throw new HearthError('INVALID_REQUEST', `body.${member}.webhook.secret: ${message}`, {
      errors: [{ path: `body.${member}.webhook.secret`, message }]
    })
  }
  return { target: url, secret }
}

/** @param newSecrets - Of which destinations the secret is shown */
function toView(
  config: EventInvokeConfig,
  scope: ArnScope,
  newSecrets: readonly ('onSuccess' | 'onFailure')[] = []
): EventInvokeView {
  const destination = (member: 'onSuccess' | 'onFailure') =>
    toDestinationView(config[member], newSecrets.includes(member))
  return {
    functionName: config.functionName,
    qualifier: config.qualifier,
    arn: functionArn(scope, config.functionName, config.qualifier),
    maximumRetryAttempts: config.maxRetries ?? null,
    maximumEventAgeInSeconds: config.maxAgeS ?? null,
    onSuccess: destination('onSuccess'),
    onFailure: destination('onFailure'),
    lastModified: config.lastModified
  }
}

function toDestinationView(destination: Destination | undefined, showsSecret: boolean) {
  if (destination === undefined) return null
  const { target, secret } = destination
  if (secret === undefined) return { arn: target }
  return { webhook: { url: target, ...(showsSecret ? { secret } : {}) } }
}
