import { assumeRole } from './assume-role.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import type { StsOperation } from './operation.ts'

/** STS as AWS's clients know it. */
export const STS = {
  name: 'sts',
  version: '2011-06-15',
  xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/',
  operations: [assumeRole, getCallerIdentity] satisfies readonly StsOperation[]
} as const
