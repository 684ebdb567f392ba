import type { z } from 'zod'
import type { Access } from '../access/access.ts'
import { checkParameters } from '../query/constraints.ts'
import {
  defineOperation,
  type QueryCaller,
  type QueryOperation,
  type QueryResult,
  type RequestContext
} from '../query/operation.ts'

export type IamOperation = QueryOperation<Access>

/** One operation of IAM: checked against its model, then run. */
export function iamOperation<Input extends z.ZodType>(definition: {
  readonly name: string
  readonly note?: string
  readonly input: Input
  resource(input: z.output<Input>, access: Access, caller: QueryCaller): string
  context?(input: z.output<Input>, access: Access): RequestContext
  run(input: z.output<Input>, access: Access, caller: QueryCaller): QueryResult | undefined
}): IamOperation {
  return defineOperation<Access, Input>(checkParameters, definition)
}
