import { METRIC_OPERATIONS } from './metric-operations.ts'
import type { MonitoringOperation } from './operation.ts'

/** CloudWatch as AWS's clients know it; each operation is bound to all protocols. */
export const MONITORING = {
  /** What its requests are signed for. */
  name: 'monitoring',
  /** The prefix of its actions in policies. */
  actions: 'cloudwatch',
  target: 'GraniteServiceVersion20100801',
  version: '2010-08-01',
  xmlns: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
  operations: [...METRIC_OPERATIONS] satisfies readonly MonitoringOperation[]
} as const
