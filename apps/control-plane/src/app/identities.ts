import { createAuthenticator, createAuthorizer, createSessionTokens } from '@hearth/shared'
import {
  AUDIT_FILES,
  createKeysRepository,
  createOwnedPoliciesRepository,
  createPoliciesRepository,
  createRolesRepository,
  createUsersRepository,
  openAuditLog,
  preparePrincipalLookup,
  toAuditEntry,
  watchKeys
} from '@hearth/store'
import { createAccess } from '../access/access.ts'
import { type AssumableRoles, createAssumableRoles } from '../access/assumable-roles.ts'
import { startKeyUses } from '../access/key-uses.ts'
import type { Deps } from '../deps.ts'
import { ensureAdministrator } from '../first-start.ts'
import type { PartDeps } from './part.ts'

/** Who there is, and what each of them may. */
export interface Identities {
  readonly deps: Pick<
    Deps,
    'access' | 'authenticator' | 'authorizer' | 'sessions' | 'keyUses' | 'refreshAccess' | 'auditDir'
  >
  readonly roles: AssumableRoles
  /** Whether the server had no key before, and its administrator was made. */
  readonly isFirstStart: boolean
  close(): Promise<void>
}

/** What a crash may lose of when keys were last used. */
const KEY_USE_INTERVAL_MS = 10_000

export function openIdentities({ storage, scope, log, now }: PartDeps): Identities {
  const { db, box, layout } = storage
  const { functions, functionPolicies } = storage.repositories
  const keys = createKeysRepository(db, box, now)
  const users = createUsersRepository(db)
  const owned = createOwnedPoliciesRepository(db)
  const isFirstStart = ensureAdministrator({ keys, users, owned }, layout, { ...scope, now })
  const audit = openAuditLog({
    dir: layout.audit,
    name: 'control-plane',
    ...AUDIT_FILES,
    onError: (err) => {
      log('error', { err }, 'the audit log cannot be written')
    }
  })
  const principals = preparePrincipalLookup(db)
  const authorizer = createAuthorizer({
    source: principals,
    scope,
    now: () => now().getTime(),
    onDecision(principal, wish, facts, decision) {
      audit.write(toAuditEntry(principal, wish, facts, decision, now()))
    }
  })
  const sessions = createSessionTokens(box, scope.accountId)
  const authenticator = createAuthenticator({
    keys: keys.list(),
    ...scope,
    now,
    sessions,
    isRevoked: (principal) => authorizer.isRevoked(principal)
  })
  const keysChanged = watchKeys(db)
  const keyUses = startKeyUses(keys, {
    intervalMs: KEY_USE_INTERVAL_MS,
    exclusively: (work) => functions.exclusively(work),
    onError: (err) => {
      log('error', { err }, 'the last use of keys could not be written')
    }
  })
  const access = createAccess({
    users,
    roles: createRolesRepository(db),
    policies: createPoliciesRepository(db),
    owned,
    keys,
    lookup: principals,
    functions,
    functionPolicies,
    scope,
    now,
    onKeys: () => {
      authenticator.setKeys(keys.list())
    },
    unwrittenUse: (accessKeyId) => keyUses.find(accessKeyId)
  })
  return {
    deps: {
      access,
      authenticator,
      authorizer,
      sessions,
      keyUses,
      refreshAccess() {
        if (!keysChanged()) return
        authenticator.setKeys(keys.list())
        authorizer.forget()
      },
      auditDir: layout.audit
    },
    roles: createAssumableRoles(principals, scope),
    isFirstStart,
    async close() {
      await audit.close()
      keyUses.stop()
    }
  }
}
