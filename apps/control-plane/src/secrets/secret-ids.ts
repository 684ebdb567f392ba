import { type ArnScope, HearthError, secretArn } from '@hearth/shared'
import type { SecretRecord, SecretsRepository } from '@hearth/store'

/** Stands for a suffix that nobody knows: policies end in `-??????` or `*`. */
const NO_SUFFIX = '??????'

/**
 * Finds a secret by its name, its ARN, or its ARN without the suffix.
 *
 * @param id - As the caller names it.
 */
export function findSecret(
  secrets: Pick<SecretsRepository, 'find'>,
  scope: ArnScope,
  id: string
): { readonly secret: SecretRecord | undefined; readonly arn: string } {
  const prefix = `arn:aws:secretsmanager:${scope.region}:${scope.accountId}:secret:`
  const isArn = id.startsWith('arn:')
  if (isArn && !id.startsWith(prefix)) return { secret: undefined, arn: id }
  const name = isArn ? id.slice(prefix.length) : id
  const dash = name.length - 7
  if (isArn && name[dash] === '-') {
    const secret = secrets.find(name.slice(0, dash))
    if (secret?.suffix === name.slice(dash + 1)) return { secret, arn: id }
  }
  const secret = secrets.find(name)
  return { secret, arn: secretArn(scope, name, secret?.suffix ?? NO_SUFFIX) }
}

export function secretNotFound(): HearthError {
  return new HearthError('SECRET_NOT_FOUND', "Secrets Manager can't find the specified secret.")
}
