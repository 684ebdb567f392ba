import type { Outcome } from '@hearth/executor'
import { type ArnScope, functionArn, HearthError, parseFunctionRef } from '@hearth/shared'
import type { Directory, Entry } from './directory.ts'

/**
 * The function that a caller names, in any form that AWS accepts.
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
  const asked = ref.qualifier
  const entry = asked === undefined || asked === '$LATEST' ? directory.find(ref.name) : undefined
  if (entry === undefined) {
    const arn = functionArn(scope, ref.name, asked ?? '$LATEST')
    throw new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${arn}`)
  }
  if (entry.record.state === 'Failed') {
    throw new HearthError(
      'UPDATE_IN_PROGRESS',
      'The operation cannot be performed at this time. The function is currently in the following state: Failed'
    )
  }
  return { entry, invokedArn: asked === undefined ? entry.arn : entry.latestArn }
}

/** The error behind an invocation that never reached the function. */
export function refusalOf(outcome: Outcome): HearthError {
  if (outcome.status === 'throttled') {
    return new HearthError('CAPACITY_EXHAUSTED', 'Rate Exceeded.', { reason: 'ConcurrentInvocationLimitExceeded' })
  }
  return new HearthError(
    'SANDBOX_UNAVAILABLE',
    'No sandbox could be had to run this function; the server log says why.'
  )
}
