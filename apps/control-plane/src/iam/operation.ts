import type { z } from 'zod'
import type { Access } from '../access/access.ts'
import { checkParameters } from '../query/constraints.ts'
import { defineOperation, type OperationDefinition, type QueryOperation } from '../query/operation.ts'

export type IamOperation = QueryOperation<Access>

/** One operation of IAM: checked against its model, then run. */
export function iamOperation<Input extends z.ZodType>(definition: OperationDefinition<Access, Input>): IamOperation {
  return defineOperation<Access, Input>(checkParameters, definition)
}
