import { type FunctionRef, parseFunctionRef } from '@hearth/shared'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

/**
 * The function that a call names in its path, and `Qualifier`.
 *
 * @throws HearthError VALIDATION_FAILED, FUNCTION_NOT_FOUND, ACCESS_DENIED, INVALID_REQUEST
 */
export function targetOf(call: OperationCall, deps: LambdaApiDeps): FunctionRef {
  const qualifier = call.query['Qualifier']
  return parseFunctionRef(
    deps.scope,
    call.params['name'] ?? '',
    typeof qualifier === 'string' && qualifier !== '' ? qualifier : undefined
  )
}
