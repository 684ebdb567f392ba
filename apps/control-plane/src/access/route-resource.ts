import {
  type ArnScope,
  functionArn,
  HearthError,
  layerArn,
  layerVersionArn,
  parseFunctionRef,
  parseLayerName
} from '@hearth/shared'

import { alarmArn } from '../alarms/model.ts'
import type { Access } from './access.ts'
import { policyArn } from './names.ts'

type Params = Readonly<Record<string, string | undefined>>

/**
 * The resource that a route of `/v1` is about, from its path alone: what a caller may is decided before its body is
 * looked at. `*` for routes about no one thing.
 *
 * @param access - Knows the paths of users, roles and policies, which belong to their ARNs.
 */
export function routeResource(url: string, params: Params, scope: ArnScope, access: Access): string {
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
  if (url.startsWith('/v1/users/:name')) return principalArn(access.users, name)
  if (url.startsWith('/v1/roles/:name')) return principalArn(access.roles, name)
  if (url.startsWith('/v1/policies/:policy')) {
    return policy.startsWith('arn:') ? policy : managedPolicyArn(access, policy)
  }
  if (url.startsWith('/v1/keys/:id')) return hearthArn(scope, `key/${id}`)
  if (url.startsWith('/v1/domains/:host')) return hearthArn(scope, `domain/${host}`)
  if (url.startsWith('/v1/alarms')) return alarmArn(scope, name === '' ? '*' : name)
  return '*'
}

/** @param path - Of one that is to be made; one that is there has its own. */
export function principalArn(principals: Access['users'] | Access['roles'], name: string, path = '/'): string {
  return principals.arnOf(principals.find(name) ?? { name, path })
}

/** As {@link principalArn}. */
export function managedPolicyArn({ managed, scope }: Access, name: string, path = '/'): string {
  return managed.findByName(name)?.arn ?? policyArn(scope.accountId, { name, path })
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
