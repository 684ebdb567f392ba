import { randomUUID } from 'node:crypto'
import {
  type ArnScope,
  functionArn,
  HearthError,
  minUnreserved,
  type ProvisionedConcurrency,
  type ProvisionedReport
} from '@hearth/shared'
import { type AliasesRepository, type ConcurrencyRepository, type FunctionsRepository, LATEST } from '@hearth/store'
import { functionNotFound } from './function-record.ts'
import { refuseProvisionedAliases, refuseProvisionedVersions, unpublished } from './provisioned-rules.ts'

export interface ConcurrencyServiceDeps {
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly concurrency: ConcurrencyRepository
  /** What all functions together may run at once. */
  readonly limit: number
  readonly scope: ArnScope
  readonly now: () => Date
}

/** What is provisioned, and for which version. */
export interface Provisioned extends ProvisionedConcurrency {
  /** Of an alias: the version that it points to first of all. */
  readonly version: string
}

/** How the account's concurrency is divided between functions. */
export interface ConcurrencyService {
  /** What nobody has reserved: never negative, though a server may be told to run less than is reserved. */
  unreserved(): number
  /** Undefined: nothing is reserved. @throws HearthError FUNCTION_NOT_FOUND */
  reserved(functionName: string): number | undefined
  /** @param executions - 0 switches the function off. @throws HearthError FUNCTION_NOT_FOUND, CONCURRENCY_EXCEEDED, INVALID_REQUEST */
  reserve(functionName: string, executions: number): void
  /** @throws HearthError FUNCTION_NOT_FOUND */
  unreserve(functionName: string): void
  /**
   * Has instances of a published version or an alias started ahead. The same again tries again.
   *
   * @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, CONCURRENCY_EXCEEDED, ALREADY_PROVISIONED, INVALID_REQUEST
   */
  provision(functionName: string, qualifier: string, requested: number): Provisioned
  /** @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, PROVISIONED_CONCURRENCY_NOT_FOUND, INVALID_REQUEST */
  provisioned(functionName: string, qualifier: string): Provisioned
  /** By qualifier, in byte order, those after `after`. @throws HearthError FUNCTION_NOT_FOUND */
  listProvisioned(functionName: string, after: string, limit: number): readonly Provisioned[]
  /** @returns whether there was one @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, INVALID_REQUEST */
  unprovision(functionName: string, qualifier: string): boolean
  /** What the gateway says. Stale reports, and those of what is gone, are passed over. */
  report(reports: readonly ProvisionedReport[]): void
}

export function createConcurrencyService(deps: ConcurrencyServiceDeps): ConcurrencyService {
  const { functions, aliases, concurrency, limit, scope, now } = deps
  const least = minUnreserved(limit)

  const requireFunction = (functionName: string): void => {
    if (functions.find(functionName) !== undefined) return
    const { message } = functionNotFound(scope, functionName)
    throw new HearthError('FUNCTION_NOT_FOUND', message, {
      awsMessage: functionNotFound(scope, functionName, LATEST).message
    })
  }

  /** @returns the versions that a qualifier stands for, the first one first */
  const versionsOf = (functionName: string, qualifier: string): readonly [string, ...string[]] => {
    const isAlias = !/^\d+$/.test(qualifier) && functions.find(functionName) !== undefined
    if (!isAlias) {
      if (functions.find(functionName, qualifier) === undefined) throw functionNotFound(scope, functionName, qualifier)
      return [qualifier]
    }
    const alias = aliases.find(functionName, qualifier)
    if (alias !== undefined) return [alias.version, ...Object.keys(alias.weights)]
    throw new HearthError('ALIAS_NOT_FOUND', `Cannot find alias arn: ${functionArn(scope, functionName, qualifier)}`)
  }

  /** @throws HearthError for a qualifier that nothing can be provisioned for */
  const requirePublished = (functionName: string, qualifier: string): string => {
    if (qualifier === LATEST) {
      throw new HearthError(
        'INVALID_REQUEST',
        'The function resource provided must be an alias or a published version.'
      )
    }
    return versionsOf(functionName, qualifier)[0]
  }

  /** @param requested - For this qualifier. */
  const checkRoom = (functionName: string, qualifier: string, requested: number): void => {
    const others = concurrency.requested(functionName, qualifier)
    const reserved = concurrency.reserved(functionName)
    if (reserved !== undefined) {
      // What is provisioned is part of it, so the account has nothing to say.
      if (others + requested <= reserved) return
      throw new HearthError(
        'CONCURRENCY_EXCEEDED',
        'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function'
      )
    }
    const before = concurrency.find(functionName, qualifier)?.requested ?? 0
    if (requested <= before) return
    const left = Math.max(0, limit - concurrency.claimed(functionName) - others)
    if (left - requested >= least) return
    throw new HearthError(
      'CONCURRENCY_EXCEEDED',
      requested > left
        ? `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${left}].`
        : `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
      { awsUntyped: true }
    )
  }

  return {
    unreserved: () => Math.max(0, limit - concurrency.claimed()),

    reserved(functionName) {
      requireFunction(functionName)
      return concurrency.reserved(functionName)
    },

    reserve(functionName, executions) {
      functions.exclusively(() => {
        requireFunction(functionName)
        const provisioned = concurrency.requested(functionName)
        const before = concurrency.reserved(functionName) ?? provisioned
        // Less than before always fits: a function can be switched off on a server whose limit was lowered.
        if (executions > before && limit - concurrency.claimed(functionName) - executions < least) {
          throw new HearthError(
            'CONCURRENCY_EXCEEDED',
            `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
            { awsUntyped: true }
          )
        }
        if (executions < provisioned) {
          throw new HearthError(
            'INVALID_REQUEST',
            `ReservedConcurrentExecutions ${executions} should not be lower than function's total provisioned concurrency [${provisioned}].`,
            {
              // With these blanks.
              awsMessage: ` ReservedConcurrentExecutions  ${executions} should not be lower than function's total provisioned concurrency [${provisioned}].`
            }
          )
        }
        concurrency.setReserved(functionName, executions)
      })
    },

    unreserve(functionName) {
      functions.exclusively(() => {
        requireFunction(functionName)
        concurrency.setReserved(functionName, undefined)
      })
    },

    provision(functionName, qualifier, requested) {
      if (qualifier === LATEST) throw unpublished()
      return functions.exclusively(() => {
        const [version, ...others] = versionsOf(functionName, qualifier)
        if (others.length > 0) {
          throw new HearthError('INVALID_REQUEST', 'Alias with weights can not be used with Provisioned Concurrency')
        }
        if (version === qualifier) refuseProvisionedAliases(concurrency, aliases, functionName, version)
        else refuseProvisionedVersions(concurrency, functionName, [version])
        checkRoom(functionName, qualifier, requested)
        const before = concurrency.find(functionName, qualifier)
        const config: ProvisionedConcurrency = {
          functionName,
          qualifier,
          requested,
          revisionId: randomUUID(),
          status: 'IN_PROGRESS',
          statusReason: undefined,
          allocated: before?.allocated ?? 0,
          available: before?.available ?? 0,
          lastModified: now().toISOString()
        }
        concurrency.put(config)
        return { ...config, version }
      })
    },

    provisioned(functionName, qualifier) {
      const version = requirePublished(functionName, qualifier)
      const config = concurrency.find(functionName, qualifier)
      if (config !== undefined) return { ...config, version }
      throw new HearthError(
        'PROVISIONED_CONCURRENCY_NOT_FOUND',
        'No Provisioned Concurrency Config found for this function'
      )
    },

    listProvisioned(functionName, after, limit) {
      requireFunction(functionName)
      return concurrency
        .list(functionName, after, limit)
        .map((config) => ({ ...config, version: versionsOf(functionName, config.qualifier)[0] }))
    },

    unprovision(functionName, qualifier) {
      return functions.exclusively(() => {
        requirePublished(functionName, qualifier)
        const isThere = concurrency.find(functionName, qualifier) !== undefined
        if (isThere) concurrency.remove(functionName, qualifier)
        return isThere
      })
    },

    report(reports) {
      functions.exclusively(() => {
        for (const report of reports) concurrency.note(report)
      })
    }
  }
}
