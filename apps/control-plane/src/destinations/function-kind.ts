import { type ArnScope, HearthError, parseFunctionRef } from '@hearth/shared'
import type { DestinationKind } from './kind.ts'

/**
 * Another function: what is sent to it is an event of its own.
 *
 * @param exists - Whether there is such a function, version or alias
 */
export function createFunctionKind(
  scope: ArnScope,
  exists: (functionName: string, qualifier: string | undefined) => boolean
): DestinationKind {
  return {
    matches: (target) => /^arn:[^:]*:lambda:/.test(target),
    check(target, { functionName }) {
      const ref = referenceIn(target)
      if (ref === undefined || !exists(ref.name, ref.qualifier)) {
        throw new HearthError('INVALID_REQUEST', `The destination ARN ${target} is invalid.`)
      }
      if (ref.name === functionName) {
        throw new HearthError('INVALID_REQUEST', "You can't specify the function as a destination for itself.")
      }
    }
  }

  function referenceIn(target: string) {
    try {
      return parseFunctionRef(scope, target)
    } catch {
      return undefined
    }
  }
}
