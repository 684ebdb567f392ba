import { type ArnScope, HearthError, newUniqueId } from '@hearth/shared'
import type { KeysRepository, OwnedPoliciesRepository, UserRecord, UsersRepository } from '@hearth/store'
import type { ManagedPolicies } from './managed-policies.ts'
import { userArn } from './names.ts'
import { createPrincipalPolicies, type PrincipalPoliciesService } from './principal-policies.ts'
import { type Tag, withoutTags, withTags } from './tags.ts'

export interface NewUser {
  readonly name: string
  readonly path?: string | undefined
  readonly tags?: readonly Tag[] | undefined
  /** ARN of a policy. */
  readonly boundary?: string | undefined
}

/** Users: people and programs that have keys. */
export interface Users extends PrincipalPoliciesService {
  /** @throws HearthError USER_NOT_FOUND */
  get(name: string): UserRecord
  find(name: string): UserRecord | undefined
  arnOf(user: Pick<UserRecord, 'name' | 'path'>): string
  list(after: string, pathPrefix: string, limit: number): readonly UserRecord[]
  /** @throws HearthError USER_EXISTS, POLICY_NOT_FOUND, INVALID_REQUEST, LIMIT_EXCEEDED */
  create(user: NewUser): UserRecord
  /** @throws HearthError USER_NOT_FOUND, USER_EXISTS */
  rename(name: string, change: { readonly name?: string | undefined; readonly path?: string | undefined }): UserRecord
  /** @throws HearthError USER_NOT_FOUND, DELETE_CONFLICT while it has keys or policies */
  remove(name: string): void
  /** With its keys and policies. @throws HearthError USER_NOT_FOUND */
  removeWithAll(name: string): void
  /** @throws HearthError USER_NOT_FOUND, LIMIT_EXCEEDED, INVALID_REQUEST */
  tag(name: string, tags: readonly Tag[]): void
  untag(name: string, keys: readonly string[]): void
  /** @param policyArn - Undefined: none. @throws HearthError USER_NOT_FOUND, POLICY_NOT_FOUND, INVALID_REQUEST */
  setBoundary(name: string, policyArn: string | undefined): void
}

export interface UsersDeps {
  readonly users: UsersRepository
  readonly keys: KeysRepository
  readonly owned: OwnedPoliciesRepository
  readonly managed: ManagedPolicies
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  /** Keys are others, or mean somebody else. */
  readonly onKeys: () => void
  /** A user is called otherwise, or is gone and known by its id alone. */
  readonly onRenamed: (fromArn: string, to: string) => void
}

export function createUsers(deps: UsersDeps): Users {
  const { users, keys, owned, managed, scope, exclusively } = deps
  const get = (name: string): UserRecord => {
    const user = users.find(name)
    if (user === undefined) throw new HearthError('USER_NOT_FOUND', `The user with name ${name} cannot be found.`)
    return user
  }
  const arnOf = (user: Pick<UserRecord, 'name' | 'path'>): string => userArn(scope.accountId, user)
  const refuseTaken = (name: string, but?: UserRecord): void => {
    const other = users.findInAnyCase(name)
    if (other !== undefined && other.userId !== but?.userId) {
      throw new HearthError('USER_EXISTS', `User with name ${name} already exists.`)
    }
  }
  const change = (name: string, changed: (user: UserRecord) => UserRecord): void => {
    exclusively(() => {
      users.update(name, changed(get(name)))
    })
  }
  const drop = (user: UserRecord): void => {
    deps.onRenamed(arnOf(user), user.userId)
    users.remove(user.name)
  }

  return {
    ...createPrincipalPolicies({ kind: 'user', owned, managed, exclusively, idOf: (name) => get(name).userId }),
    get,
    find: (name) => users.find(name),
    arnOf,
    list: (after, pathPrefix, limit) => users.list(after, pathPrefix, limit),

    create({ name, path = '/', tags = [], boundary }) {
      return exclusively(() => {
        refuseTaken(name)
        const user = {
          name,
          path,
          userId: newUniqueId('AIDA'),
          tags: withTags({}, tags),
          boundary: boundary === undefined ? undefined : managed.refToAttach(boundary),
          createdAt: deps.now().toISOString()
        }
        users.create(user)
        return user
      })
    },

    rename(name, { name: newName = name, path }) {
      const renamed = exclusively(() => {
        const user = get(name)
        refuseTaken(newName, user)
        const after = { ...user, name: newName, path: path ?? user.path }
        users.update(name, after)
        deps.onRenamed(arnOf(user), arnOf(after))
        return after
      })
      deps.onKeys()
      return renamed
    },

    remove(name) {
      exclusively(() => {
        const user = get(name)
        if (keys.listRecords(name).length > 0) throw conflict('must delete access keys first')
        if (owned.listAttached(user.userId).length > 0) throw conflict('must detach all policies first')
        if (owned.listInline(user.userId).length > 0) throw conflict('must delete policies first')
        drop(user)
      })
    },

    removeWithAll(name) {
      exclusively(() => {
        const user = get(name)
        for (const { accessKeyId } of keys.listRecords(name)) keys.remove(accessKeyId)
        drop(user)
      })
      deps.onKeys()
    },

    tag(name, tags) {
      change(name, (user) => ({ ...user, tags: withTags(user.tags, tags) }))
    },
    untag(name, tagKeys) {
      change(name, (user) => ({ ...user, tags: withoutTags(user.tags, tagKeys) }))
    },
    setBoundary(name, policyArn) {
      change(name, (user) => ({
        ...user,
        boundary: policyArn === undefined ? undefined : managed.refToAttach(policyArn)
      }))
    }
  }
}

function conflict(what: string): HearthError {
  return new HearthError('DELETE_CONFLICT', `Cannot delete entity, ${what}.`)
}
