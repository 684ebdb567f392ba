import type { Destination, EventInvokeConfig } from '@hearth/shared'
import { DEFAULT_LIMITS, type RetryLimits } from './retry-rules.ts'

/** How events of one version or alias are tried again, and where their outcome goes. */
export interface EventRules {
  readonly limits: RetryLimits
  readonly onSuccess: Destination | undefined
  readonly onFailure: Destination | undefined
}

const DEFAULT_RULES: EventRules = { limits: DEFAULT_LIMITS, onSuccess: undefined, onFailure: undefined }

/** @param config - Undefined: nothing is configured; a version and an alias have nothing from `$LATEST` */
export function eventRulesOf(config: EventInvokeConfig | undefined): EventRules {
  if (config === undefined) return DEFAULT_RULES
  const { maxRetries, maxAgeS, onSuccess, onFailure } = config
  return {
    limits: { maxRetries: maxRetries ?? DEFAULT_LIMITS.maxRetries, maxAgeS: maxAgeS ?? DEFAULT_LIMITS.maxAgeS },
    onSuccess,
    onFailure
  }
}
