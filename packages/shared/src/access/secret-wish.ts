import type { ArnScope } from '../arn.ts'
import { contextKeys } from '../policy/request.ts'
import { type SecretReference, secretArn } from '../secret-reference.ts'
import type { Wish } from './authorizer.ts'
import type { RequestFacts } from './request-keys.ts'

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
