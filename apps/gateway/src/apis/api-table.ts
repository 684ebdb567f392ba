import {
  type Api,
  type ApiMapping,
  type ApiStage,
  type ArnScope,
  type ContextKeys,
  executeApiArn,
  HearthError,
  type PublishedApi,
  parseFunctionRef
} from '@hearth/shared'
import type { PublishedApis } from '@hearth/store'
import { Cors } from '../cors.ts'
import { sourceKeys } from '../service-access.ts'
import { type ApiCounts, newCounts } from './api-counts.ts'
import { DEFAULT_STAGE, mappingInPath, mappingsByDomain, stageInPath } from './api-paths.ts'
import { type CompiledRoute, compileRoutes, type RouteTable } from './route-table.ts'
import { type RequestThrottle, RouteThrottles } from './throttle.ts'

/** An HTTP API in memory. */
export interface ApiEntry {
  readonly api: Api
  readonly cors: Cors | undefined
  /** By name, `$default` too. */
  readonly stages: ReadonlyMap<string, StageEntry>
  readonly counts: ApiCounts
}

/** A stage with the deployment that it serves. */
export interface StageEntry {
  readonly entry: ApiEntry
  readonly stage: ApiStage
  /** Compiled when somebody asks. */
  readonly routes: RouteTable
  routeOf(compiled: CompiledRoute): StageRoute
}

/** A route as a stage serves it. */
export interface StageRoute {
  readonly throttle: RequestThrottle | undefined
  /** Undefined: it leads nowhere. */
  readonly target: { readonly functionName: string; readonly qualifier: string | undefined } | undefined
  /** What the function's policy may ask of the request. */
  keysFor(method: string): ContextKeys
}

/** Where a path leads at an address. All paths are decoded. */
export interface ApiPlace {
  readonly stage: StageEntry
  /** As the client sees it. */
  readonly clientPath: string
  /** What routes are found by: without what leads to the stage. */
  readonly path: string
  /** The same with the stage, unless it is `$default`. */
  readonly rawPath: string
}

/** Where clients find APIs. */
export interface ApiAddress {
  readonly domainName: string
  readonly domainPrefix: string
  /** @param path - Decoded. @returns the status of the refusal when nothing is served there */
  select(path: string): ApiPlace | 403 | 404
}

export interface ApiTable {
  update(published: PublishedApis): void
  find(apiId: string): ApiEntry | undefined
  /** Whether there is an API of this id of any kind. */
  protocolOf(apiId: string): Api['protocol'] | undefined
  /** The address below the URL domain, and by path. */
  addressOf(apiId: string): ApiAddress
  /** Of a host name of somebody's own. @returns undefined when no HTTP API is there */
  addressAt(domain: string): ApiAddress | undefined
  /** By id, or by its name in /v1/triggers. */
  findNamed(name: string): ApiEntry | undefined
}

/** HTTP APIs by what leads to them. @param urlDomain - APIs are `<id>.` before this name */
export function createApiTable(scope: ArnScope, urlDomain: string): ApiTable {
  let apis = new Map<string, ApiEntry>()
  let protocols = new Map<string, Api['protocol']>()
  let mappings: ReadonlyMap<string, readonly ApiMapping[]> = new Map()
  let compiled = new Map<string, () => RouteTable>()
  const throttles = new RouteThrottles()

  return {
    update(published) {
      const before = { apis, compiled }
      apis = new Map()
      protocols = new Map()
      compiled = new Map()
      throttles.renew()
      for (const one of published.apis) {
        const { id, protocol } = one.api
        protocols.set(id, protocol)
        if (protocol === 'HTTP') apis.set(id, newEntry(one, before))
      }
      mappings = mappingsByDomain(published.mappings, (apiId) => protocols.get(apiId) === 'HTTP')
    },
    find: (id) => apis.get(id),
    protocolOf: (id) => protocols.get(id),
    findNamed(name) {
      return apis.get(name) ?? [...apis.values()].find(({ api }) => api.trigger === name)
    },
    addressOf: (id) => ({
      domainName: `${id}.${urlDomain}`,
      domainPrefix: id,
      select(path) {
        const entry = apis.get(id)
        return entry === undefined || entry.api.disableExecuteApiEndpoint ? 404 : selectStage(entry, path)
      }
    }),
    addressAt(domain) {
      if (!mappings.has(domain)) return undefined
      return {
        domainName: domain,
        domainPrefix: domain.slice(0, domain.indexOf('.')),
        select: (path) => selectMapped(mappings.get(domain) ?? [], path)
      }
    }
  }

  function selectStage({ stages }: ApiEntry, path: string): ApiPlace | 404 {
    const found = stageInPath(stages, path)
    return found === undefined ? 404 : placeOf(found.stage, path, found.at, false)
  }

  function selectMapped(list: readonly ApiMapping[], path: string): ApiPlace | 403 | 404 {
    const found = mappingInPath(list, path)
    if (found === undefined) return 403
    const { mapping, at } = found
    const stage = apis.get(mapping.apiId)?.stages.get(mapping.stage)
    return stage === undefined ? 404 : placeOf(stage, path, at, true)
  }

  function newEntry(
    { api, stages }: PublishedApi,
    before: {
      readonly apis: ReadonlyMap<string, ApiEntry>
      readonly compiled: ReadonlyMap<string, () => RouteTable>
    }
  ): ApiEntry {
    const byName = new Map<string, StageEntry>()
    const entry: ApiEntry = {
      api,
      cors: api.cors === undefined ? undefined : new Cors(api.cors),
      stages: byName,
      counts: before.apis.get(api.id)?.counts ?? newCounts()
    }
    for (const { stage, snapshot } of stages) {
      // A deployment is never changed: its tree outlives changes of everything else.
      const name = `${api.id}/${stage.deploymentId ?? ''}`
      const routes = compiled.get(name) ?? before.compiled.get(name) ?? once(() => compileRoutes(snapshot))
      compiled.set(name, routes)
      const throttleOf = (routeKey: string) => throttles.of(api.id, stage, routeKey)
      byName.set(stage.name, newStage(scope, entry, stage, routes, throttleOf))
    }
    return entry
  }
}

/** @param at - Where the stage's own path begins. @param isMapped - By a mapping, not by the stage's name */
function placeOf(stage: StageEntry, clientPath: string, at: number, isMapped: boolean): ApiPlace {
  const { name } = stage.stage
  const path = at === 0 ? clientPath : at === clientPath.length ? '/' : clientPath.slice(at)
  // What leads to a stage by a name of somebody's own is not in it, the stage is.
  const rawPath = name === DEFAULT_STAGE ? path : isMapped ? `/${name}${path}` : clientPath
  return { stage, clientPath, path, rawPath }
}

function newStage(
  scope: ArnScope,
  entry: ApiEntry,
  stage: ApiStage,
  routes: () => RouteTable,
  throttleOf: (routeKey: string) => RequestThrottle | undefined
): StageEntry {
  const known = new Map<CompiledRoute, StageRoute>()
  return {
    entry,
    stage,
    get routes() {
      return routes()
    },
    routeOf(compiled) {
      let route = known.get(compiled)
      if (route === undefined) {
        route = newStageRoute(scope, entry.api, stage, compiled, throttleOf(compiled.route.key))
        known.set(compiled, route)
      }
      return route
    }
  }
}

function newStageRoute(
  scope: ArnScope,
  api: Api,
  stage: ApiStage,
  { integration, path, route }: CompiledRoute,
  throttle: RequestThrottle | undefined
): StageRoute {
  const byMethod = new Map<string, ContextKeys>()
  return {
    throttle,
    target: integration && targetOf(scope, integration.functionArn, stage.variables),
    keysFor(method) {
      let keys = byMethod.get(method)
      if (keys === undefined) {
        // As permissions are written: the route's own path, with its parameters in braces.
        const rest = path === undefined ? route.key : method + path
        keys = sourceKeys(scope, executeApiArn(scope, api.id, stage.name, rest))
        byMethod.set(method, keys)
      }
      return keys
    }
  }
}

/** A function's ARN, parts of which may stand in the stage's variables. */
function targetOf(scope: ArnScope, arn: string, variables: ApiStage['variables']): StageRoute['target'] {
  const whole = arn.replace(/\$\{stageVariables\.(\w+)\}/g, (_all, name: string) => variables[name] ?? '')
  try {
    const { name, qualifier } = parseFunctionRef(scope, whole)
    return { functionName: name, qualifier }
  } catch (err) {
    if (err instanceof HearthError) return undefined
    throw err
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
