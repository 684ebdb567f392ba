import { HearthError } from '@hearth/shared'
import { type AliasesRepository, type ConcurrencyRepository, LATEST } from '@hearth/store'

/**
 * No version is provisioned twice: through an alias and by itself.
 *
 * @param versions - That an alias with provisioned concurrency points to, or is to.
 * @throws HearthError ALREADY_PROVISIONED, INVALID_REQUEST for `$LATEST`
 * @see reference: Lambda control API §8
 */
export function refuseProvisionedVersions(
  concurrency: Pick<ConcurrencyRepository, 'find'>,
  functionName: string,
  versions: readonly string[]
): void {
  if (versions.includes(LATEST)) throw unpublished()
  if (versions.every((version) => concurrency.find(functionName, version) === undefined)) return
  throw new HearthError(
    'ALREADY_PROVISIONED',
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
  )
}

/**
 * The same the other way round.
 *
 * @throws HearthError ALREADY_PROVISIONED
 */
export function refuseProvisionedAliases(
  concurrency: Pick<ConcurrencyRepository, 'find'>,
  aliases: Pick<AliasesRepository, 'listUsers'>,
  functionName: string,
  version: string
): void {
  const users = aliases.listUsers(functionName, version)
  if (users.every((alias) => concurrency.find(functionName, alias) === undefined)) return
  throw new HearthError('ALREADY_PROVISIONED', 'Version is pointed by a Provisioned Concurrency alias')
}

export function unpublished(): HearthError {
  return new HearthError(
    'INVALID_REQUEST',
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.'
  )
}
