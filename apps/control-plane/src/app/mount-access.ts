import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { accountRoutes } from '../v1/account-routes.ts'
import { auditRoutes } from '../v1/audit-routes.ts'
import { keyRoutes } from '../v1/key-routes.ts'
import { keyUseReports } from '../v1/key-use-reports.ts'
import { managedPolicyRoutes } from '../v1/managed-policy-routes.ts'
import { masterKeyRoutes } from '../v1/master-key-routes.ts'
import { policyRoutes } from '../v1/policy-routes.ts'
import { roleRoutes } from '../v1/role-routes.ts'
import { secretRoutes } from '../v1/secret-routes.ts'
import { userRoutes } from '../v1/user-routes.ts'

/** The account: who may do what, what was done, and what is secret. */
export async function mountAccess(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(keyUseReports, {
    uses: deps.keyUses,
    region: deps.scope.region,
    now: deps.access.now,
    internalToken: deps.internalToken
  })
  await app.register(accountRoutes, { prefix: '/v1/account', account: deps.account })
  await app.register(auditRoutes, { prefix: '/v1/audit', auditDir: deps.auditDir, now: deps.access.now })
  await app.register(policyRoutes, { prefix: '/v1/policies', scope: deps.scope })
  await app.register(managedPolicyRoutes, { prefix: '/v1/policies', access: deps.access })
  await app.register(roleRoutes, { prefix: '/v1/roles', access: deps.access })
  await app.register(userRoutes, { prefix: '/v1/users', access: deps.access })
  await app.register(keyRoutes, { prefix: '/v1/keys', access: deps.access })
  await app.register(secretRoutes, { prefix: '/v1/secrets', secrets: deps.secrets })
  await app.register(masterKeyRoutes, { prefix: '/v1/master-key', masterKeys: deps.masterKeys })
}
