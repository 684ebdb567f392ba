import type { ApiAuthorizer, ApiIntegration, ApiRoute, ApiSnapshot } from '@hearth/shared'

/** A route of a deployment, with what it leads to. */
export interface CompiledRoute {
  readonly route: ApiRoute
  readonly integration: ApiIntegration | undefined
  readonly authorizer: ApiAuthorizer | undefined
  /** Of its key; undefined: of `$default`. */
  readonly path: string | undefined
  /** Whether it takes methods that it does not name. */
  readonly isForAny: boolean
  /** Names of the path's parameters, from left to right. */
  readonly names: readonly string[]
}

/** Routes of one deployment, which never change. */
export interface RouteTable {
  /**
   * The route for a request: one for the whole path before one that is greedy, the method's own before `ANY`, then
   * letters before a parameter from left to right, then `$default`. A slash at the end is part of the path.
   *
   * @param path - Decoded, with its first slash, without the stage
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
   */
  find(method: string, path: string): CompiledRoute | undefined
  /** Parameters of the path that was found last; undefined when its route has none. */
  parameters(found: CompiledRoute, path: string): Record<string, string> | undefined
}

/** Routes that end at the same place, by method. */
interface Ends {
  readonly byMethod: Map<string, CompiledRoute>
  any: CompiledRoute | undefined
}

interface Node {
  readonly literals: Map<string, Node>
  param: Node | undefined
  whole: Ends | undefined
  greedy: Ends | undefined
}

const ROUTE_KEY = /^([A-Z]+) (\/.*)$/
const PARAMETER = /^\{([^{}+]+)(\+?)\}$/
const ANY = ''

/** Compiles routes into a tree of segments. A look goes down it at most four times, and makes nothing but the segments. */
export function compileRoutes({ routes, integrations, authorizers }: ApiSnapshot): RouteTable {
  const integrationOf = new Map(integrations.map((one) => [one.id, one]))
  const authorizerOf = new Map(authorizers.map((one) => [one.id, one]))
  const root = newNode()
  let byDefault: CompiledRoute | undefined
  let most = 0
  for (const route of routes) {
    const [, method, path] = ROUTE_KEY.exec(route.key) ?? []
    const segments = path === undefined ? [] : path.slice(1).split('/')
    const compiled: CompiledRoute = {
      route,
      integration: route.integrationId === undefined ? undefined : integrationOf.get(route.integrationId),
      authorizer: route.authorizerId === undefined ? undefined : authorizerOf.get(route.authorizerId),
      path,
      isForAny: method === undefined || method === 'ANY',
      names: segments.flatMap((segment) => PARAMETER.exec(segment)?.[1] ?? [])
    }
    most = Math.max(most, compiled.names.length)
    if (path !== undefined && method !== undefined) put(root, segments, method, compiled)
    else if (route.key === '$default') byDefault = compiled
  }
  // Where the parameters of the last path that was looked at begin and end.
  const starts = new Int32Array(most)
  const ends = new Int32Array(most)

  function whole(node: Node, path: string, at: number, depth: number, method: string): CompiledRoute | undefined {
    if (at > path.length) return pick(node.whole, method)
    const slash = path.indexOf('/', at)
    const end = slash === -1 ? path.length : slash
    const child = node.literals.get(path.slice(at, end))
    const found = child && whole(child, path, end + 1, depth, method)
    if (found !== undefined || node.param === undefined || end === at) return found
    starts[depth] = at
    ends[depth] = end
    return whole(node.param, path, end + 1, depth + 1, method)
  }

  function greedy(node: Node, path: string, at: number, depth: number, method: string): CompiledRoute | undefined {
    if (at > path.length) return undefined
    const slash = path.indexOf('/', at)
    const end = slash === -1 ? path.length : slash
    const child = node.literals.get(path.slice(at, end))
    let found = child && greedy(child, path, end + 1, depth, method)
    if (found === undefined && node.param !== undefined && end > at) {
      starts[depth] = at
      ends[depth] = end
      found = greedy(node.param, path, end + 1, depth + 1, method)
    }
    if (found !== undefined) return found
    found = pick(node.greedy, method)
    if (found !== undefined) {
      starts[depth] = at
      ends[depth] = path.length
    }
    return found
  }

  return {
    find: (method, path) =>
      whole(root, path, 1, 0, method) ??
      whole(root, path, 1, 0, ANY) ??
      greedy(root, path, 1, 0, method) ??
      greedy(root, path, 1, 0, ANY) ??
      byDefault,
    parameters({ names }, path) {
      if (names.length === 0) return undefined
      // Without a prototype: `__proto__` is a name like any other.
      const found = Object.create(null) as Record<string, string>
      for (let i = 0; i < names.length; i++) found[names[i]!] = path.slice(starts[i], ends[i])
      return found
    }
  }
}

function put(root: Node, segments: readonly string[], method: string, compiled: CompiledRoute): void {
  let node = root
  for (const segment of segments) {
    const [, name, plus] = PARAMETER.exec(segment) ?? []
    if (name === undefined) {
      const child = node.literals.get(segment) ?? newNode()
      node.literals.set(segment, child)
      node = child
    } else if (plus === '+') {
      node.greedy ??= newEnds()
      add(node.greedy, method, compiled)
      return
    } else node = node.param ??= newNode()
  }
  node.whole ??= newEnds()
  add(node.whole, method, compiled)
}

function add(ends: Ends, method: string, compiled: CompiledRoute): void {
  if (method === 'ANY') ends.any = compiled
  else ends.byMethod.set(method, compiled)
}

function pick(ends: Ends | undefined, method: string): CompiledRoute | undefined {
  return method === ANY ? ends?.any : ends?.byMethod.get(method)
}

function newNode(): Node {
  return { literals: new Map(), param: undefined, whole: undefined, greedy: undefined }
}

function newEnds(): Ends {
  return { byMethod: new Map(), any: undefined }
}

/** Whether a route takes what no other does, from anybody: files go before it. */
export function isOpenDefault({ route }: CompiledRoute): boolean {
  return route.key === '$default' && route.authorization === 'NONE' && !route.apiKeyRequired
}
