import { CreateDeploymentInput, deploymentView, UpdateDeploymentInput } from './deployments.ts'
import {
  CreateDomainInput,
  CreateMappingInput,
  domainView,
  mappingView,
  UpdateDomainInput,
  UpdateMappingInput
} from './domains.ts'
import { type ApiOperation, apiOperation, pageOf } from './operation.ts'
import { readers, remover } from './part-operations.ts'
import { CreateStageInput, stageView, UpdateStageInput } from './stages.ts'

/** On what is served, and by which names. */
export const STAGE_OPERATIONS: readonly ApiOperation[] = [
  apiOperation({
    name: 'CreateDeployment',
    request: 'POST /apis/:apiId/deployments',
    input: CreateDeploymentInput,
    run: ({ params, input }, { deployments }) => deploymentView(deployments.create(params['apiId']!, input))
  }),
  ...readers('deployment', 'Deployment', 'deployments', deploymentView),
  apiOperation({
    name: 'UpdateDeployment',
    request: 'PATCH /apis/:apiId/deployments/:deploymentId',
    input: UpdateDeploymentInput,
    run: ({ params, input }, { deployments }) =>
      deploymentView(deployments.update(params['apiId']!, params['deploymentId']!, input))
  }),
  remover('deployment', 'Deployment', 'deployments', (apis, apiId, id) => {
    apis.deployments.remove(apiId, id)
  }),

  apiOperation({
    name: 'CreateStage',
    request: 'POST /apis/:apiId/stages',
    note: '`accessLogSettings`, `loggingLevel`, `dataTraceEnabled` and `detailedMetricsEnabled` are kept and shown, without effect',
    input: CreateStageInput,
    run: ({ params, input }, { stages }) => stageView(stages.create(params['apiId']!, input))
  }),
  ...readers('stage', 'Stage', 'stages', stageView, 'stageName'),
  apiOperation({
    name: 'UpdateStage',
    request: 'PATCH /apis/:apiId/stages/:stageName',
    input: UpdateStageInput,
    run: ({ params, input }, { stages }) => stageView(stages.update(params['apiId']!, params['stageName']!, input))
  }),
  remover(
    'stage',
    'Stage',
    'stages',
    (apis, apiId, name) => {
      apis.stages.remove(apiId, name)
    },
    'stageName'
  ),
  apiOperation({
    name: 'DeleteRouteSettings',
    request: 'DELETE /apis/:apiId/stages/:stageName/routesettings/:routeKey',
    run({ params }, { stages }) {
      stages.removeRouteSettings(params['apiId']!, params['stageName']!, params['routeKey']!)
      return undefined
    }
  }),
  apiOperation({
    name: 'DeleteAccessLogSettings',
    request: 'DELETE /apis/:apiId/stages/:stageName/accesslogsettings',
    run({ params }, { stages }) {
      stages.removeAccessLogSettings(params['apiId']!, params['stageName']!)
      return undefined
    }
  }),

  apiOperation({
    name: 'CreateDomainName',
    request: 'POST /domainnames',
    note: 'certificates are kept and shown: TLS ends before this server. Mutual TLS, routing rules and wildcards are refused',
    input: CreateDomainInput,
    run: ({ input }, { domains, drafts }) => domainView(domains.create(input), drafts)
  }),
  apiOperation({
    name: 'GetDomainName',
    request: 'GET /domainnames/:domainName',
    run: ({ params }, { domains, drafts }) => domainView(domains.get(params['domainName']!), drafts)
  }),
  apiOperation({
    name: 'GetDomainNames',
    request: 'GET /domainnames',
    run: ({ query }, { drafts }) =>
      pageOf(
        ['GetDomainNames'],
        query,
        (after, limit) => drafts.repository.listDomains(after, limit),
        ({ name }) => name,
        (domain) => domainView(domain, drafts)
      )
  }),
  apiOperation({
    name: 'UpdateDomainName',
    request: 'PATCH /domainnames/:domainName',
    input: UpdateDomainInput,
    run: ({ params, input }, { domains, drafts }) => domainView(domains.update(params['domainName']!, input), drafts)
  }),
  apiOperation({
    name: 'DeleteDomainName',
    request: 'DELETE /domainnames/:domainName',
    note: 'with its mappings',
    run({ params }, { domains }) {
      domains.remove(params['domainName']!)
      return undefined
    }
  }),
  apiOperation({
    name: 'CreateApiMapping',
    request: 'POST /domainnames/:domainName/apimappings',
    input: CreateMappingInput,
    run: ({ params, input }, { domains }) => mappingView(domains.createMapping(params['domainName']!, input))
  }),
  apiOperation({
    name: 'GetApiMapping',
    request: 'GET /domainnames/:domainName/apimappings/:apiMappingId',
    run: ({ params }, { domains }) => mappingView(domains.getMapping(params['domainName']!, params['apiMappingId']!))
  }),
  apiOperation({
    name: 'GetApiMappings',
    request: 'GET /domainnames/:domainName/apimappings',
    run({ params, query }, { domains, drafts }) {
      const { name } = domains.get(params['domainName']!)
      return pageOf(
        ['GetApiMappings', name],
        query,
        (after, limit) => drafts.repository.listMappings(name, after, limit),
        ({ id }) => id,
        mappingView
      )
    }
  }),
  apiOperation({
    name: 'UpdateApiMapping',
    request: 'PATCH /domainnames/:domainName/apimappings/:apiMappingId',
    input: UpdateMappingInput,
    run: ({ params, input }, { domains }) =>
      mappingView(domains.updateMapping(params['domainName']!, params['apiMappingId']!, input))
  }),
  apiOperation({
    name: 'DeleteApiMapping',
    request: 'DELETE /domainnames/:domainName/apimappings/:apiMappingId',
    run({ params }, { domains }) {
      domains.removeMapping(params['domainName']!, params['apiMappingId']!)
      return undefined
    }
  })
]
