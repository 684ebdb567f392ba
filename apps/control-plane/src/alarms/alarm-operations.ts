import type { MonitoringOperation } from '../metrics-api/operation.ts'
import { CHANGE_OPERATIONS } from './change-operations.ts'
import { PUT_OPERATIONS } from './put-operations.ts'
import { READ_OPERATIONS } from './read-operations.ts'

/** CloudWatch's operations on alarms. */
export const ALARM_OPERATIONS: readonly MonitoringOperation[] = [
  ...PUT_OPERATIONS,
  ...READ_OPERATIONS,
  ...CHANGE_OPERATIONS
]
