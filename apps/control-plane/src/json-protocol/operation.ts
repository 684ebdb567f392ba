import type { Wish } from '@hearth/shared'
import type { z } from 'zod'
import { checkParameters } from '../query/constraints.ts'

/** A call whose members have the right form. Nothing has been done yet. */
export interface PreparedJsonCall {
  /** What the caller must be allowed. */
  readonly wishes: readonly Wish[]
  run(): object
}

/** One operation of a service that speaks AWS's JSON protocol. */
export interface JsonOperation<Deps> {
  readonly name: string
  /** What of it is otherwise than on AWS: sentences without the last full stop. */
  readonly note?: string
  /** @throws HearthError VALIDATION_FAILED */
  prepare(members: Readonly<Record<string, unknown>>, deps: Deps): PreparedJsonCall
}

export interface JsonOperationDefinition<Deps, Input extends z.ZodType> {
  readonly name: string
  readonly note?: string
  readonly input: Input
  readonly wishes: (input: z.output<Input>, deps: Deps) => readonly Wish[]
  readonly run: (input: z.output<Input>, deps: Deps) => object | undefined
}

/** An operation that is checked against its model, then allowed, then run. */
export function defineJsonOperation<Deps, Input extends z.ZodType>({
  name,
  note,
  input: schema,
  wishes,
  run
}: JsonOperationDefinition<Deps, Input>): JsonOperation<Deps> {
  return {
    name,
    ...(note === undefined ? {} : { note }),
    prepare(members, deps) {
      const input = checkParameters(schema, members)
      return { wishes: wishes(input, deps), run: () => run(input, deps) ?? {} }
    }
  }
}
