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
  const { name = '', version, host = '' } = params
  if (url.startsWith('/v1/functions/:name')) return orAll(() => functionArn(scope, parseFunctionRef(scope, name).name))
  if (url.startsWith('/v1/layers/:name')) {
    return orAll(() => {
      const layer = parseLayerName(scope, name)
      return version === undefined ? layerArn(scope, layer) : layerVersionArn(scope, layer, Number(version))
    })
  }
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
