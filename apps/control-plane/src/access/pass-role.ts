import { contextKeys, type Wish } from '@hearth/shared'

const PASSED_TO_LAMBDA = contextKeys({ 'iam:PassedToService': 'lambda.amazonaws.com' })

/** Whoever gives a function a role hands the role's rights on. @see reference: IAM §3 */
export function passRole(roleArn: string): Wish {
  return { action: 'iam:PassRole', resource: roleArn, keys: PASSED_TO_LAMBDA }
}
