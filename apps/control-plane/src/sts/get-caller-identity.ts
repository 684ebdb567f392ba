import { z } from 'zod'
import { stsOperation } from './operation.ts'

/** Needs no permission, and cannot be denied. */
export const getCallerIdentity = stsOperation({
  name: 'GetCallerIdentity',
  input: z.object({}),
  resource: () => '*',
  run: (_input, _deps, { principal }) => ({
    Arn: principal.arn,
    UserId: principal.userId,
    Account: principal.accountId
  })
})
