import type { Api, ApiRoute, RouteAuthorization } from '@hearth/shared'
import { z } from 'zod'
import { type Drafts, merged, orNone } from './drafts.ts'
import { isEmpty, Unserved } from './model.ts'
import { badRequest, conflict, notFound, unsupported } from './refusals.ts'
import { routePattern } from './route-key.ts'

export const CreateRouteInput = z.strictObject({
  routeKey: z.string().min(1),
  target: z.string().max(128).optional(),
  authorizationType: z.enum(['NONE', 'AWS_IAM', 'JWT', 'CUSTOM']).optional(),
  authorizerId: z.string().optional(),
  authorizationScopes: z.array(z.string().min(1).max(64)).max(10).optional(),
  apiKeyRequired: z.boolean().optional(),
  operationName: z.string().max(64).optional(),
  routeResponseSelectionExpression: z.string().optional(),
  modelSelectionExpression: Unserved,
  requestModels: Unserved,
  requestParameters: Unserved
})
export const UpdateRouteInput = CreateRouteInput.partial()
export type RouteInput = z.output<typeof CreateRouteInput>

export const CreateRouteResponseInput = z.strictObject({
  routeResponseKey: z.string().min(1),
  modelSelectionExpression: Unserved,
  responseModels: Unserved,
  responseParameters: Unserved
})
export const UpdateRouteResponseInput = CreateRouteResponseInput.partial()

/** Keys of an API, and where they lead. */
export interface Routes {
  create(apiId: string, input: RouteInput, isManaged?: true): ApiRoute
  update(apiId: string, id: string, change: z.output<typeof UpdateRouteInput>): ApiRoute
  remove(apiId: string, id: string): void
  /** Of a WebSocket route. */
  getResponse(apiId: string, routeId: string, id: string): RouteResponse
  putResponse(apiId: string, routeId: string, key: string, id?: string): RouteResponse
  removeResponse(apiId: string, routeId: string, id: string): void
}

export interface RouteResponse {
  readonly id: string
  readonly key: string
}

export function createRoutes(drafts: Drafts): Routes {
  const { repository } = drafts

  function made(api: Api, id: string, input: RouteInput): ApiRoute {
    refuseUnserved(api, input)
    const { protocol } = api
    const pattern = routePattern(protocol, input.routeKey)
    const twin = drafts
      .all(api.id, 'route')
      .find((other) => other.id !== id && routePattern(protocol, other.key) === pattern)
    if (twin !== undefined) {
      const same = twin.key === input.routeKey
      throw conflict(
        same
          ? `Route with key ${input.routeKey} already exists for this API`
          : `Route ${input.routeKey} matches what route ${twin.key} of this API matches`
      )
    }
    return {
      id,
      key: input.routeKey,
      integrationId: integrationIn(api, input.target),
      ...authorizationOf(api, input),
      apiKeyRequired: input.apiKeyRequired ?? false,
      operationName: orNone(input.operationName),
      responseSelectionExpression: orNone(input.routeResponseSelectionExpression)
    }
  }

  function integrationIn(api: Api, target: string | undefined): string | undefined {
    if (orNone(target) === undefined) return undefined
    const [, id] = /^integrations\/([a-z0-9]+)$/.exec(target!) ?? []
    if (id === undefined)
      throw badRequest(`Invalid target ${target}: integrations/{integrationId} is expected.`, 'target')
    if (repository.findPart(api.id, 'integration', id) === undefined) {
      throw badRequest(`Invalid target ${target}: this API has no such integration.`, 'target')
    }
    return id
  }

  function authorizationOf(
    api: Api,
    { authorizationType: authorization = 'NONE', routeKey, ...input }: RouteInput
  ): Pick<ApiRoute, 'authorization' | 'authorizerId' | 'scopes'> {
    const authorizerId = orNone(input.authorizerId)
    const scopes = input.authorizationScopes?.length === 0 ? undefined : input.authorizationScopes
    if (api.protocol === 'WEBSOCKET' && authorization === 'JWT') {
      throw badRequest('authorizationType JWT is supported only for HTTP APIs.', 'authorizationType')
    }
    if (api.protocol === 'WEBSOCKET' && authorization !== 'NONE' && routeKey !== '$connect') {
      throw badRequest('Currently, authorization is restricted to the $connect route only', 'authorizationType')
    }
    if (scopes !== undefined && authorization !== 'JWT') {
      throw badRequest('authorizationScopes go with authorizationType JWT alone.', 'authorizationScopes')
    }
    const wanted = ({ JWT: 'JWT', CUSTOM: 'REQUEST' } as Partial<Record<RouteAuthorization, string>>)[authorization]
    if (wanted === undefined) {
      if (authorizerId === undefined) return { authorization }
      throw badRequest(`authorizationType ${authorization} has no authorizer.`, 'authorizerId')
    }
    if (authorizerId === undefined) {
      throw badRequest(`authorizationType ${authorization} needs an authorizerId.`, 'authorizerId')
    }
    const authorizer = repository.findPart(api.id, 'authorizer', authorizerId)
    if (authorizer === undefined) {
      throw badRequest(`Invalid authorizer ID specified: this API has no authorizer ${authorizerId}.`, 'authorizerId')
    }
    if (authorizer.type === wanted) return { authorization, authorizerId, scopes }
    throw badRequest(
      `authorizationType ${authorization} needs an authorizer of type ${wanted}, and ${authorizerId} is ${authorizer.type}.`,
      'authorizationType'
    )
  }

  const responsesOf = ({ responses = [] }: ApiRoute): readonly RouteResponse[] => responses
  const findResponse = (apiId: string, routeId: string, id: string) => {
    const route = drafts.part(apiId, 'route', routeId)
    const response = responsesOf(route).find((one) => one.id === id)
    if (response === undefined) throw notFound(`Unable to find RouteResponse by ID ${id} within the provided Route`)
    return { route, response }
  }

  return {
    create: (apiId, input, isManaged) =>
      drafts.change(apiId, (api) => {
        drafts.requireRoom(apiId, 'route')
        const route = { ...made(api, drafts.newPartId(), input), isManaged }
        repository.putPart(apiId, 'route', route)
        return route
      }),
    update: (apiId, id, change) =>
      drafts.change(apiId, (api) => {
        const before = drafts.part(apiId, 'route', id)
        const { isManaged, responses } = before
        if (isManaged === true && (change.routeKey ?? before.key) !== before.key) {
          throw badRequest(
            `The key of route ${before.key} is managed by API Gateway and cannot be changed.`,
            'routeKey'
          )
        }
        const route = { ...made(api, id, merged(inputOf(before, change), change)), isManaged, responses }
        repository.putPart(apiId, 'route', route)
        return route
      }),
    remove: (apiId, id) => {
      drafts.change(apiId, () => {
        const { key, isManaged } = drafts.part(apiId, 'route', id)
        if (isManaged === true) throw badRequest(`Route ${key} is managed by API Gateway and cannot be deleted.`)
        repository.removePart(apiId, 'route', id)
      })
    },
    getResponse: (apiId, routeId, id) => findResponse(apiId, routeId, id).response,
    putResponse: (apiId, routeId, key, id) =>
      drafts.change(apiId, ({ protocol }) => {
        if (protocol === 'HTTP') throw badRequest('Route responses are supported only for WebSocket APIs.')
        if (key !== '$default') throw badRequest('routeResponseKey must be $default.', 'routeResponseKey')
        const route = drafts.part(apiId, 'route', routeId)
        if (id !== undefined) return findResponse(apiId, routeId, id).response
        if (responsesOf(route).length > 0) throw conflict(`Route response ${key} already exists for route ${route.key}`)
        const response = { id: drafts.newPartId(), key }
        repository.putPart(apiId, 'route', { ...route, responses: [response] })
        return response
      }),
    removeResponse: (apiId, routeId, id) => {
      drafts.change(apiId, () => {
        const { route, response } = findResponse(apiId, routeId, id)
        const responses = responsesOf(route).filter((one) => one !== response)
        repository.putPart(apiId, 'route', { ...route, responses })
      })
    }
  }
}

export function routeView(route: ApiRoute): object {
  return {
    ...(route.isManaged === true ? { apiGatewayManaged: true } : {}),
    apiKeyRequired: route.apiKeyRequired,
    authorizationScopes: route.scopes,
    authorizationType: route.authorization,
    authorizerId: route.authorizerId,
    operationName: route.operationName,
    routeId: route.id,
    routeKey: route.key,
    routeResponseSelectionExpression: route.responseSelectionExpression,
    target: route.integrationId === undefined ? undefined : `integrations/${route.integrationId}`
  }
}

export function routeResponseView({ id, key }: RouteResponse): object {
  return { routeResponseId: id, routeResponseKey: key }
}

/** What a change leaves as it was: another kind of authorization leaves nothing of the one before. */
function inputOf(route: ApiRoute, { authorizationType }: z.output<typeof UpdateRouteInput>): RouteInput {
  const stays = authorizationType === undefined || authorizationType === route.authorization
  return {
    routeKey: route.key,
    target: route.integrationId === undefined ? undefined : `integrations/${route.integrationId}`,
    authorizationType: route.authorization,
    authorizerId: stays ? route.authorizerId : undefined,
    authorizationScopes: stays && route.scopes !== undefined ? [...route.scopes] : undefined,
    apiKeyRequired: route.apiKeyRequired,
    operationName: route.operationName,
    routeResponseSelectionExpression: route.responseSelectionExpression
  }
}

function refuseUnserved({ protocol }: Api, input: RouteInput): void {
  for (const member of ['modelSelectionExpression', 'requestModels', 'requestParameters'] as const) {
    if (!isEmpty(input[member])) throw unsupported(`${member} is not supported: this server has no models.`, member)
  }
  const expression = orNone(input.routeResponseSelectionExpression)
  if (expression === undefined) return
  const member = 'routeResponseSelectionExpression'
  if (protocol === 'HTTP') throw badRequest(`${member} is supported only for WebSocket APIs.`, member)
  if (expression !== '$default') throw badRequest(`${member} must be $default.`, member)
}
