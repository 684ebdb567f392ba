import type { Outcome } from '@hearth/executor'
import { type ArnScope, type FunctionRef, functionArn, HearthError, parseFunctionRef } from '@hearth/shared'
import type { Call } from './call.ts'
import type { Directory } from './directory.ts'
import type { Entry } from './function-routes.ts'
import { ROLE_NOT_ASSUMABLE } from './platform/role-passes.ts'

/**
 * The function that a call names, and the version that serves it, if the caller may invoke it. Who may not is told so
 * whether or not there is such a function.
 *
 * @throws HearthError ACCESS_DENIED, FUNCTION_NOT_FOUND and what parseFunctionRef throws
 */
export function enterFunction(
  call: Call,
  directory: Directory,
  scope: ArnScope,
  reference: string,
  qualifier: string | undefined
): { readonly entry: Entry; readonly invokedArn: string } {
  const { ref, entry } = requireInvoke(call, directory, scope, reference, qualifier)
  return requireUsable(scope, ref, entry)
}

/** As {@link enterFunction}, also where there is no such function. @throws HearthError ACCESS_DENIED */
export function requireInvoke(
  call: Call,
  directory: Directory,
  scope: ArnScope,
  reference: string,
  qualifier: string | undefined
): { readonly ref: FunctionRef; readonly entry: Entry | undefined } {
  const ref = parseFunctionRef(scope, reference, qualifier)
  const entry = directory.find(ref.name, ref.qualifier)
  const arn = entry?.invokedArn ?? functionArn(scope, ref.name, ref.qualifier)
  call.requireAccess('lambda:InvokeFunction', arn, entry?.policy)
  return { ref, entry }
}

/**
 * The function that a caller names, in any form that AWS accepts, and the version that serves this call.
 *
 * @throws HearthError FUNCTION_NOT_FOUND and what parseFunctionRef throws
 */
export function findFunction(
  directory: Directory,
  scope: ArnScope,
  reference: string,
  qualifier: string | undefined
): { readonly entry: Entry; readonly invokedArn: string } {
  const ref = parseFunctionRef(scope, reference, qualifier)
  return requireUsable(scope, ref, directory.find(ref.name, ref.qualifier))
}

function requireUsable(scope: ArnScope, ref: FunctionRef, entry: Entry | undefined) {
  if (entry === undefined) {
    const arn = functionArn(scope, ref.name, ref.qualifier ?? '$LATEST')
    throw new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${arn}`)
  }
  if (entry.record.state === 'Failed') {
    throw new HearthError(
      'UPDATE_IN_PROGRESS',
      'The operation cannot be performed at this time. The function is currently in the following state: Failed'
    )
  }
  return { entry, invokedArn: entry.invokedArn }
}

/** The qualifier of an ARN as invoked; undefined when none was given. */
export function qualifierOf(invokedArn: string): string | undefined {
  return invokedArn.split(':')[7]
}

/** A member of the query by its name; undefined when it is not there or empty. */
export function queryMember(url: string, name: string): string | undefined {
  const mark = url.indexOf('?')
  if (mark === -1) return undefined
  const value = new URLSearchParams(url.slice(mark + 1)).get(name)
  return value === null || value === '' ? undefined : value
}

/** The error behind an invocation that never reached the function. */
export function refusalOf(outcome: Outcome): HearthError {
  if (outcome.status === 'throttled') {
    const reason =
      outcome.errorType === 'function'
        ? 'ReservedFunctionConcurrentInvocationLimitExceeded'
        : 'ConcurrentInvocationLimitExceeded'
    return new HearthError('CAPACITY_EXHAUSTED', 'Rate Exceeded.', { reason })
  }
  return new HearthError(
    'SANDBOX_UNAVAILABLE',
    outcome.errorType === ROLE_NOT_ASSUMABLE
      ? ROLE_NOT_ASSUMABLE
      : 'No sandbox could be had to run this function; the server log says why.'
  )
}
