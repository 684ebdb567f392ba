import {
  type Api,
  type ApiAuthorizer,
  type ApiIntegration,
  type ApiMapping,
  type ApiRoute,
  type ApiStage,
  apiGatewayArn,
  HearthError,
  type Wish
} from '@hearth/shared'
import type { z } from 'zod'
import { type Apis, apiEndpoint } from '../apis/apis.ts'
import type { AuthorizerInput } from '../apis/authorizers.ts'
import { merged } from '../apis/drafts.ts'
import { badRequest } from '../apis/refusals.ts'
import type { ApiDocument, Authorizer, Throttle } from './api-document.ts'
import type { TriggerShown, TriggerStep } from './kind.ts'
import type { ServicePermissions } from './service-permission.ts'

/** APIs in /v1, made of what API Gateway's calls make. */
export interface ApiTriggers {
  wishes(step: TriggerStep, name: string, document?: ApiDocument): readonly Wish[]
  put(name: string, document: ApiDocument): { readonly api: Api; readonly created: boolean }
  get(name: string): Api
  setEnabled(name: string, isEnabled: boolean): Api
  readonly delete: (name: string) => void
  list(after: string, limit: number): readonly Api[]
  show(api: Api, more: Readonly<Record<string, unknown>>, created?: boolean): TriggerShown
  /** As documents have it. */
  routeView(api: Api, route: ApiRoute): Readonly<Record<string, unknown>>
}

const SERVICE = 'apigateway.amazonaws.com'
const IAM = 'iam'
const HTTP_HEADER = '$request.header.Authorization'

export function createApiTriggers(
  apis: Apis,
  permissions: ServicePermissions,
  { protocol, kind }: { readonly protocol: Api['protocol']; readonly kind: 'http' | 'websocket' }
): ApiTriggers {
  const { drafts } = apis
  const { repository, scope } = drafts
  const find = (name: string): Api | undefined => repository.findTrigger(protocol, name)
  const get = (name: string): Api => {
    const api = find(name)
    if (api === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name} of kind ${kind}.`)
    return api
  }
  const statementOf = ({ id }: Api): string => `hearth-${kind}-${id}`
  /** Of several, which AWS's calls may have made, the one that a document is about. */
  const stageOf = (id: string) => repository.findPart(id, 'stage', '$default') ?? drafts.all(id, 'stage')[0]

  const functionsOf = ({ routes, body }: ApiDocument): readonly string[] => {
    const asked = Object.values(body.authorizers ?? {}).flatMap((one) => (one.type === 'lambda' ? [one.function] : []))
    return [...new Set([...Object.values(routes).map((route) => route.function), ...asked].map(permissions.arnOf))]
  }
  /** Functions that the API leads to, and those that it asks. */
  const currentFunctions = ({ id }: Api): ReadonlySet<string> =>
    new Set([
      ...drafts.all(id, 'integration').map(({ functionArn }) => functionArn),
      ...drafts.all(id, 'authorizer').flatMap(({ functionArn }) => functionArn ?? [])
    ])

  function putAuthorizers(
    { id }: Api,
    wanted: NonNullable<ApiDocument['body']['authorizers']>
  ): Map<string, ApiAuthorizer> {
    const known = new Map(drafts.all(id, 'authorizer').map((authorizer) => [authorizer.name, authorizer]))
    const written = new Map<string, ApiAuthorizer>()
    for (const [name, one] of Object.entries(wanted)) {
      if (name === IAM) throw badRequest(`${IAM} is no name for an authorizer: it stands for AWS_IAM.`, 'authorizers')
      const input = authorizerInput(name, one)
      const before = known.get(name)
      const stays = before?.type === input.authorizerType
      if (before !== undefined && !stays) {
        // Of another type it is another one, which routes do not have yet.
        for (const route of drafts.all(id, 'route').filter(({ authorizerId }) => authorizerId === before.id)) {
          apis.routes.update(id, route.id, { authorizationType: 'NONE' })
        }
        apis.authorizers.remove(id, before.id)
      }
      const authorizer = stays ? apis.authorizers.update(id, before.id, input) : apis.authorizers.create(id, input)
      written.set(name, authorizer)
    }
    return written
  }

  function authorizerInput(name: string, one: z.output<typeof Authorizer>): AuthorizerInput {
    if (one.type === 'jwt') {
      const { issuer, audience, identitySource = HTTP_HEADER } = one
      const jwtConfiguration = { issuer, audience }
      return { name, authorizerType: 'JWT', identitySource: [identitySource], jwtConfiguration }
    }
    const common = {
      name,
      authorizerType: 'REQUEST',
      authorizerUri: permissions.arnOf(one.function),
      identitySource: one.identitySources ?? []
    } as const
    if (protocol === 'WEBSOCKET') {
      if ((one.payloadFormat ?? one.simpleResponses ?? one.ttlSeconds) === undefined) return common
      throw badRequest('payloadFormat, simpleResponses and ttlSeconds are for HTTP APIs.', `authorizers.${name}`)
    }
    const version = one.payloadFormat ?? '2.0'
    return {
      ...common,
      authorizerPayloadFormatVersion: version,
      enableSimpleResponses: one.simpleResponses ?? version === '2.0',
      authorizerResultTtlInSeconds: one.ttlSeconds ?? 0
    }
  }

  /** One integration for all routes that lead to a function in the same way. */
  function putRoutes({ id }: Api, { routes }: ApiDocument, authorizers: ReadonlyMap<string, ApiAuthorizer>): void {
    const known = new Map(drafts.all(id, 'route').map((route) => [route.key, route]))
    // A key that goes may be in the way of one that comes.
    for (const { id: routeId, key } of known.values()) {
      if (!Object.hasOwn(routes, key)) apis.routes.remove(id, routeId)
    }
    const integrations = new Map(drafts.all(id, 'integration').map((one) => [wayOf(one), one]))
    for (const [routeKey, route] of Object.entries(routes)) {
      const way = {
        functionArn: permissions.arnOf(route.function),
        payloadFormat: route.payloadFormat ?? (protocol === 'HTTP' ? '2.0' : '1.0'),
        timeoutMs: route.timeoutMs ?? MAX_MS[protocol]
      } as const
      const integration =
        integrations.get(wayOf(way)) ??
        apis.integrations.create(id, {
          integrationType: 'AWS_PROXY',
          integrationUri: way.functionArn,
          payloadFormatVersion: way.payloadFormat,
          timeoutInMillis: way.timeoutMs
        })
      integrations.set(wayOf(way), integration)
      const input = {
        routeKey,
        target: `integrations/${integration.id}`,
        ...authorizationOf(routeKey, route, authorizers),
        apiKeyRequired: route.requireKey ?? false,
        routeResponseSelectionExpression: route.reply === true ? '$default' : ''
      }
      const before = known.get(routeKey)
      if (before === undefined) apis.routes.create(id, input)
      else apis.routes.update(id, before.id, input)
    }
  }

  function authorizationOf(
    key: string,
    { authorizer, scopes = [] }: ApiDocument['routes'][string],
    authorizers: ReadonlyMap<string, ApiAuthorizer>
  ) {
    const none = { authorizerId: '', authorizationScopes: scopes }
    if (authorizer === undefined) return { authorizationType: 'NONE', ...none } as const
    if (authorizer === IAM) return { authorizationType: 'AWS_IAM', ...none } as const
    const found = authorizers.get(authorizer)
    if (found === undefined)
      throw badRequest(`Route ${key}: there is no authorizer ${authorizer}.`, `routes.${key}.authorizer`)
    const authorizationType = found.type === 'JWT' ? 'JWT' : 'CUSTOM'
    return { authorizationType, authorizerId: found.id, authorizationScopes: scopes } as const
  }

  /** What no route has any more goes. */
  function sweep({ id }: Api, authorizers: ReadonlyMap<string, ApiAuthorizer>): void {
    const used = new Set(drafts.all(id, 'route').map(({ integrationId }) => integrationId))
    for (const integration of drafts.all(id, 'integration')) {
      if (!used.has(integration.id)) apis.integrations.remove(id, integration.id)
    }
    for (const authorizer of drafts.all(id, 'authorizer')) {
      if (!authorizers.has(authorizer.name)) apis.authorizers.remove(id, authorizer.id)
    }
  }

  function putStage(api: Api, { stage: name, routes, body }: ApiDocument): void {
    const before = protocol === 'HTTP' ? repository.findPart(api.id, 'stage', name) : stageOf(api.id)
    // What is there is replaced: what makes one checks it.
    if (before !== undefined && before.name !== name)
      throw badRequest(`The stage is ${before.name} and stays it.`, 'stage')
    if (before !== undefined) repository.removePart(api.id, 'stage', name)
    const throttled = Object.entries(routes).filter(([, { throttle }]) => throttle !== undefined)
    const made = apis.stages.create(api.id, {
      stageName: name,
      stageVariables: body.stageVariables,
      defaultRouteSettings: settingsOf(body.throttle),
      routeSettings: Object.fromEntries(throttled.map(([key, { throttle }]) => [key, settingsOf(throttle)!])),
      autoDeploy: body.enabled ?? true
    })
    if (before !== undefined) repository.putPart(api.id, 'stage', { ...made, createdAt: before.createdAt })
  }

  function putDomains({ id }: Api, { stage, body }: ApiDocument): void {
    const wanted = new Map((body.domains ?? []).map((text) => [text, domainOf(text)]))
    const isWanted = ({ domain, key }: ApiMapping): boolean =>
      [...wanted.values()].some((one) => one.domain === domain && one.key === key)
    const known = repository.listMappingsOf(id)
    for (const mapping of known) if (!isWanted(mapping)) apis.domains.removeMapping(mapping.domain, mapping.id)
    for (const { domain, key } of wanted.values()) {
      if (known.some((one) => one.domain === domain && one.key === key)) continue
      if (repository.findDomain(domain) === undefined) apis.domains.create({ domainName: domain }, true)
      apis.domains.createMapping(domain, { apiId: id, stage, apiMappingKey: key })
    }
  }

  const domainOf = (text: string) => {
    const slash = text.indexOf('/')
    const [host, key] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
    return { domain: apis.domains.nameIn(host), key }
  }

  function putPermissions(api: Api, before: ReadonlySet<string>, wanted: readonly string[]): void {
    const id = statementOf(api)
    const { region, accountId } = scope
    const source = `arn:aws:execute-api:${region}:${accountId}:${api.id}/*`
    for (const arn of wanted) permissions.allow(arn, id, SERVICE, source)
    for (const arn of before) if (!wanted.includes(arn)) permissions.revoke(arn, id)
  }

  return {
    get,
    wishes(step, name, document) {
      const path = (id: string) => apiGatewayArn(scope, id)
      if (step === 'list') return [{ action: 'apigateway:GET', resource: path('/apis') }]
      const api = find(name)
      const resource = path(`/apis/${api?.id ?? name}`)
      const verb = { put: 'PUT', get: 'GET', pause: 'PATCH', resume: 'PATCH', delete: 'DELETE' }[step]
      const on = (method: string, where: string): Wish => ({ action: `apigateway:${method}`, resource: path(where) })
      const known = api === undefined || (step !== 'put' && step !== 'delete') ? [] : repository.listMappingsOf(api.id)
      const unmapped = (wanted: readonly { readonly domain: string; readonly key: string }[]) =>
        known
          .filter(({ domain, key }) => !wanted.some((one) => one.domain === domain && one.key === key))
          .map(({ domain, id }) => on('DELETE', `/domainnames/${domain}/apimappings/${id}`))
      if (document === undefined) return [{ action: `apigateway:${verb}`, resource }, ...unmapped([])]
      const domains = (document.body.domains ?? []).map(domainOf)
      return [
        api === undefined ? on('POST', '/apis') : { action: 'apigateway:PUT', resource },
        ...functionsOf(document).map((arn) => permissions.wish(arn, 'lambda:AddPermission')),
        ...domains.map(({ domain }) => on('POST', `/domainnames/${domain}/apimappings`)),
        ...(domains.some(({ domain }) => repository.findDomain(domain) === undefined)
          ? [on('POST', '/domainnames')]
          : []),
        ...unmapped(domains)
      ]
    },
    put(name, document) {
      const before = find(name)
      const { settings } = document
      const api =
        before === undefined
          ? apis.create({ ...settings, name, protocolType: protocol }, name)
          : apis.update(before.id, merged(CLEARED, { ...settings, tags: undefined }))
      const old = currentFunctions(api)
      if (before !== undefined) repository.put({ ...api, tags: checkedTags(api, document) })
      drafts.change(api.id, () => {
        const authorizers = putAuthorizers(api, document.body.authorizers ?? {})
        putRoutes(api, document, authorizers)
        sweep(api, authorizers)
        putStage(api, document)
        putDomains(api, document)
      })
      putPermissions(api, old, functionsOf(document))
      return { api: get(name), created: before === undefined }
    },
    setEnabled(name, isEnabled) {
      const api = get(name)
      const stage = stageOf(api.id)
      if (stage === undefined) throw badRequest(`API ${name} has no stage to serve it.`)
      // A stage without a deployment serves nothing.
      if (isServed(stage) !== isEnabled) {
        apis.stages.put(api.id, { ...stage, autoDeploy: isEnabled, deploymentId: undefined })
      }
      return api
    },
    delete(name) {
      const api = get(name)
      for (const { domain, id } of repository.listMappingsOf(api.id)) apis.domains.removeMapping(domain, id)
      for (const arn of currentFunctions(api)) permissions.revoke(arn, statementOf(api))
      apis.remove(api.id)
    },
    list: (after, limit) => repository.listTriggers(protocol, after, limit),
    show(api, more, created = false) {
      const stage = stageOf(api.id)
      const mappings = repository.listMappingsOf(api.id)
      const authorizers = drafts.all(api.id, 'authorizer')
      const arn = apiGatewayArn(scope, `/apis/${api.id}`)
      return {
        arn,
        created,
        view: {
          kind,
          name: api.trigger!,
          arn,
          apiId: api.id,
          functions: [...new Set(drafts.all(api.id, 'integration').map(({ functionArn }) => functionArn))],
          enabled: stage !== undefined && isServed(stage),
          description: api.description ?? '',
          ...more,
          authorizers: Object.fromEntries(authorizers.map((one) => [one.name, authorizerOf(one)])),
          stage: stage?.name ?? null,
          stageVariables: stage?.variables ?? {},
          throttle: stage?.throttle ?? {},
          domains: mappings.map(({ domain, key }) => (key === '' ? domain : `${domain}/${key}`)),
          tags: api.tags,
          createdAt: new Date(api.createdAt).toISOString()
        },
        locate(origin) {
          const { port, host } = new URL(origin)
          const endpoint = apiEndpoint(api, drafts.urlDomain, origin)
          const scheme = endpoint.slice(0, endpoint.indexOf(':'))
          const path = stage === undefined || stage.name === '$default' ? '/' : `/${stage.name}`
          const own = mappings.map(({ domain, key }) => `${scheme}://${domain}${port === '' ? '' : `:${port}`}/${key}`)
          // Where no name below the URL domain leads to this server.
          const byPath = `${scheme}://${host}/api/${api.id}${path}`
          return { url: `${endpoint}${path}`, urls: [`${endpoint}${path}`, byPath, ...own] }
        }
      }
    },
    routeView({ id }, route) {
      const integration =
        route.integrationId === undefined ? undefined : repository.findPart(id, 'integration', route.integrationId)
      const authorizer =
        route.authorizerId === undefined ? undefined : repository.findPart(id, 'authorizer', route.authorizerId)
      const throttle = stageOf(id)?.routeThrottles[route.key]
      return {
        function: integration?.functionArn ?? null,
        timeoutMs: integration?.timeoutMs ?? null,
        authorizer: route.authorization === 'AWS_IAM' ? IAM : (authorizer?.name ?? null),
        requireKey: route.apiKeyRequired,
        ...(throttle === undefined ? {} : { throttle }),
        ...(protocol === 'HTTP'
          ? { payloadFormat: integration?.payloadFormat ?? null, scopes: route.scopes ?? [] }
          : { reply: route.responseSelectionExpression !== undefined })
      }
    }
  }

  function checkedTags(api: Api, { body }: ApiDocument) {
    apis.tags.remove(apiGatewayArn(scope, `/apis/${api.id}`), Object.keys(api.tags))
    apis.tags.add(apiGatewayArn(scope, `/apis/${api.id}`), body.tags ?? {})
    return body.tags ?? {}
  }
}

const MAX_MS = { HTTP: 30_000, WEBSOCKET: 29_000 }
/** What is not said becomes as it is for a new one. */
const CLEARED = { description: '', corsConfiguration: {}, disableExecuteApiEndpoint: false }

/** One with auto-deploy is from the first route on. */
function isServed({ deploymentId, autoDeploy }: ApiStage): boolean {
  return deploymentId !== undefined || autoDeploy
}

function wayOf({
  functionArn,
  payloadFormat,
  timeoutMs
}: Pick<ApiIntegration, 'functionArn' | 'payloadFormat' | 'timeoutMs'>): string {
  return `${functionArn} ${payloadFormat} ${timeoutMs}`
}

function settingsOf(throttle: z.output<typeof Throttle> | undefined) {
  return throttle && { throttlingRateLimit: throttle.rate, throttlingBurstLimit: throttle.burst }
}

function authorizerOf({ jwt, identitySources, functionArn, ...one }: ApiAuthorizer): object {
  if (jwt !== undefined) return { type: 'jwt', ...jwt, identitySource: identitySources[0] }
  const common = { type: 'lambda', function: functionArn, identitySources }
  if (one.payloadFormat === undefined) return common
  const { payloadFormat, simpleResponses, ttlSeconds } = one
  return { ...common, payloadFormat, simpleResponses, ttlSeconds }
}
