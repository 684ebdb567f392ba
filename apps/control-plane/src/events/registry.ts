import { BUS_OPERATIONS } from './bus-operations.ts'
import { RULE_OPERATIONS } from './rule-operations.ts'
import { TARGET_OPERATIONS } from './target-operations.ts'

/** EventBridge as AWS's clients know it. PutEvents is the gateway's. */
export const EVENTS = {
  name: 'events',
  target: 'AWSEvents',
  operations: [...BUS_OPERATIONS, ...RULE_OPERATIONS, ...TARGET_OPERATIONS]
} as const
