import { HearthError, type Principal } from '@hearth/shared'
import type { z } from 'zod'
import { valueAt } from '../http/constraint-words.ts'
import { checkParameters } from '../query/constraints.ts'
import type { RequestContext } from '../query/operation.ts'

/** Who calls, and what else he may. */
export interface JsonCaller {
  readonly principal: Principal
  readonly requestId: string
  /** @throws HearthError ACCESS_DENIED */
  require(action: string, resource: string, context?: RequestContext): void
}

/** What a call is about, and the condition keys that it brings along. */
export interface JsonTarget {
  /** ARN, or `*`. */
  readonly resource: string
  readonly context?: RequestContext
  /** Default: the operation's own. */
  readonly action?: string
}

/** A call whose members have the right form. Nothing has been done yet. */
export interface PreparedJsonCall {
  /** Each of them must be allowed. */
  readonly targets: readonly JsonTarget[]
  /** @returns members of the answer; undefined: the answer has no body */
  run(): object | undefined | Promise<object | undefined>
}

/** One operation of a service that speaks AWS's JSON protocol. */
export interface JsonOperation<Deps> {
  /** AWS's name; `<service>:<name>` is the action that the caller must be allowed. */
  readonly name: string
  /** What of it is otherwise than on AWS: a sentence without the last full stop. */
  readonly note?: string
  /** Checks the members. @throws HearthError VALIDATION_FAILED, INVALID_PAYLOAD */
  prepare(members: Readonly<Record<string, unknown>>, caller: JsonCaller, deps: Deps): PreparedJsonCall
}

export interface JsonOperationDefinition<Deps, Input extends z.ZodType> {
  readonly name: string
  readonly note?: string
  readonly input: Input
  /** A string is the resource. */
  readonly target: (input: z.output<Input>, deps: Deps) => string | JsonTarget | readonly JsonTarget[]
  /** @returns undefined: the answer has no members */
  readonly run: (
    input: z.output<Input>,
    deps: Deps,
    caller: JsonCaller
  ) => object | undefined | Promise<object | undefined>
}

/** @throws HearthError VALIDATION_FAILED, INVALID_PAYLOAD */
type CheckMembers = <Schema extends z.ZodType>(
  schema: Schema,
  members: Readonly<Record<string, unknown>>
) => z.output<Schema>

/** @param check - How the service says what is wrong with members */
export function defineJsonOperation<Deps, Input extends z.ZodType>(
  { input: schema, target, run, ...described }: JsonOperationDefinition<Deps, Input>,
  check: CheckMembers = checkMembers
): JsonOperation<Deps> {
  return {
    ...described,
    prepare(members, caller, deps) {
      const input = check(schema, members)
      const found = target(input, deps)
      return {
        targets: typeof found === 'string' ? [{ resource: found }] : [found].flat(),
        run: () => run(input, deps, caller)
      }
    }
  }
}

/**
 * Checks members against the API model. No message repeats a value: it may be a secret.
 *
 * @throws HearthError INVALID_PAYLOAD for a value of another type, VALIDATION_FAILED for what breaks a constraint
 */
function checkMembers<Schema extends z.ZodType>(
  schema: Schema,
  members: Readonly<Record<string, unknown>>
): z.output<Schema> {
  const parsed = schema.safeParse(members)
  if (parsed.success) return parsed.data
  const other = parsed.error.issues.find(
    ({ code, path }) =>
      code === 'invalid_type' && valueAt(members, path) !== undefined && valueAt(members, path) !== null
  )
  if (other === undefined) return checkParameters(schema, members)
  throw new HearthError(
    'INVALID_PAYLOAD',
    `The member ${other.path.join('.')} has another type than the API model says.`
  )
}
