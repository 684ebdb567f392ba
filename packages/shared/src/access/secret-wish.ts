import type { ArnScope } from '../arn.ts'
import type { Principal } from '../auth/principal.ts'
import { sessionPrincipal } from '../auth/session-tokens.ts'
import { contextKeys } from '../policy/request.ts'
import { type SecretReference, secretArn } from '../secret-reference.ts'
import type { Wish } from './authorizer.ts'
import type { RoleIdentity } from './principal-source.ts'
import type { RequestFacts } from './request-keys.ts'

/** A function that runs as a role, as policies see it. */
export function functionPrincipal(
  role: RoleIdentity,
  roleArn: string,
  functionName: string,
  scope: ArnScope
): Principal {
  const session = {
    roleName: role.name,
    roleArn,
    roleId: role.roleId,
    name: functionName,
    issuedAt: 0,
    expiresAt: Number.POSITIVE_INFINITY
  }
  // No key has this id: it is what decisions about the role are remembered under.
  return sessionPrincipal(session, scope.accountId, `role/${role.roleId}/${functionName}`)
}

/** Reading the secret that a variable stands for. */
export function secretWish(
  reference: SecretReference,
  secret: { readonly suffix: string; readonly tags: Readonly<Record<string, string>> },
  scope: ArnScope
): Wish {
  const tags = Object.entries(secret.tags).flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`secretsmanager:ResourceTag/${key}`, value]
  ])
  return {
    action: 'secretsmanager:GetSecretValue',
    resource: secretArn(scope, reference.name, secret.suffix),
    keys: contextKeys({
      ...(Object.fromEntries(tags) as Record<string, string>),
      'secretsmanager:SecretId': reference.name,
      'secretsmanager:VersionStage': reference.stage
    })
  }
}

/** Of what the server does by itself for a function: there is no request. */
export const NO_REQUEST: RequestFacts = { requestId: '', sourceIp: undefined, userAgent: undefined, secure: false }
