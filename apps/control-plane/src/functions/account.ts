import { statfsSync } from 'node:fs'
import { LIMITS } from '@hearth/shared'
import type { UsageRepository } from '@hearth/store'

/** What this server can hold, and holds. Sizes in bytes. */
export interface AccountSettings {
  readonly limit: {
    /** What packages take now, and what the disk has room for besides. */
    readonly codeBytes: number
    readonly unzippedBytes: number
    readonly zipBytes: number
    /** Events in flight at once. */
    readonly concurrency: number
    /** What of it no function has reserved, or had provisioned without a reservation. */
    readonly unreservedConcurrency: number
  }
  readonly usage: { readonly codeBytes: number; readonly functions: number }
}

/**
 * @param dataDir - Where packages are kept: its file system is the limit.
 * @param concurrency - Events in flight at once, over all functions, as the gateway is told.
 */
export function createAccount(
  usage: UsageRepository,
  dataDir: string,
  concurrency: number,
  unreserved: () => number
): () => AccountSettings {
  return () => {
    const { functions, codeBytes } = usage.read()
    const { bavail, bsize } = statfsSync(dataDir)
    return {
      limit: {
        codeBytes: codeBytes + bavail * bsize,
        unzippedBytes: LIMITS.unzippedBytes,
        zipBytes: LIMITS.zipBytes,
        concurrency,
        unreservedConcurrency: unreserved()
      },
      usage: { codeBytes, functions }
    }
  }
}
