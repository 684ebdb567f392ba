import { type FunctionRef, HearthError, parseFunctionRef } from '@hearth/shared'
import { LATEST } from '@hearth/store'
import { checkModel, clause, validationFailed } from './constraints.ts'
import { UnqualifiedFunctionName } from './model.ts'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

/**
 * The function that a call names in its path, and `Qualifier`.
 *
 * @throws HearthError VALIDATION_FAILED, FUNCTION_NOT_FOUND, ACCESS_DENIED, INVALID_REQUEST
 */
export function targetOf(call: OperationCall, deps: Pick<LambdaApiDeps, 'scope'>): FunctionRef {
  const qualifier = call.query['Qualifier']
  return parseFunctionRef(
    deps.scope,
    call.params['name'] ?? '',
    typeof qualifier === 'string' && qualifier !== '' ? qualifier : undefined
  )
}

/**
 * Name of the function, for operations on the function itself: they take no version and no alias.
 *
 * @throws HearthError as {@link targetOf}
 */
export function functionTargetOf(call: OperationCall, deps: LambdaApiDeps): string {
  const { name, qualifier } = targetOf(call, deps)
  if (qualifier === undefined || qualifier === LATEST) return name
  throw new HearthError(
    'INVALID_REQUEST',
    `This operation is on a function, not on its version or alias ${qualifier}: published versions never change. Name the function without a qualifier.`
  )
}

/**
 * Name of the function, where AWS says in these words that it takes no version and no alias.
 *
 * @throws HearthError as {@link targetOf}
 */
export function wholeFunctionTargetOf(call: OperationCall, deps: Pick<LambdaApiDeps, 'scope'>): string {
  const { name, qualifier } = targetOf({ ...call, query: {} }, deps)
  if (qualifier === undefined) return name
  throw new HearthError(
    'INVALID_REQUEST',
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.'
  )
}

/**
 * The version or alias that a call is about.
 *
 * @throws HearthError as {@link targetOf}; VALIDATION_FAILED when there is none
 */
export function qualifiedTargetOf(
  call: OperationCall,
  deps: LambdaApiDeps
): FunctionRef & { readonly qualifier: string } {
  const { name, qualifier } = targetOf(call, deps)
  if (qualifier !== undefined) return { name, qualifier }
  throw validationFailed([clause(undefined, ['qualifier'], 'Member must not be null')])
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
