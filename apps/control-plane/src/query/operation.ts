import type { Principal } from '@hearth/shared'
import type { z } from 'zod'
import type { XmlValue } from './xml.ts'

/** Who calls, and from where. */
export interface QueryCaller {
  readonly principal: Principal
  readonly requestId: string
}

/** Condition keys that a call brings along, such as `iam:PolicyARN`. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>

/** Members of an answer's Result element in their order. */
export type QueryResult = { readonly [name: string]: XmlValue }

/** One operation of a service that speaks AWS's query protocol. */
export interface QueryOperation<Deps> {
  /** AWS's name; `<service>:<name>` is the action that the caller must be allowed. */
  readonly name: string
  /** What of it is otherwise than on AWS: sentences without the last full stop. */
  readonly note?: string
  /** Checks the parameters. @throws HearthError VALIDATION_FAILED */
  prepare(members: Readonly<Record<string, unknown>>, caller: QueryCaller, deps: Deps): PreparedCall
}

/** A call whose parameters have the right form. Nothing has been done yet. */
export interface PreparedCall {
  /** ARN of what it is about, or `*`: what the caller must be allowed the action on. */
  readonly resource: string
  readonly context: RequestContext
  /** @returns undefined: the answer has no Result element */
  run(): QueryResult | undefined
}

export interface OperationDefinition<Deps, Input extends z.ZodType> {
  readonly name: string
  readonly note?: string
  readonly input: Input
  readonly resource: (input: z.output<Input>, deps: Deps, caller: QueryCaller) => string
  readonly context?: (input: z.output<Input>, deps: Deps) => RequestContext
  readonly run: (input: z.output<Input>, deps: Deps, caller: QueryCaller) => QueryResult | undefined
}

/** @param check - Checks parameters against a schema, in AWS's words. */
export function defineOperation<Deps, Input extends z.ZodType>(
  check: (schema: Input, members: Readonly<Record<string, unknown>>) => z.output<Input>,
  { name, note, input: schema, resource, context, run }: OperationDefinition<Deps, Input>
): QueryOperation<Deps> {
  return {
    name,
    ...(note === undefined ? {} : { note }),
    prepare(members, caller, deps) {
      const input = check(schema, members)
      return {
        resource: resource(input, deps, caller),
        context: context?.(input, deps) ?? {},
        run: () => run(input, deps, caller)
      }
    }
  }
}
