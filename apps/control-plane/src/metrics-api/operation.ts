import type { ArnScope } from '@hearth/shared'
import type { MetricStore } from '@hearth/store'
import type { z } from 'zod'
import type { AlarmService } from '../alarms/alarm-service.ts'
import { defineJsonOperation, type JsonOperation, type JsonOperationDefinition } from '../json-protocol/operation.ts'
import { checkParameters } from '../query/constraints.ts'

/** What operations of CloudWatch work with. */
export interface MonitoringDeps {
  readonly metrics: MetricStore
  readonly alarms: AlarmService
  readonly scope: ArnScope
  readonly now: () => Date
}

/** One operation of CloudWatch, the same for its three protocols; `cloudwatch:<name>` is the action that it needs. */
export type MonitoringOperation = JsonOperation<MonitoringDeps>

/**
 * @param definition.input - Made of the types in values.ts, which read what any of the protocols brings
 * @param definition.target - ARNs or `*`, with condition keys
 * @param definition.run - The answer's members: times as `Date`, numbers, texts, lists and structures; undefined: none
 */
export function monitoringOperation<Input extends z.ZodType>(
  definition: JsonOperationDefinition<MonitoringDeps, Input>
): MonitoringOperation {
  return defineJsonOperation(definition, checkParameters)
}
