import {
  API_ID,
  type Api,
  type ApiAuthorizer,
  type ApiIntegration,
  type ApiMapping,
  type ApiRoute,
  type ApiStage,
  type ArnScope,
  executeApiArn,
  type FunctionRef,
  hostName,
  type PublishedApi,
  parseFunctionRef
} from '@hearth/shared'
import type { PublishedApis } from '@hearth/store'
import { API_PATH, mappingInPath, mappingsByDomain, stageInPath } from '../apis/api-paths.ts'
import { type RequestThrottle, RouteThrottles } from '../apis/throttle.ts'
import { compileSelection, type SelectionSource } from './selection-expression.ts'

/** A route of a stage, with all that does not change from message to message. */
export interface SocketRoute {
  readonly route: ApiRoute
  /** Undefined: the route leads nowhere. */
  readonly integration: ApiIntegration | undefined
  readonly target: FunctionRef | undefined
  /** What the API invokes as. */
  readonly sourceArn: string
  readonly authorizer: ApiAuthorizer | undefined
  /** Undefined: any number passes. */
  readonly throttle: RequestThrottle | undefined
}

/** A stage of a WebSocket API, as it is served. */
export interface SocketStage {
  readonly api: Api
  readonly stage: ApiStage
  readonly select: (source: SelectionSource) => string | undefined
  readonly routes: ReadonlyMap<string, SocketRoute>
}

/** Where a request leads. */
export interface SocketLocation {
  /** Undefined: to no stage that is served. */
  readonly stage: SocketStage | undefined
  /** The path behind the stage as it came, without query: `''`, `/@connections/…`. */
  readonly rest: string
  /** The host that was called, without port. */
  readonly domainName: string
}

/** WebSocket APIs in memory. */
export interface PublishedSockets {
  update(published: PublishedApis): void
  find(apiId: string, stage: string): SocketStage | undefined
  /** An API by its id, or by its name in /v1/triggers. */
  findNamed(name: string): OpenApi | undefined
  /** Whether a host is a WebSocket API's. @param header - The Host header, which anybody may set to anything */
  hasHost(header: string): boolean
  /**
   * Where a request leads by its host or, at the server's own hosts, by a path below `/api/`.
   *
   * @param host - The Host header; undefined for requests that go by their path alone
   * @returns undefined when it is no WebSocket API's
   */
  locate(host: string | undefined, rawUrl: string): SocketLocation | undefined
}

/** An API that is served. */
export interface OpenApi {
  readonly api: Api
  readonly stages: ReadonlyMap<string, SocketStage>
}

/** Hosts remembered; whoever sends others makes them be looked up. */
const HOSTS = 4_096
/** No host name is longer: the rest is a port. */
const MAX_HEADER_CHARS = 260
/** What follows `/api/`. */
const BY_PATH = /^([a-z0-9]{10})(\/.*)?$/s

/** @param urlDomain - APIs are `<id>.` before this name */
export function createPublishedSockets(scope: ArnScope, urlDomain: string): PublishedSockets {
  const suffix = `.${urlDomain}`
  let apis = new Map<string, OpenApi>()
  let domains: ReadonlyMap<string, readonly ApiMapping[]> = new Map()
  let hosts = new Map<string, boolean>()
  const throttles = new RouteThrottles()

  function update({ apis: published, mappings }: PublishedApis): void {
    apis = new Map()
    hosts = new Map()
    throttles.renew()
    for (const one of published)
      if (one.api.protocol === 'WEBSOCKET') apis.set(one.api.id, openApi(scope, one, throttles))
    domains = mappingsByDomain(mappings, (apiId) => apis.has(apiId))
  }

  /** @param path - Begins with a slash, or is empty */
  function inApi(open: OpenApi, path: string, domainName: string): SocketLocation {
    const found = stageInPath(open.stages, path, decode)
    return { stage: found?.stage, rest: path.slice(found?.at), domainName }
  }

  function inDomain(mappings: readonly ApiMapping[], path: string, domainName: string): SocketLocation {
    const found = mappingInPath(mappings, path)
    if (found === undefined) return { stage: undefined, rest: path, domainName }
    const { apiId, stage } = found.mapping
    return { stage: apis.get(apiId)?.stages.get(stage), rest: path.slice(found.at), domainName }
  }

  const apiOfHost = (host: string): OpenApi | undefined => {
    if (!host.endsWith(suffix)) return undefined
    const id = host.slice(0, -suffix.length)
    return API_ID.test(id) ? apis.get(id) : undefined
  }

  return {
    update,
    find: (apiId, stage) => apis.get(apiId)?.stages.get(stage),
    findNamed: (name) => apis.get(name) ?? [...apis.values()].find(({ api }) => api.trigger === name),
    hasHost(header) {
      if (apis.size === 0 || header.length > MAX_HEADER_CHARS) return false
      const known = hosts.get(header)
      if (known !== undefined) return known
      const host = hostName(header)
      const isOne = apiOfHost(host) !== undefined || domains.has(host)
      if (hosts.size >= HOSTS) hosts.clear()
      hosts.set(header, isOne)
      return isOne
    },
    locate(header, rawUrl) {
      if (apis.size === 0) return undefined
      const mark = rawUrl.indexOf('?')
      const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark)
      const host = header === undefined || header.length > MAX_HEADER_CHARS ? '' : hostName(header)
      const named = apiOfHost(host)
      if (named?.api.disableExecuteApiEndpoint === true) return { stage: undefined, rest: path, domainName: host }
      if (named !== undefined) return inApi(named, path, host)
      const mappings = domains.get(host)
      if (mappings !== undefined) return inDomain(mappings, path, host)
      if (!path.startsWith(API_PATH)) return undefined
      const [, id = '', below = ''] = BY_PATH.exec(path.slice(API_PATH.length)) ?? []
      const open = apis.get(id)
      if (open === undefined) return undefined
      if (open.api.disableExecuteApiEndpoint) return { stage: undefined, rest: below, domainName: host }
      return inApi(open, below, host)
    }
  }
}

function openApi(scope: ArnScope, { api, stages }: PublishedApi, throttles: RouteThrottles): OpenApi {
  const select = compileSelection(api.routeSelectionExpression)
  const open = stages.map(({ stage, snapshot }): [string, SocketStage] => {
    const integrations = new Map(snapshot.integrations.map((one) => [one.id, one]))
    const authorizers = new Map(snapshot.authorizers.map((one) => [one.id, one]))
    const routes = snapshot.routes.map((route): [string, SocketRoute] => {
      const integration = route.integrationId === undefined ? undefined : integrations.get(route.integrationId)
      const authorizer = route.authorizerId === undefined ? undefined : authorizers.get(route.authorizerId)
      const sourceArn = executeApiArn(scope, api.id, stage.name, route.key)
      const throttle = throttles.of(api.id, stage, route.key)
      return [route.key, { route, integration, target: targetOf(scope, integration), sourceArn, authorizer, throttle }]
    })
    return [stage.name, { api, stage, select, routes: new Map(routes) }]
  })
  return { api, stages: new Map(open) }
}

/** One that cannot be read leads nowhere: its API's other routes go on. */
function targetOf(scope: ArnScope, integration: ApiIntegration | undefined): FunctionRef | undefined {
  if (integration === undefined) return undefined
  try {
    return parseFunctionRef(scope, integration.functionArn)
  } catch {
    return undefined
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
