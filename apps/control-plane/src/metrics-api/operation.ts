import type { ArnScope } from '@hearth/shared'
import type { MetricStore } from '@hearth/store'
import type { z } from 'zod'
import type { JsonCaller, JsonTarget, PreparedJsonCall } from '../json-protocol/operation.ts'
import { checkParameters } from '../query/constraints.ts'

/** What operations of CloudWatch work with. */
export interface MonitoringDeps {
  readonly metrics: MetricStore
  readonly scope: ArnScope
  readonly now: () => Date
}

/** One operation of CloudWatch: the same for its three protocols. */
export interface MonitoringOperation {
  /** AWS's name; `cloudwatch:<name>` is the action that the caller must be allowed. */
  readonly name: string
  /** What of it is otherwise than on AWS: a sentence without the last full stop. */
  readonly note?: string
  /** Checks the members. @throws HearthError VALIDATION_FAILED */
  prepare(members: Readonly<Record<string, unknown>>, caller: JsonCaller, deps: MonitoringDeps): PreparedJsonCall
}

/**
 * @param definition.input - Made of the types in values.ts, which read what any of the protocols brings
 * @param definition.target - ARNs or `*`, with condition keys
 * @param definition.run - The answer's members: times as `Date`, numbers, texts, lists and structures; undefined: none
 */
export function monitoringOperation<Input extends z.ZodType>(definition: {
  readonly name: string
  readonly note?: string
  readonly input: Input
  readonly target: (input: z.output<Input>, deps: MonitoringDeps) => string | JsonTarget | readonly JsonTarget[]
  readonly run: (
    input: z.output<Input>,
    deps: MonitoringDeps,
    caller: JsonCaller
  ) => object | undefined | Promise<object | undefined>
}): MonitoringOperation {
  const { name, note, input: schema, target, run } = definition
  return {
    name,
    ...(note === undefined ? {} : { note }),
    prepare(members, caller, deps) {
      const input = checkParameters(schema, members)
      const found = target(input, deps)
      return {
        targets: typeof found === 'string' ? [{ resource: found }] : [found].flat(),
        run: async () => (await run(input, deps, caller)) ?? {}
      }
    }
  }
}
