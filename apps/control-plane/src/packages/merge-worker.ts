import { ArchiveError } from './archive-plan.ts'
import { mergeTrees } from './merge-trees.ts'

export interface MergeTask {
  /** Absolute paths, in order. */
  readonly sources: readonly string[]
  /** Where the common tree goes. */
  readonly target: string
}

/** Runs in a worker thread. @returns why they cannot be merged, or undefined: errors don't keep their class between threads */
export default async function merge({ sources, target }: MergeTask): Promise<string | undefined> {
  try {
    await mergeTrees(sources, target)
    return undefined
  } catch (thrown) {
    if (thrown instanceof ArchiveError) return thrown.message
    throw thrown
  }
}
