import { ARCHIVE_OPERATIONS } from './archive-operations.ts'
import { BUS_OPERATIONS } from './bus-operations.ts'
import { REPLAY_OPERATIONS } from './replay-operations.ts'
import { RULE_OPERATIONS } from './rule-operations.ts'
import { TARGET_OPERATIONS } from './target-operations.ts'

/** EventBridge as AWS's clients know it. PutEvents is the gateway's. */
export const EVENTS = {
  name: 'events',
  target: 'AWSEvents',
  operations: [...BUS_OPERATIONS, ...RULE_OPERATIONS, ...TARGET_OPERATIONS, ...ARCHIVE_OPERATIONS, ...REPLAY_OPERATIONS]
} as const
