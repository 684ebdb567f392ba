import type { UserRecord } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { ENTITY_NAME } from '../access/names.ts'
import { principalArn } from '../access/route-resource.ts'
import { pageOf } from '../http/cursor.ts'
import { NameParams, PrincipalListQuery, UserBody, UserList, UserView } from './access-schemas.ts'
import { parseBody } from './json-body.ts'
import { applySettings, refuseOtherPath, settingsView, whole } from './principal-settings.ts'

const tags = ['access']
const PAGE = 50

/** Users: whom keys belong to. Mounted under `/v1/users`. */
export const userRoutes: FastifyPluginAsyncZod<{ readonly access: Access }> = async (app, { access }) => {
  const { users } = access
  app.get(
    '/',
    {
      schema: {
        operationId: 'listUsers',
        summary: 'List users by name',
        tags,
        querystring: PrincipalListQuery,
        response: { 200: UserList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor, pathPrefix = '/' } = request.query
      return pageOf(
        { query: ['users', pathPrefix], cursor, limit, key: ENTITY_NAME },
        (after, most) => users.list(after, pathPrefix, most),
        ({ name }) => name,
        (user) => toUserView(user, access)
      )
    }
  )

  app.put(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putUser',
        summary: 'Create a user, or say anew what it may do',
        description:
          'What is not named becomes as it is for a new user, who may do nothing. Its keys stay. All of it or, when something is refused, nothing of it is done.',
        tags,
        params: NameParams,
        body: UserBody,
        response: { 200: UserView.describe('Changed'), 201: UserView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { body } = request
      request.requireAccess({ action: 'hearth:PutUser', resource: principalArn(users, name, body.path) })
      const created = access.exclusively(() => {
        const before = users.find(name)
        if (before === undefined) users.create({ name, path: body.path })
        else refuseOtherPath(name, before.path, body.path)
        applySettings(users, name, whole(body))
        return before === undefined
      })
      request.log.info({ user: name, created }, 'user written')
      void reply.code(created ? 201 : 200)
      return toUserView(users.get(name), access)
    }
  )

  app.patch(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'changeUser',
        summary: 'Change a user',
        description: 'What is not named stays; lists and maps that are named are replaced as a whole.',
        tags,
        params: NameParams,
        body: UserBody,
        response: { 200: UserView }
      }
    },
    async (request) => {
      const { name } = request.params
      access.exclusively(() => {
        refuseOtherPath(name, users.get(name).path, request.body.path)
        applySettings(users, name, request.body)
      })
      request.log.info({ user: name }, 'user changed')
      return toUserView(users.get(name), access)
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getUser',
        summary: 'Get a user with its policies',
        tags,
        params: NameParams,
        response: { 200: UserView }
      }
    },
    async (request) => toUserView(users.get(request.params.name), access)
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteUser',
        summary: 'Delete a user with its keys and policies',
        tags,
        params: NameParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      users.removeWithAll(request.params.name)
      request.log.info({ user: request.params.name }, 'user deleted')
      return reply.code(204).send()
    }
  )
}

function toUserView(user: UserRecord, { users, managed, keys }: Access): z.input<typeof UserView> {
  return {
    name: user.name,
    arn: users.arnOf(user),
    path: user.path,
    userId: user.userId,
    boundary: user.boundary === undefined ? null : managed.arnOf(user.boundary),
    tags: user.tags,
    ...settingsView(users, user.name),
    keys: keys.list(user.name).map(({ accessKeyId }) => accessKeyId),
    createdAt: user.createdAt
  }
}
