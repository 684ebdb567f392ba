import { accessKeyOperations } from './access-key-operations.ts'
import type { IamOperation } from './operation.ts'
import { policyOperations } from './policy-operations.ts'
import { policyVersionOperations } from './policy-version-operations.ts'
import { principalOperations } from './principal-operations.ts'
import { roleOperations } from './role-operations.ts'
import { simulateOperations } from './simulate-operations.ts'
import { userOperations } from './user-operations.ts'

/** IAM as AWS's clients know it. One more operation is one more entry in one of these lists. */
export const IAM = {
  name: 'iam',
  version: '2010-05-08',
  xmlns: 'https://iam.amazonaws.com/doc/2010-05-08/',
  operations: [
    ...roleOperations,
    ...principalOperations('Role'),
    ...policyOperations,
    ...policyVersionOperations,
    ...userOperations,
    ...principalOperations('User'),
    ...accessKeyOperations,
    ...simulateOperations
  ] satisfies readonly IamOperation[]
} as const
