import type { ReleaseCounts, ReleasePlan, ReleaseStep } from '@hearth/shared'

/** The share of calls that may be slower than the bound of a 99th percentile. */
const ABOVE_P99 = 0.01

/**
 * Whether the new version breaks a bound in this step. A bound counts as broken as soon as it could not be met any
 * more with {@link ReleasePlan.minInvocations} calls, so that one failure of one call decides nothing, and a version
 * that fails all its calls is not waited for.
 *
 * @returns the reason, or undefined
 */
export function breachOf(plan: ReleasePlan, counts: ReleaseCounts): string | undefined {
  const { invocations, errors, slow } = counts
  const calls = Math.max(invocations, plan.minInvocations)
  if (errors > plan.maxErrorRatio * calls) {
    return `${errors} of ${invocations} calls of version ${plan.toVersion} failed; at most ${percent(plan.maxErrorRatio)} may.`
  }
  if (plan.maxP99Ms !== undefined && slow > ABOVE_P99 * calls) {
    return `${slow} of ${invocations} calls of version ${plan.toVersion} took longer than ${plan.maxP99Ms} ms, which the 99th percentile may be.`
  }
  return undefined
}

/** @returns what the step still waits for, or undefined when it is over */
export function waitsFor(
  plan: ReleasePlan,
  step: ReleaseStep,
  counts: ReleaseCounts,
  elapsedMs: number
): string | undefined {
  const leftMs = step.durationS * 1_000 - elapsedMs
  if (leftMs > 0) return `${Math.ceil(leftMs / 1_000)} s`
  const missing = plan.minInvocations - counts.invocations
  return missing > 0 ? `${missing} more calls of version ${plan.toVersion}` : undefined
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 10_000) / 100} %`
}
