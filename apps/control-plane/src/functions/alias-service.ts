import { randomUUID } from 'node:crypto'
import { type AliasRecord, type ArnScope, functionArn, HearthError } from '@hearth/shared'
import {
  type AliasesRepository,
  type ConcurrencyRepository,
  type FunctionsRepository,
  LATEST,
  type ReleasesRepository
} from '@hearth/store'
import { functionNotFound, type Precondition } from './function-record.ts'
import { refuseProvisionedVersions } from './provisioned-rules.ts'

export interface AliasServiceDeps {
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly releases: ReleasesRepository
  readonly concurrency: Pick<ConcurrencyRepository, 'find'>
  readonly scope: ArnScope
}

/** What may be said of an alias. Absent: as it is, or nothing for a new one. */
export interface AliasChange {
  readonly version?: string | undefined
  readonly weights?: AliasRecord['weights'] | undefined
  readonly description?: string | undefined
}

export interface AliasService {
  find(functionName: string, name: string): AliasRecord | undefined
  /** @throws HearthError FUNCTION_NOT_FOUND */
  list(functionName: string, after: string, limit: number, version?: string): readonly AliasRecord[]
  /** @throws HearthError FUNCTION_NOT_FOUND, ALIAS_EXISTS, INVALID_REQUEST */
  create(functionName: string, name: string, change: AliasChange & { readonly version: string }): AliasRecord
  /** @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, RELEASE_UNDER_WAY, REVISION_MISMATCH, INVALID_REQUEST, ALREADY_PROVISIONED */
  update(functionName: string, name: string, change: AliasChange, precondition?: Precondition): AliasRecord
  /** @returns whether there was one @throws HearthError FUNCTION_NOT_FOUND, RELEASE_UNDER_WAY, REVISION_MISMATCH */
  remove(functionName: string, name: string, precondition?: Precondition): boolean
}

export function createAliasService({
  functions,
  aliases,
  releases,
  concurrency,
  scope
}: AliasServiceDeps): AliasService {
  const requireFunction = (functionName: string): void => {
    if (functions.find(functionName) === undefined) throw functionNotFound(scope, functionName)
  }

  const refuseReleased = (functionName: string, name: string): void => {
    const release = releases.findUnderWay(functionName, name)
    if (release === undefined) return
    throw new HearthError(
      'RELEASE_UNDER_WAY',
      `Release ${release.id} moves alias ${name} from version ${release.plan.fromVersion} to ${release.plan.toVersion}. Abort it or wait for its end before you change the alias.`
    )
  }

  return {
    find: (functionName, name) => aliases.find(functionName, name),

    list(functionName, after, limit, version) {
      requireFunction(functionName)
      return aliases.list(functionName, after, limit, version)
    },

    create(functionName, name, { version, weights = {}, description = '' }) {
      return functions.exclusively(() => {
        checkRouting(functions, scope, functionName, version, weights)
        if (aliases.find(functionName, name) !== undefined) {
          throw new HearthError('ALIAS_EXISTS', `Alias already exists: ${functionArn(scope, functionName, name)}`)
        }
        const alias: AliasRecord = {
          functionName,
          name,
          version,
          weights,
          description,
          revisionId: randomUUID(),
          previousVersion: undefined
        }
        aliases.put(alias)
        return alias
      })
    },

    update(functionName, name, change, precondition) {
      return functions.exclusively(() => {
        const current = aliases.find(functionName, name)
        if (current === undefined) {
          throw new HearthError('ALIAS_NOT_FOUND', `Alias not found: ${functionArn(scope, functionName, name)}`)
        }
        precondition?.(current)
        refuseReleased(functionName, name)
        const { version = current.version, weights = current.weights, description = current.description } = change
        checkRouting(functions, scope, functionName, version, weights)
        if (concurrency.find(functionName, name) !== undefined)
          refuseProvisionedVersions(concurrency, functionName, [version, ...Object.keys(weights)])
        const alias = { ...pointTo(current, version, weights), description }
        aliases.put(alias)
        return alias
      })
    },

    remove(functionName, name, precondition) {
      return functions.exclusively(() => {
        requireFunction(functionName)
        const current = aliases.find(functionName, name)
        if (current === undefined) return false
        precondition?.(current)
        refuseReleased(functionName, name)
        aliases.remove(functionName, name)
        return true
      })
    }
  }
}

/** The alias, pointing elsewhere; it remembers where it pointed before. */
export function pointTo(alias: AliasRecord, version: string, weights: AliasRecord['weights']): AliasRecord {
  const previousVersion = version === alias.version ? alias.previousVersion : alias.version
  return { ...alias, version, weights, previousVersion, revisionId: randomUUID() }
}

/**
 * @throws HearthError INVALID_REQUEST, FUNCTION_NOT_FOUND
 * @see reference: Lambda control API §6
 */
export function checkRouting(
  functions: FunctionsRepository,
  scope: ArnScope,
  functionName: string,
  version: string,
  weights: AliasRecord['weights']
): void {
  const additional = Object.keys(weights)
  if (additional.length > 1) {
    throw new HearthError('INVALID_REQUEST', 'Number of items in AdditionalVersionWeights cannot be greater than 1')
  }
  const [other] = additional
  if (other !== undefined && version === LATEST) {
    throw new HearthError('INVALID_REQUEST', '$LATEST is not supported for an alias pointing to more than 1 version', {
      awsUntyped: true
    })
  }
  if (other === version) {
    throw new HearthError(
      'INVALID_REQUEST',
      `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`
    )
  }
  const [first, second] = [version, ...additional].map((wanted) => {
    const record = functions.find(functionName, wanted)
    if (record === undefined) throw functionNotFound(scope, functionName, wanted)
    return record
  })
  // Source: Lambda developer guide, weighted aliases: both versions have the same execution role.
  if (second !== undefined && first?.role !== second.role) {
    throw new HearthError(
      'INVALID_REQUEST',
      `Versions ${version} and ${other} must have the same execution role for an alias to point to both.`
    )
  }
}
