import type { RoleRecord } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { ENTITY_NAME, MAX_SESSION_S } from '../access/names.ts'
import { principalArn } from '../access/route-resource.ts'
import { pageOf } from '../http/cursor.ts'
import { NameParams, PrincipalListQuery, RoleBody, RoleList, RoleView, SessionsRevoked } from './access-schemas.ts'
import { parseBody } from './json-body.ts'
import { inPlace, objectOf, textOf } from './policy-text.ts'
import { applySettings, refuseOtherPath, settingsView, whole } from './principal-settings.ts'

const tags = ['access']
const PAGE = 50
const OF_FUNCTIONS = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }]
})

/** Roles: what functions run as, and what others take for a while. Mounted under `/v1/roles`. */
export const roleRoutes: FastifyPluginAsyncZod<{ readonly access: Access }> = async (app, { access }) => {
  const { roles } = access
  app.get(
    '/',
    {
      schema: {
        operationId: 'listRoles',
        summary: 'List roles by name',
        tags,
        querystring: PrincipalListQuery,
        response: { 200: RoleList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor, pathPrefix = '/' } = request.query
      return pageOf(
        { query: ['roles', pathPrefix], cursor, limit, key: ENTITY_NAME },
        (after, most) => roles.list(after, pathPrefix, most),
        ({ name }) => name,
        (role) => toRoleView(role, access)
      )
    }
  )

  app.put(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putRole',
        summary: 'Create a role, or say anew what it is',
        description:
          'What is not named becomes as it is for a new role: Lambda may take it, and it may do nothing. All of it or, when something is refused, nothing of it is done.',
        tags,
        params: NameParams,
        body: RoleBody,
        response: { 200: RoleView.describe('Changed'), 201: RoleView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { body } = request
      request.requireAccess({ action: 'hearth:PutRole', resource: principalArn(roles, name, body.path) })
      const created = access.exclusively(() => {
        const before = roles.find(name)
        const trust = body.trust === undefined ? OF_FUNCTIONS : textOf(body.trust)
        const { description = '', maxSessionSeconds: maxSessionS = MAX_SESSION_S.default } = body
        if (before === undefined) {
          inPlace('body.trust', () => roles.create({ name, trust, path: body.path, description, maxSessionS }))
        } else {
          refuseOtherPath(name, before.path, body.path)
          inPlace('body.trust', () => {
            roles.setTrust(name, trust)
          })
          roles.update(name, { description, maxSessionS })
        }
        applySettings(roles, name, whole(body))
        return before === undefined
      })
      request.log.info({ role: name, created }, 'role written')
      void reply.code(created ? 201 : 200)
      return toRoleView(roles.get(name), access)
    }
  )

  app.patch(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'changeRole',
        summary: 'Change a role',
        description: 'What is not named stays; lists and maps that are named are replaced as a whole.',
        tags,
        params: NameParams,
        body: RoleBody,
        response: { 200: RoleView }
      }
    },
    async (request) => {
      const { name } = request.params
      const { body } = request
      access.exclusively(() => {
        refuseOtherPath(name, roles.get(name).path, body.path)
        const { trust } = body
        if (trust !== undefined) {
          inPlace('body.trust', () => {
            roles.setTrust(name, textOf(trust))
          })
        }
        roles.update(name, { description: body.description, maxSessionS: body.maxSessionSeconds })
        applySettings(roles, name, body)
      })
      request.log.info({ role: name }, 'role changed')
      return toRoleView(roles.get(name), access)
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getRole',
        summary: 'Get a role with its policies',
        tags,
        params: NameParams,
        response: { 200: RoleView }
      }
    },
    async (request) => toRoleView(roles.get(request.params.name), access)
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteRole',
        summary: 'Delete a role with its policies',
        description: 'Refused with 409 while a function runs as it.',
        tags,
        params: NameParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      roles.removeWithPolicies(request.params.name)
      request.log.info({ role: request.params.name }, 'role deleted')
      return reply.code(204).send()
    }
  )

  app.post(
    '/:name/revoke-sessions',
    {
      schema: {
        operationId: 'revokeSessions',
        summary: 'Refuse all sessions of a role that there are',
        description: 'Credentials issued until now stop working; new ones can be had at once.',
        tags,
        params: NameParams,
        response: { 200: SessionsRevoked }
      }
    },
    async (request) => {
      const sessionsFrom = roles.revokeSessions(request.params.name)
      request.log.info({ role: request.params.name }, 'sessions revoked')
      return { sessionsFrom }
    }
  )
}

function toRoleView(role: RoleRecord, { roles, managed }: Access): z.input<typeof RoleView> {
  return {
    name: role.name,
    arn: roles.arnOf(role),
    path: role.path,
    roleId: role.roleId,
    trust: objectOf(role.trust),
    description: role.description ?? '',
    maxSessionSeconds: role.maxSessionS,
    boundary: role.boundary === undefined ? null : managed.arnOf(role.boundary),
    tags: role.tags,
    ...settingsView(roles, role.name),
    sessionsFrom: role.sessionsFrom,
    createdAt: role.createdAt,
    lastUsedAt: role.lastUsed?.at ?? null
  }
}
