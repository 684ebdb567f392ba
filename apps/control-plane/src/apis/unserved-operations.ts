import { HearthError } from '@hearth/shared'
import type { ApiOperation } from './operation.ts'

/** Operations of API Gateway that are answered by name, and why they are not served. */
export const UNSERVED: readonly { readonly missing: string; readonly operations: Readonly<Record<string, string>> }[] =
  [
    {
      missing: 'APIs are not read from or written as OpenAPI documents; PUT /v1/triggers/http/{name} takes a whole API',
      operations: {
        ImportApi: 'PUT /apis',
        ReimportApi: 'PUT /apis/:apiId',
        ExportApi: 'GET /apis/:apiId/exports/:specification'
      }
    },
    {
      missing: 'there are no models; the function checks what it gets',
      operations: {
        CreateModel: 'POST /apis/:apiId/models',
        GetModels: 'GET /apis/:apiId/models',
        GetModel: 'GET /apis/:apiId/models/:modelId',
        UpdateModel: 'PATCH /apis/:apiId/models/:modelId',
        DeleteModel: 'DELETE /apis/:apiId/models/:modelId',
        GetModelTemplate: 'GET /apis/:apiId/models/:modelId/template',
        DeleteRouteRequestParameter: 'DELETE /apis/:apiId/routes/:routeId/requestparameters/:requestParameterKey'
      }
    },
    {
      missing: 'integrations are functions, whose answers are not mapped',
      operations: {
        CreateIntegrationResponse: 'POST /apis/:apiId/integrations/:integrationId/integrationresponses',
        GetIntegrationResponses: 'GET /apis/:apiId/integrations/:integrationId/integrationresponses',
        GetIntegrationResponse:
          'GET /apis/:apiId/integrations/:integrationId/integrationresponses/:integrationResponseId',
        UpdateIntegrationResponse:
          'PATCH /apis/:apiId/integrations/:integrationId/integrationresponses/:integrationResponseId',
        DeleteIntegrationResponse:
          'DELETE /apis/:apiId/integrations/:integrationId/integrationresponses/:integrationResponseId'
      }
    },
    {
      missing: 'functions need no link to be reached',
      operations: {
        CreateVpcLink: 'POST /vpclinks',
        GetVpcLinks: 'GET /vpclinks',
        GetVpcLink: 'GET /vpclinks/:vpcLinkId',
        UpdateVpcLink: 'PATCH /vpclinks/:vpcLinkId',
        DeleteVpcLink: 'DELETE /vpclinks/:vpcLinkId'
      }
    },
    {
      missing: 'domains lead to APIs by mappings alone',
      operations: {
        CreateRoutingRule: 'POST /domainnames/:domainName/routingrules',
        ListRoutingRules: 'GET /domainnames/:domainName/routingrules',
        GetRoutingRule: 'GET /domainnames/:domainName/routingrules/:routingRuleId',
        PutRoutingRule: 'PUT /domainnames/:domainName/routingrules/:routingRuleId',
        DeleteRoutingRule: 'DELETE /domainnames/:domainName/routingrules/:routingRuleId'
      }
    },
    {
      missing: 'answers of authorizers are forgotten by their authorizerResultTtlInSeconds alone',
      operations: { ResetAuthorizersCache: 'DELETE /apis/:apiId/stages/:stageName/cache/authorizers' }
    }
  ]

/** @see docs/adr/0013-unsupported-operations.md */
export const UNSERVED_OPERATIONS: readonly ApiOperation[] = UNSERVED.flatMap(({ missing, operations }) =>
  Object.entries(operations).map(([name, request]): ApiOperation => {
    const [method, path] = request.split(' ') as [ApiOperation['method'], string]
    return {
      name,
      method,
      path,
      status: 501,
      run() {
        throw new HearthError('NOT_IMPLEMENTED', `${name} is not supported by this server: ${missing}.`)
      }
    }
  })
)
