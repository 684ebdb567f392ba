import type { ConcurrencyStats } from '@hearth/executor'
import type { MinuteMetrics } from './minute-metrics.ts'

/**
 * Notes what runs now, for CloudWatch's metrics of concurrency. Where nothing runs, nothing is noted.
 *
 * @param spilled - Counts as last seen, by function and version; kept by the caller
 */
export function sampleConcurrency(
  minutes: MinuteMetrics,
  { limit, inUse, unreserved, reserved, provisioned }: ConcurrencyStats,
  spilled: Map<string, number>
): void {
  const ofReserved = reserved.reduce((sum, one) => sum + one.inUse, 0)
  if (inUse > 0) {
    minutes.sample('ConcurrentExecutions', inUse)
    minutes.sample('UnreservedConcurrentExecutions', inUse - ofReserved)
    // What is set aside counts whether it is used or not.
    minutes.sample('ClaimedAccountConcurrency', limit - unreserved + inUse - ofReserved)
  }
  for (const { functionName, version, requested, inUse: busy, spilled: count } of provisioned) {
    const resource = `${functionName}:${version}`
    const sets = [[], ['FunctionName', functionName], ['FunctionName', functionName, 'Resource', resource]]
    if (busy > 0) {
      for (const dimensions of sets.slice(1)) {
        minutes.sample('ProvisionedConcurrentExecutions', busy, ...dimensions)
        minutes.sample('ProvisionedConcurrencyUtilization', busy / Math.max(1, requested), ...dimensions)
      }
    }
    const more = count - (spilled.get(resource) ?? 0)
    spilled.set(resource, count)
    if (more <= 0) continue
    for (const dimensions of sets) minutes.add('ProvisionedConcurrencySpilloverInvocations', more, ...dimensions)
  }
}
