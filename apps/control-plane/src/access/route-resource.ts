import {
  type ArnScope,
  functionArn,
  HearthError,
  layerArn,
  layerVersionArn,
  parseFunctionRef,
  parseLayerName
} from '@hearth/shared'

type Params = Readonly<Record<string, string | undefined>>

/**
 * The resource that a route of `/v1` is about, from its path alone: what a caller may is decided before its body is
 * looked at. `*` for routes about no one thing.
 */
export function routeResource(url: string, params: Params, scope: ArnScope): string {
  const { name = '', version, host = '', id = '', policy = '', qualifier } = params
  if (url.startsWith('/v1/functions/:name')) {
    // On AWS too these are about a version or an alias and nothing else.
    const isQualified = url.startsWith('/v1/functions/:name/provisioned-concurrency/')
    return orAll(() => functionArn(scope, parseFunctionRef(scope, name).name, isQualified ? qualifier : undefined))
  }
  if (url.startsWith('/v1/layers/:name')) {
    return orAll(() => {
      const layer = parseLayerName(scope, name)
      return version === undefined ? layerArn(scope, layer) : layerVersionArn(scope, layer, Number(version))
    })
  }
  const [, kind] = /^\/v1\/(user|role)s\/:name/.exec(url) ?? []
  // As on AWS the path belongs to the name; where there is none yet it is the plain one.
  if (kind !== undefined) return `arn:aws:iam::${scope.accountId}:${kind}/${name}`
  if (url.startsWith('/v1/policies/:policy')) {
    return policy.startsWith('arn:') ? policy : `arn:aws:iam::${scope.accountId}:policy/${policy}`
  }
  if (url.startsWith('/v1/keys/:id')) return hearthArn(scope, `key/${id}`)
  if (url.startsWith('/v1/domains/:host')) return hearthArn(scope, `domain/${host}`)
  return '*'
}

/** What exists here alone. */
export function hearthArn(scope: ArnScope, resource: string): string {
  return `arn:aws:hearth:${scope.region}:${scope.accountId}:${resource}`
}

/** A name that is none is refused by the route, with its own words; until then it stands for nothing in particular. */
function orAll(make: () => string): string {
  try {
    return make()
  } catch (err) {
    if (err instanceof HearthError) return '*'
    throw err
  }
}
