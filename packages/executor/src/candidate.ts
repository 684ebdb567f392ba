import type { InitResult } from './init-result.ts'
import type { Instance } from './instance.ts'

/** A started but not yet initialised instance, with what its start cost. */
export interface Candidate {
  readonly instance: Instance
  /** From asking for a sandbox to having one. */
  readonly sandboxMs: number
  readonly logStream: string
  initialize(limitMs: number): Promise<InitResult>
}
