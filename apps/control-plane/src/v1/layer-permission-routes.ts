import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { LayerService } from '../layers/layer-service.ts'
import { parseBody } from './json-body.ts'
import { VersionParams } from './layer-schemas.ts'
import { LayerPermissionBody, PermissionAdded, PermissionList, StatementId } from './permission-schemas.ts'

const tags = ['access']
const GET_LAYER_VERSION = 'lambda:GetLayerVersion'

/** Statements of the resource policy of a layer's version. Mounted under `/v1/layers`. */
export const layerPermissionRoutes: FastifyPluginAsyncZod<{ readonly layers: LayerService }> = async (
  app,
  { layers }
) => {
  app.get(
    '/:name/versions/:version/permissions',
    {
      schema: {
        operationId: 'listLayerPermissions',
        summary: 'List who may take a version of a layer',
        tags,
        params: VersionParams,
        response: { 200: PermissionList }
      }
    },
    async (request) => {
      const { policy } = layers.get(request.params.name, Number(request.params.version))
      return { items: [...(policy?.statements ?? [])], revisionId: policy?.revisionId ?? null }
    }
  )

  app.post(
    '/:name/versions/:version/permissions',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'addLayerPermission',
        summary: 'Let an account or everybody take a version of a layer',
        description:
          'Statements are kept and shown. All callers belong to the one account of the server, so that they gate nothing.',
        tags,
        params: VersionParams,
        body: LayerPermissionBody,
        response: { 201: PermissionAdded }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const version = Number(request.params.version)
      const { statementId, principal, organizationId } = request.body
      const permission = { statementId, action: GET_LAYER_VERSION, principal, organizationId }
      const added = layers.addPermission(name, version, permission, undefined)
      request.log.info({ layer: name, version, statement: statementId }, 'permission added')
      void reply.code(201)
      return added
    }
  )

  app.delete(
    '/:name/versions/:version/permissions/:statementId',
    {
      schema: {
        operationId: 'removeLayerPermission',
        summary: 'Take a permission of a layer back',
        tags,
        params: VersionParams.extend({ statementId: StatementId }),
        response: { 204: z.undefined().describe('Removed') }
      }
    },
    async (request, reply) => {
      const { name, statementId } = request.params
      const version = Number(request.params.version)
      layers.removePermission(name, version, statementId, undefined)
      request.log.info({ layer: name, version, statement: statementId }, 'permission removed')
      return reply.code(204).send()
    }
  )
}
