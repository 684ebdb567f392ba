import type { FunctionUsageDay, UsageKey } from '@hearth/shared'

/** What was counted since the batch before. A batch that was asked for once more is added once. */
export interface UsageBatch {
  /** Of the process that counts: another one at every start. */
  readonly process: string
  /** Counts up by one. */
  readonly sequence: number
  readonly keys: readonly (UsageKey & { readonly day: number })[]
  /** Of each key, all of MEASURES. */
  readonly values: Float64Array
  /** In place of those that are kept; undefined: they stay. */
  readonly blocks: readonly ProvisionedBlock[] | undefined
}

/** Five minutes of provisioned concurrency that were paid at their beginning. */
export interface ProvisionedBlock {
  readonly functionName: string
  readonly qualifier: string
  /** Unix time in ms. */
  readonly startedAt: number
  /** Instances times their memory. */
  readonly chargedMiB: number
}

/** What functions used, by day. Each method resolves when it is on disk. @throws QueueUnavailableError */
export interface FunctionUsageCounts {
  add(batch: UsageBatch): Promise<void>
  /** All of one day. */
  day(day: number): Promise<readonly FunctionUsageDay[]>
  blocks(): Promise<readonly ProvisionedBlock[]>
  /** Forgets the days before. @returns how many rows, at most `limit` */
  prune(before: number, limit: number): Promise<number>
}

export type FunctionUsageOperation =
  | { readonly kind: 'add-function-usage'; readonly batch: UsageBatch }
  | { readonly kind: 'day-of-function-usage'; readonly day: number }
  | { readonly kind: 'provisioned-blocks' }
  | { readonly kind: 'prune-function-usage'; readonly before: number; readonly limit: number }
