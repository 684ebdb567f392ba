import type { ArnScope, PrincipalSource } from '@hearth/shared'
import type {
  FunctionPoliciesRepository,
  FunctionsRepository,
  KeysRepository,
  KeyUse,
  OwnedPoliciesRepository,
  PoliciesRepository,
  PolicyOwner,
  RolesRepository,
  UsersRepository
} from '@hearth/store'
import { createKeys, type Keys } from './keys.ts'
import { createManagedPolicies, type ManagedPolicies } from './managed-policies.ts'
import { createRoles, type Roles } from './roles.ts'
import { renamePrincipal } from './trust-policy.ts'
import { createUsers, type Users } from './users.ts'

/** Who there is, and what hangs on them. */
export interface Access {
  readonly users: Users
  readonly roles: Roles
  readonly managed: ManagedPolicies
  readonly keys: Keys
  /** Whom a policy is attached to, or bounds. @throws HearthError POLICY_NOT_FOUND, INVALID_REQUEST */
  readonly ownersOf: (policyArn: string, as: 'attachment' | 'boundary') => readonly PolicyOwner[]
  /** All that decisions about one need. */
  readonly lookup: PrincipalSource
  readonly scope: ArnScope
  readonly now: () => Date
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

export interface AccessDeps {
  readonly users: UsersRepository
  readonly roles: RolesRepository
  readonly policies: PoliciesRepository
  readonly owned: OwnedPoliciesRepository
  readonly keys: KeysRepository
  readonly lookup: PrincipalSource
  readonly functions: Pick<FunctionsRepository, 'exclusively' | 'findByRole'>
  readonly functionPolicies: FunctionPoliciesRepository
  readonly scope: ArnScope
  readonly now: () => Date
  /** Keys are others, or mean somebody else. */
  readonly onKeys: () => void
  /** When a key was last used, if that is not written yet. */
  readonly unwrittenUse: (accessKeyId: string) => KeyUse | undefined
}

export function createAccess(deps: AccessDeps): Access {
  const { owned, keys: keysRepository, functions, functionPolicies, scope, now, onKeys } = deps
  const exclusively = <T>(work: () => T): T => functions.exclusively(work)
  const managed = createManagedPolicies({ policies: deps.policies, scope, now, exclusively })

  const onRenamed = (fromArn: string, to: string): void => {
    roles.renamePrincipal(fromArn, to)
    for (const { functionName, qualifier, policy } of functionPolicies.listNaming(fromArn)) {
      const statements = renamePrincipal(policy.statements, fromArn, to)
      if (statements !== policy.statements) functionPolicies.put(functionName, qualifier, { ...policy, statements })
    }
  }
  const users = createUsers({
    users: deps.users,
    keys: keysRepository,
    owned,
    managed,
    scope,
    now,
    exclusively,
    onKeys,
    onRenamed
  })
  const roles = createRoles({
    roles: deps.roles,
    owned,
    managed,
    scope,
    now,
    exclusively,
    onRenamed,
    isUser(arn) {
      const user = users.find(arn.slice(arn.lastIndexOf('/') + 1))
      return user !== undefined && users.arnOf(user) === arn
    },
    findFunctionOf: (roleArn) => functions.findByRole(roleArn)
  })
  const keys = createKeys({
    keys: keysRepository,
    users,
    scope,
    now,
    exclusively,
    onKeys,
    unwrittenUse: deps.unwrittenUse
  })
  return {
    users,
    roles,
    managed,
    keys,
    ownersOf: (policyArn, as) => owned.ownersOf(managed.get(policyArn).ref, as),
    lookup: deps.lookup,
    scope,
    now,
    exclusively
  }
}
