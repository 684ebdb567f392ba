import { HearthError } from '@hearth/shared'
import type { KeyRecord } from '@hearth/store'
import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { type NewKey, statusOf } from '../access/keys.ts'
import { nameInArn } from '../access/names.ts'
import {
  KeyBody,
  KeyChange,
  KeyList,
  KeyListQuery,
  KeyParams,
  KeyView,
  NewKeyView,
  RotateBody
} from './access-schemas.ts'
import { parseBody } from './json-body.ts'

const tags = ['access']

/** Keys: what users prove themselves with. Mounted under `/v1/keys`. */
export const keyRoutes: FastifyPluginAsyncZod<{ readonly access: Access }> = async (app, { access }) => {
  const { keys, scope, now } = access
  app.get(
    '/',
    {
      schema: {
        operationId: 'listKeys',
        summary: 'List keys in the order in which they were made',
        tags,
        querystring: KeyListQuery,
        response: { 200: KeyList }
      }
    },
    async (request) => ({ items: keys.list(request.query.user).map((key) => toKeyView(key, now())) })
  )

  app.post(
    '/',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'createKey',
        summary: 'Make a key',
        description: 'Both secrets of it are in this answer and nowhere else, ever.',
        tags,
        body: KeyBody,
        response: { 201: NewKeyView }
      }
    },
    async (request, reply) => {
      const { label, expiresAt } = request.body
      const userName = request.body.user ?? nameInArn(request.principal?.arn ?? '', scope.accountId, 'user')
      if (userName === undefined) {
        throw new HearthError('INVALID_REQUEST', 'Only users have keys: name one.', {
          errors: [{ path: 'body.user', message: 'the name of a user' }]
        })
      }
      const made = keys.create({ userName, label, expiresAt })
      request.log.info({ key: made.record.accessKeyId, user: userName }, 'key made')
      return showOnce(reply, made, now())
    }
  )

  app.get(
    '/:id',
    {
      schema: {
        operationId: 'getKey',
        summary: 'Get a key, without its secrets',
        tags,
        params: KeyParams,
        response: { 200: KeyView }
      }
    },
    async (request) => toKeyView(keys.get(request.params.id), now())
  )

  app.patch(
    '/:id',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'changeKey',
        summary: 'Turn a key off, or on again',
        tags,
        params: KeyParams,
        body: KeyChange,
        response: { 200: KeyView }
      }
    },
    async (request) => {
      keys.setStatus(request.params.id, request.body.status)
      request.log.info({ key: request.params.id, status: request.body.status }, 'key changed')
      return toKeyView(keys.get(request.params.id), now())
    }
  )

  app.post(
    '/:id/rotate',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'rotateKey',
        summary: 'Put another key in the place of this one',
        description: 'For the same user, with the same label. The secrets of the new one are in this answer only.',
        tags,
        params: KeyParams,
        body: RotateBody,
        response: { 201: NewKeyView }
      }
    },
    async (request, reply) => {
      const made = keys.rotate(request.params.id, request.body.overlapSeconds, request.body.expiresAt)
      request.log.info({ key: request.params.id, replacement: made.record.accessKeyId }, 'key rotated')
      return showOnce(reply, made, now())
    }
  )

  app.delete(
    '/:id',
    {
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key',
        description: 'Already the next request with it is refused.',
        tags,
        params: KeyParams,
        response: { 204: z.undefined().describe('Gone') }
      }
    },
    async (request, reply) => {
      keys.remove(request.params.id)
      request.log.info({ key: request.params.id }, 'key revoked')
      return reply.code(204).send()
    }
  )
}

function showOnce(reply: FastifyReply, { record, secretAccessKey, token }: NewKey, now: Date) {
  void reply.code(201).header('cache-control', 'no-store').header('location', `/v1/keys/${record.accessKeyId}`)
  return { ...toKeyView(record, now), secretAccessKey, token }
}

function toKeyView(key: KeyRecord, now: Date): z.input<typeof KeyView> {
  return {
    accessKeyId: key.accessKeyId,
    user: key.userName,
    label: key.label ?? null,
    status: statusOf(key, now),
    createdAt: key.createdAt,
    expiresAt: key.expiresAt ?? null,
    lastUsed: key.lastUsed ?? null
  }
}
