import type { Configuration } from './model.ts'
import type { LambdaApiDeps } from './operation.ts'

/** @throws HearthError when dead letters of the function could not be sent to where they are to go */
export function checkDeadLetters(
  { DeadLetterConfig }: Pick<Configuration, 'DeadLetterConfig'>,
  functionName: string,
  { checkDestination }: LambdaApiDeps
): void {
  const target = DeadLetterConfig?.TargetArn
  if (target !== undefined && target !== null && target !== '') {
    checkDestination(target, { functionName, purpose: 'DeadLetter' })
  }
}
