import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { PermissionService } from '../functions/permission-service.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import {
  PermissionAdded,
  PermissionBody,
  PermissionIdParams,
  PermissionList,
  PermissionParams,
  PermissionQuery
} from './permission-schemas.ts'

export interface PermissionRoutesOptions {
  readonly permissions: PermissionService
  /** @throws HearthError FUNCTION_NOT_FOUND */
  readonly requireFunction: (name: string) => void
}

const tags = ['access']

/** Statements of a function's resource policy. Mounted under `/v1/functions`. */
export const permissionRoutes: FastifyPluginAsyncZod<PermissionRoutesOptions> = async (
  app,
  { permissions, requireFunction }
) => {
  app.get(
    '/:name/permissions',
    {
      schema: {
        operationId: 'listPermissions',
        summary: 'List who is permitted what',
        tags,
        params: PermissionParams,
        querystring: PermissionQuery,
        response: { 200: PermissionList }
      }
    },
    async (request) => {
      const { name } = request.params
      requireFunction(name)
      const policy = permissions.find({ name, qualifier: request.query.qualifier })
      return { items: [...(policy?.statements ?? [])], revisionId: policy?.revisionId ?? null }
    }
  )

  app.post(
    '/:name/permissions',
    {
      preValidation: async (request) => {
        request.body = parseJsonObject(bytesOf(request)) as never
      },
      schema: {
        operationId: 'addPermission',
        summary: 'Permit something to a service, an account or everybody',
        description:
          "One statement of the function's resource policy, or of a version's or an alias's. Statements are kept and shown; calls are not decided by them yet.",
        tags,
        params: PermissionParams,
        querystring: PermissionQuery,
        body: PermissionBody,
        response: { 201: PermissionAdded }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { statement, policy } = permissions.add({ name, qualifier: request.query.qualifier }, request.body)
      request.log.info({ fn: name, statement: statement.Sid }, 'permission added')
      void reply.code(201)
      return { statement, revisionId: policy.revisionId }
    }
  )

  app.delete(
    '/:name/permissions/:statementId',
    {
      schema: {
        operationId: 'removePermission',
        summary: 'Take a permission back',
        tags,
        params: PermissionIdParams,
        querystring: PermissionQuery,
        response: { 204: z.undefined().describe('Removed') }
      }
    },
    async (request, reply) => {
      const { name, statementId } = request.params
      permissions.remove({ name, qualifier: request.query.qualifier }, statementId)
      request.log.info({ fn: name, statement: statementId }, 'permission removed')
      return reply.code(204).send()
    }
  )
}
