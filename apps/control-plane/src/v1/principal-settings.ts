import { HearthError } from '@hearth/shared'
import { noticesOf } from '../access/policy-notices.ts'
import type { Roles } from '../access/roles.ts'
import type { Tags } from '../access/tags.ts'
import type { Users } from '../access/users.ts'
import type { UserBody } from './access-schemas.ts'
import { objectOf, textsOf } from './policy-text.ts'

/** What users and roles have in common. Undefined: it stays. */
type Settings = Pick<UserBody, 'tags' | 'boundary' | 'policies' | 'attached'>

/** What is not named becomes as it is for a new one. */
export function whole(body: Settings): Settings {
  return { tags: {}, boundary: null, policies: {}, attached: [], ...body }
}

export function applySettings(service: Users | Roles, name: string, settings: Settings): void {
  const { tags, boundary, policies, attached } = settings
  if (tags !== undefined) {
    service.untag(name, Object.keys(service.get(name).tags))
    service.tag(name, tagList(tags))
  }
  if (boundary !== undefined) service.setBoundary(name, boundary ?? undefined)
  if (policies !== undefined) service.setInline(name, textsOf(policies))
  if (attached !== undefined) service.setAttached(name, attached)
}

export function tagList(tags: Tags) {
  return Object.entries(tags).map(([key, value]) => ({ key, value }))
}

/** @throws HearthError INVALID_REQUEST: ARNs have the path in them, so it stays. */
export function refuseOtherPath(name: string, before: string, path: string | undefined): void {
  if (path === undefined || path === before) return
  throw new HearthError('INVALID_REQUEST', `${name} has the path ${before}, which cannot be changed.`, {
    errors: [{ path: 'body.path', message: `${before}, or left out` }]
  })
}

export function settingsView(service: Users | Roles, name: string) {
  const inline = service.listInline(name)
  return {
    policies: Object.fromEntries(inline.map((one) => [one.name, objectOf(one.document)])),
    notices: inline.flatMap((one) => noticesOf(one.document)),
    attached: service.listAttached(name).map(({ arn }) => arn)
  }
}
