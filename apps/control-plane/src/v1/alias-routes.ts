import { ALIAS_NAME, type AliasRecord, type ArnScope, functionArn, HearthError } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AliasService } from '../functions/alias-service.ts'
import { pageOf } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import { FunctionName, ListQuery } from './function-schemas.ts'
import { parseBody } from './json-body.ts'
import { preconditionOf } from './preconditions.ts'
import { AliasBody, AliasList, AliasName, AliasView } from './version-schemas.ts'

export interface AliasRoutesOptions {
  readonly aliases: AliasService
  readonly scope: ArnScope
}

const Params = z.object({ name: FunctionName })
const AliasParams = Params.extend({ alias: AliasName })
const tags = ['versions']
const PAGE = 50

/** Aliases. Mounted under `/v1/functions`. */
export const aliasRoutes: FastifyPluginAsyncZod<AliasRoutesOptions> = async (app, { aliases, scope }) => {
  app.get(
    '/:name/aliases',
    {
      schema: {
        operationId: 'listAliases',
        summary: 'List aliases by name',
        tags,
        params: Params,
        querystring: ListQuery,
        response: { 200: AliasList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor } = request.query
      const { name } = request.params
      const origin = originOf(request)
      return pageOf(
        { query: ['aliases', name], cursor, limit, key: ALIAS_NAME },
        (after, most) => aliases.list(name, after, most),
        (alias) => alias.name,
        (alias) => toAliasView(alias, scope, origin)
      )
    }
  )

  app.get(
    '/:name/aliases/:alias',
    {
      schema: {
        operationId: 'getAlias',
        summary: 'Get an alias',
        tags,
        params: AliasParams,
        response: { 200: AliasView }
      }
    },
    async (request, reply) => {
      const alias = getAlias(aliases, scope, request.params.name, request.params.alias)
      void reply.header('etag', `"${alias.revisionId}"`)
      return toAliasView(alias, scope, originOf(request))
    }
  )

  app.put(
    '/:name/aliases/:alias',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putAlias',
        summary: 'Create an alias or point it elsewhere',
        description:
          'What is not named becomes as it is for a new alias: no weights, no description. Refused with 409 while a release moves the alias.',
        tags,
        params: AliasParams,
        body: AliasBody,
        response: { 200: AliasView.describe('Changed'), 201: AliasView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name, alias: aliasName } = request.params
      const { version, weights = {}, description = '' } = request.body
      const precondition = preconditionOf(request.headers)
      const before = aliases.find(name, aliasName)
      const action = before === undefined ? 'lambda:CreateAlias' : 'lambda:UpdateAlias'
      request.requireAccess({ action, resource: functionArn(scope, name) })
      precondition(before)
      const alias =
        before === undefined
          ? aliases.create(name, aliasName, { version, weights, description })
          : aliases.update(name, aliasName, { version, weights, description }, precondition)
      request.log.info({ fn: name, alias: aliasName, version, weights }, 'alias set')
      void reply.code(before === undefined ? 201 : 200).header('etag', `"${alias.revisionId}"`)
      return toAliasView(alias, scope, originOf(request))
    }
  )

  app.delete(
    '/:name/aliases/:alias',
    {
      schema: {
        operationId: 'deleteAlias',
        summary: 'Delete an alias',
        tags,
        params: AliasParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name, alias } = request.params
      if (!aliases.remove(name, alias, preconditionOf(request.headers))) throw aliasNotFound(scope, name, alias)
      request.log.info({ fn: name, alias }, 'alias deleted')
      return reply.code(204).send()
    }
  )
}

export function toAliasView(alias: AliasRecord, scope: ArnScope, origin: string): AliasView {
  const { functionName, name } = alias
  return {
    name,
    functionName,
    arn: functionArn(scope, functionName, name),
    url: `${origin}/fn/${functionName}:${name}/`,
    version: alias.version,
    weights: { ...alias.weights },
    description: alias.description,
    revisionId: alias.revisionId,
    previousVersion: alias.previousVersion ?? null
  }
}

function getAlias(aliases: AliasService, scope: ArnScope, functionName: string, name: string): AliasRecord {
  const alias = aliases.find(functionName, name)
  if (alias === undefined) throw aliasNotFound(scope, functionName, name)
  return alias
}

function aliasNotFound(scope: ArnScope, functionName: string, name: string): HearthError {
  return new HearthError('ALIAS_NOT_FOUND', `Alias not found: ${functionArn(scope, functionName, name)}`)
}
