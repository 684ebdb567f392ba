import type { AccessKey, FunctionRecord } from '@hearth/shared'

/**
 * What the gateway reads: everything by key, and a way to know what changed. Opened read-only.
 */
export interface DirectoryReader {
  /** SQLite's `PRAGMA data_version`: another number means that another process has committed. Microseconds. */
  dataVersion(): number
  /** Names of functions, and whether keys, that changed after `seq`; `reset` when the trail does not reach back that far. */
  changesSince(seq: number): {
    readonly seq: number
    readonly functions: readonly string[]
    readonly keys: boolean
    readonly reset: boolean
  }
  findFunction(name: string): FunctionRecord | undefined
  listKeys(): readonly AccessKey[]
  close(): void
}
