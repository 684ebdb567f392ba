import { type FunctionRef, parseFunctionRef } from '@hearth/shared'
import { checkModel } from './constraints.ts'
import { UnqualifiedFunctionName } from './model.ts'
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

/**
 * The name of the function that a call names in its path, where the model takes no version or alias.
 *
 * @throws HearthError VALIDATION_FAILED, FUNCTION_NOT_FOUND, ACCESS_DENIED, INVALID_REQUEST
 */
export function unqualifiedTargetOf(call: OperationCall, deps: LambdaApiDeps): string {
  const { FunctionName } = checkModel(UnqualifiedFunctionName, { FunctionName: call.params['name'] })
  return parseFunctionRef(deps.scope, FunctionName).name
}
