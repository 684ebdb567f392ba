import type { ConcurrencyStats } from '@hearth/executor'
import type { KeptVersion } from '../concurrency.ts'
import type { MinuteMetrics } from './minute-metrics.ts'
import type { Dimensions } from './minute-table.ts'

/**
 * Notes what runs now, for CloudWatch's metrics of concurrency. Where nothing runs, nothing is noted.
 *
 * @param kept - Versions with provisioned concurrency, under the names by which they have it
 */
export function sampleConcurrency(
  minutes: MinuteMetrics,
  { limit, inUse, unreserved, reserved, provisioned }: ConcurrencyStats,
  kept: readonly Pick<KeptVersion, 'functionName' | 'qualifier' | 'version'>[]
): void {
  const ofReserved = reserved.reduce((sum, one) => sum + one.inUse, 0)
  if (inUse > 0) {
    minutes.sample('ConcurrentExecutions', inUse)
    minutes.sample('UnreservedConcurrentExecutions', inUse - ofReserved)
    // What is set aside counts whether it is used or not.
    minutes.sample('ClaimedAccountConcurrency', limit - unreserved + inUse - ofReserved)
  }
  for (const { functionName, version, requested, inUse: busy } of provisioned) {
    if (busy === 0) continue
    const own = ['FunctionName', functionName] as const
    const sets: Dimensions[] = [[own]]
    for (const one of kept) {
      if (one.functionName !== functionName || one.version !== version) continue
      const as = ['Resource', `${functionName}:${one.qualifier}`] as const
      sets.push([own, as])
      if (one.qualifier !== version) sets.push([['ExecutedVersion', version], own, as])
    }
    for (const dimensions of sets) {
      minutes.sample('ProvisionedConcurrentExecutions', busy, dimensions)
      minutes.sample('ProvisionedConcurrencyUtilization', busy / Math.max(1, requested), dimensions)
    }
  }
}
