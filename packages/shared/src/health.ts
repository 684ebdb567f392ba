/** One thing that must be so for a program to do its work. */
export interface Check {
  readonly ok: boolean
  /** What is missing, for whoever looks: nothing of this machine or of what is deployed. */
  readonly detail?: string | undefined
}

export interface Health {
  /** `degraded`: it does its work, and something beside it is missing. */
  readonly status: 'ready' | 'degraded' | 'not ready'
  readonly checks: Readonly<Record<string, Check>>
}

export interface Readiness {
  /** Records how a check stands now. */
  set(name: string, check: Check): void
  report(): Health
  /** Whether all checks have passed at one time, all that need not be so included. Stays so. */
  readonly isStarted: boolean
}

export interface ReadinessOptions {
  /** Checks that must pass; until they are set they have not. */
  readonly required: readonly string[]
  /** Checks without which the work goes on. */
  readonly advisory?: readonly string[]
}

export function createReadiness({ required, advisory = [] }: ReadinessOptions): Readiness {
  const checks = new Map<string, Check>(
    [...required, ...advisory].map((name) => [name, { ok: false, detail: 'starting' }])
  )
  let isStarted = false
  return {
    set(name, check) {
      checks.set(name, check)
      isStarted ||= [...checks.values()].every(({ ok }) => ok)
    },
    report() {
      const failed = [...checks].filter(([, { ok }]) => !ok)
      const isReady = failed.every(([name]) => advisory.includes(name))
      const status = failed.length === 0 ? 'ready' : isReady ? 'degraded' : 'not ready'
      return { status, checks: Object.fromEntries(checks) }
    },
    get isStarted() {
      return isStarted
    }
  }
}
