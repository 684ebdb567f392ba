import type { ApiPartKind, ApiParts } from '@hearth/store'
import type { Apis } from './apis.ts'
import { authorizerView, CreateAuthorizerInput, UpdateAuthorizerInput } from './authorizers.ts'
import { CreateIntegrationInput, integrationView, UpdateIntegrationInput } from './integrations.ts'
import { type ApiOperation, apiOperation, pageOf } from './operation.ts'
import {
  CreateRouteInput,
  CreateRouteResponseInput,
  routeResponseView,
  routeView,
  UpdateRouteInput,
  UpdateRouteResponseInput
} from './routes.ts'

/** On what the draft of an API is made of. */
export const PART_OPERATIONS: readonly ApiOperation[] = [
  apiOperation({
    name: 'CreateIntegration',
    request: 'POST /apis/:apiId/integrations',
    note: '`AWS_PROXY` to a function; `integrationUri` is its ARN or the path to it. Other types, parameters and templates are refused',
    input: CreateIntegrationInput,
    run: ({ params, input }, { integrations }) => integrationView(integrations.create(params['apiId']!, input))
  }),
  ...readers('integration', 'Integration', 'integrations', integrationView),
  apiOperation({
    name: 'UpdateIntegration',
    request: 'PATCH /apis/:apiId/integrations/:integrationId',
    input: UpdateIntegrationInput,
    run: ({ params, input }, { integrations }) =>
      integrationView(integrations.update(params['apiId']!, params['integrationId']!, input))
  }),
  remover('integration', 'Integration', 'integrations', (apis, apiId, id) => {
    apis.integrations.remove(apiId, id)
  }),

  apiOperation({
    name: 'CreateRoute',
    request: 'POST /apis/:apiId/routes',
    note: 'models are refused; `apiKeyRequired` is taken for HTTP APIs too',
    input: CreateRouteInput,
    run: ({ params, input }, { routes }) => routeView(routes.create(params['apiId']!, input))
  }),
  ...readers('route', 'Route', 'routes', routeView),
  apiOperation({
    name: 'UpdateRoute',
    request: 'PATCH /apis/:apiId/routes/:routeId',
    input: UpdateRouteInput,
    run: ({ params, input }, { routes }) => routeView(routes.update(params['apiId']!, params['routeId']!, input))
  }),
  remover('route', 'Route', 'routes', (apis, apiId, id) => {
    apis.routes.remove(apiId, id)
  }),

  apiOperation({
    name: 'CreateRouteResponse',
    request: 'POST /apis/:apiId/routes/:routeId/routeresponses',
    note: '`$default` of WebSocket APIs',
    input: CreateRouteResponseInput,
    run: ({ params, input }, { routes }) =>
      routeResponseView(routes.putResponse(params['apiId']!, params['routeId']!, input.routeResponseKey))
  }),
  apiOperation({
    name: 'GetRouteResponse',
    request: 'GET /apis/:apiId/routes/:routeId/routeresponses/:routeResponseId',
    run: ({ params }, { routes }) =>
      routeResponseView(routes.getResponse(params['apiId']!, params['routeId']!, params['routeResponseId']!))
  }),
  apiOperation({
    name: 'GetRouteResponses',
    request: 'GET /apis/:apiId/routes/:routeId/routeresponses',
    run: ({ params }, { drafts }) => ({
      items: (drafts.part(params['apiId']!, 'route', params['routeId']!).responses ?? []).map(routeResponseView)
    })
  }),
  apiOperation({
    name: 'UpdateRouteResponse',
    request: 'PATCH /apis/:apiId/routes/:routeId/routeresponses/:routeResponseId',
    input: UpdateRouteResponseInput,
    run: ({ params, input }, { routes }) =>
      routeResponseView(
        routes.putResponse(
          params['apiId']!,
          params['routeId']!,
          input.routeResponseKey ?? '$default',
          params['routeResponseId']
        )
      )
  }),
  apiOperation({
    name: 'DeleteRouteResponse',
    request: 'DELETE /apis/:apiId/routes/:routeId/routeresponses/:routeResponseId',
    run({ params }, { routes }) {
      routes.removeResponse(params['apiId']!, params['routeId']!, params['routeResponseId']!)
      return undefined
    }
  }),

  apiOperation({
    name: 'CreateAuthorizer',
    request: 'POST /apis/:apiId/authorizers',
    note: '`JWT` and `REQUEST` with a function; the issuer may be http',
    input: CreateAuthorizerInput,
    run: ({ params, input }, { authorizers }) => authorizerView(authorizers.create(params['apiId']!, input))
  }),
  ...readers('authorizer', 'Authorizer', 'authorizers', authorizerView),
  apiOperation({
    name: 'UpdateAuthorizer',
    request: 'PATCH /apis/:apiId/authorizers/:authorizerId',
    input: UpdateAuthorizerInput,
    run: ({ params, input }, { authorizers }) =>
      authorizerView(authorizers.update(params['apiId']!, params['authorizerId']!, input))
  }),
  remover('authorizer', 'Authorizer', 'authorizers', (apis, apiId, id) => {
    apis.authorizers.remove(apiId, id)
  })
]

/** Get and list of one kind of part. */
export function readers<K extends ApiPartKind>(
  kind: K,
  word: string,
  folder: string,
  view: (part: ApiParts[K]) => object,
  param = `${kind}Id`
): readonly ApiOperation[] {
  return [
    apiOperation({
      name: `Get${word}`,
      request: `GET /apis/:apiId/${folder}/:${param}`,
      run: ({ params }, { drafts }) => view(drafts.part(params['apiId']!, kind, params[param]!))
    }),
    apiOperation({
      name: `Get${word}s`,
      request: `GET /apis/:apiId/${folder}`,
      run({ params, query }, { drafts }) {
        const { id } = drafts.get(params['apiId']!)
        return pageOf(
          [`Get${word}s`, id],
          query,
          (after, limit) => drafts.repository.listParts(id, kind, after, limit),
          (part) => ('id' in part ? part.id : part.name),
          view
        )
      }
    })
  ]
}

export function remover(
  kind: ApiPartKind,
  word: string,
  folder: string,
  remove: (apis: Apis, apiId: string, id: string) => void,
  param = `${kind}Id`
): ApiOperation {
  return apiOperation({
    name: `Delete${word}`,
    request: `DELETE /apis/:apiId/${folder}/:${param}`,
    run({ params }, apis) {
      remove(apis, params['apiId']!, params[param]!)
      return undefined
    }
  })
}
