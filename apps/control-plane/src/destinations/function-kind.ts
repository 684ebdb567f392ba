import { type ArnScope, type FunctionRef, HearthError, parseFunctionRef } from '@hearth/shared'
import type { DestinationKind, DestinationUse } from './kind.ts'

/** @param target - Which function, under which name */
export type MayInvoke = (use: DestinationUse & { readonly role: string }, target: FunctionRef) => boolean

/**
 * Another function: what is sent to it is an event of its own.
 *
 * @param exists - Whether there is such a function, version or alias
 * @param mayInvoke - Whether the role of a function may invoke another: who sets a destination must not make events run
 *   on functions that the function itself could not call
 */
export function createFunctionKind(
  scope: ArnScope,
  exists: (functionName: string, qualifier: string | undefined) => boolean,
  mayInvoke: MayInvoke
): DestinationKind {
  return {
    matches: (target) => /^arn:[^:]*:lambda:/.test(target),
    check(target, use) {
      const ref = referenceIn(target)
      if (ref === undefined || !exists(ref.name, ref.qualifier)) {
        throw new HearthError('INVALID_REQUEST', `The destination ARN ${target} is invalid.`)
      }
      if (ref.name === use.functionName) {
        throw new HearthError('INVALID_REQUEST', "You can't specify the function as a destination for itself.")
      }
      const { role } = use
      if (role !== undefined && !mayInvoke({ ...use, role }, ref)) throw notPermitted(target, use.purpose)
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

/** In AWS's words. Its dead letters go to queues and topics, of which it says it with the service's name. */
function notPermitted(target: string, purpose: DestinationUse['purpose']): HearthError {
  return new HearthError(
    'INVALID_REQUEST',
    purpose === 'DeadLetter'
      ? 'The provided execution role does not have permissions to call InvokeFunction on LAMBDA'
      : `The function's execution role does not have permissions to call InvokeFunction on ${target}`
  )
}
