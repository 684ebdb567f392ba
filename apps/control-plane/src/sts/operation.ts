import type { SessionTokens } from '@hearth/shared'
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

/** What operations work with. */
export interface StsDeps {
  readonly access: Access
  readonly sessions: Pick<SessionTokens, 'issue'>
}

export type StsOperation = QueryOperation<StsDeps>

/** One operation of STS: checked against its model, then run. */
export function stsOperation<Input extends z.ZodType>(definition: {
  readonly name: string
  readonly note?: string
  readonly input: Input
  resource(input: z.output<Input>, deps: StsDeps, caller: QueryCaller): string
  context?(input: z.output<Input>, deps: StsDeps): RequestContext
  run(input: z.output<Input>, deps: StsDeps, caller: QueryCaller): QueryResult
}): StsOperation {
  return defineOperation<StsDeps, Input>(checkParameters, definition)
}
