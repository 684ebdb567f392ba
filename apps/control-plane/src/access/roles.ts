import { type ArnScope, HearthError, newUniqueId } from '@hearth/shared'
import type { OwnedPoliciesRepository, RoleRecord, RolesRepository } from '@hearth/store'
import type { ManagedPolicies } from './managed-policies.ts'
import { MAX_SESSION_S, roleArn } from './names.ts'
import { createPrincipalPolicies, type PrincipalPoliciesService } from './principal-policies.ts'
import { type Tag, withoutTags, withTags } from './tags.ts'
import { checkTrust, renamePrincipalInText } from './trust-policy.ts'

export interface NewRole {
  readonly name: string
  readonly trust: string
  readonly path?: string | undefined
  readonly description?: string | undefined
  readonly maxSessionS?: number | undefined
  /** ARN of a policy. */
  readonly boundary?: string | undefined
  readonly tags?: readonly Tag[] | undefined
}

/** Roles: what functions run as, and what others take for a while. */
export interface Roles extends PrincipalPoliciesService {
  /** @throws HearthError ROLE_NOT_FOUND */
  get(name: string): RoleRecord
  find(name: string): RoleRecord | undefined
  arnOf(role: Pick<RoleRecord, 'name' | 'path'>): string
  list(after: string, pathPrefix: string, limit: number): readonly RoleRecord[]
  /** @throws HearthError ROLE_EXISTS, MALFORMED_POLICY, POLICY_NOT_FOUND, INVALID_REQUEST, LIMIT_EXCEEDED */
  create(role: NewRole): RoleRecord
  /** What is undefined stays. @throws HearthError ROLE_NOT_FOUND */
  update(name: string, change: Pick<NewRole, 'description' | 'maxSessionS'>): RoleRecord
  /** @throws HearthError ROLE_NOT_FOUND, MALFORMED_POLICY, LIMIT_EXCEEDED */
  setTrust(name: string, trust: string): void
  /** @throws HearthError ROLE_NOT_FOUND, DELETE_CONFLICT while it has policies */
  remove(name: string): void
  /** With its policies. @throws HearthError ROLE_NOT_FOUND, RESOURCE_IN_USE while a function runs as it */
  removeWithPolicies(name: string): void
  /** @throws HearthError ROLE_NOT_FOUND, LIMIT_EXCEEDED, INVALID_REQUEST */
  tag(name: string, tags: readonly Tag[]): void
  untag(name: string, keys: readonly string[]): void
  /** @param policyArn - Undefined: none. @throws HearthError ROLE_NOT_FOUND, POLICY_NOT_FOUND, INVALID_REQUEST */
  setBoundary(name: string, policyArn: string | undefined): void
  /** Sessions issued until now are refused from now on. @returns from when on issued ones are good, ISO 8601 */
  revokeSessions(name: string): string
  /** A user or role is called otherwise, or is gone: trust policies that name it follow. */
  renamePrincipal(fromArn: string, to: string): void
}

export interface RolesDeps {
  readonly roles: RolesRepository
  readonly owned: OwnedPoliciesRepository
  readonly managed: ManagedPolicies
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  /** Whether a user of this account has this ARN. */
  readonly isUser: (arn: string) => boolean
  /** Name of a function that runs as the role. */
  readonly findFunctionOf: (roleArn: string) => string | undefined
  /** A role is gone, and known by its id alone. */
  readonly onRenamed: (fromArn: string, to: string) => void
}

export function createRoles(deps: RolesDeps): Roles {
  const { roles, owned, managed, scope, exclusively } = deps
  const get = (name: string): RoleRecord => {
    const role = roles.find(name)
    if (role === undefined) throw new HearthError('ROLE_NOT_FOUND', `The role with name ${name} cannot be found.`)
    return role
  }
  const arnOf = (role: Pick<RoleRecord, 'name' | 'path'>): string => roleArn(scope.accountId, role)
  const exists = (arn: string): boolean | 'elsewhere' => {
    const [, kind] = new RegExp(`^arn:aws:iam::${scope.accountId}:(user|role)/`).exec(arn) ?? []
    if (kind === undefined) return 'elsewhere'
    if (kind === 'user') return deps.isUser(arn)
    const role = roles.find(arn.slice(arn.lastIndexOf('/') + 1))
    return role !== undefined && arnOf(role) === arn
  }
  const change = (name: string, changed: (role: RoleRecord) => RoleRecord): RoleRecord =>
    exclusively(() => {
      const role = changed(get(name))
      roles.update(role)
      return role
    })
  const drop = (role: RoleRecord): void => {
    roles.remove(role.name)
    deps.onRenamed(arnOf(role), role.roleId)
  }

  return {
    ...createPrincipalPolicies({ kind: 'role', owned, managed, exclusively, idOf: (name) => get(name).roleId }),
    get,
    find: (name) => roles.find(name),
    arnOf,
    list: (after, pathPrefix, limit) => roles.list(after, pathPrefix, limit),

    create({ name, trust, path = '/', description, maxSessionS = MAX_SESSION_S.default, boundary, tags = [] }) {
      return exclusively(() => {
        if (roles.findInAnyCase(name) !== undefined) {
          throw new HearthError('ROLE_EXISTS', `Role with name ${name} already exists.`)
        }
        checkTrust(trust, exists)
        const createdAt = deps.now().toISOString()
        const role = {
          name,
          path,
          roleId: newUniqueId('AROA'),
          trust,
          description,
          maxSessionS,
          tags: withTags({}, tags),
          boundary: boundary === undefined ? undefined : managed.refToAttach(boundary),
          sessionsFrom: createdAt,
          createdAt,
          lastUsed: undefined
        }
        roles.create(role)
        return role
      })
    },

    update: (name, { description, maxSessionS }) =>
      change(name, (role) => ({
        ...role,
        description: description ?? role.description,
        maxSessionS: maxSessionS ?? role.maxSessionS
      })),

    setTrust(name, trust) {
      change(name, (role) => {
        checkTrust(trust, exists)
        return { ...role, trust }
      })
    },

    remove(name) {
      exclusively(() => {
        const role = get(name)
        if (owned.listAttached(role.roleId).length > 0) throw conflict('must detach all policies first')
        if (owned.listInline(role.roleId).length > 0) throw conflict('must delete policies first')
        drop(role)
      })
    },

    removeWithPolicies(name) {
      exclusively(() => {
        const role = get(name)
        const user = deps.findFunctionOf(arnOf(role))
        if (user !== undefined) {
          throw new HearthError('RESOURCE_IN_USE', `The function ${user} runs as the role ${name}.`)
        }
        drop(role)
      })
    },

    tag(name, tags) {
      change(name, (role) => ({ ...role, tags: withTags(role.tags, tags) }))
    },
    untag(name, keys) {
      change(name, (role) => ({ ...role, tags: withoutTags(role.tags, keys) }))
    },
    setBoundary(name, policyArn) {
      change(name, (role) => ({
        ...role,
        boundary: policyArn === undefined ? undefined : managed.refToAttach(policyArn)
      }))
    },

    revokeSessions(name) {
      // One issued within this very millisecond is refused too.
      const sessionsFrom = new Date(deps.now().getTime() + 1).toISOString()
      return change(name, (role) => ({ ...role, sessionsFrom })).sessionsFrom
    },

    renamePrincipal(fromArn, to) {
      for (let after = ''; ; ) {
        const page = roles.list(after, '/', 100)
        for (const role of page) {
          const trust = renamePrincipalInText(role.trust, fromArn, to)
          if (trust !== role.trust) roles.update({ ...role, trust })
        }
        if (page.length < 100) return
        after = page.at(-1)!.name
      }
    }
  }
}

function conflict(what: string): HearthError {
  return new HearthError('DELETE_CONFLICT', `Cannot delete entity, ${what}.`)
}
