/** One thing that must be so for an invocation to be served. */
export interface Check {
  readonly ok: boolean
  /** What is missing, for whoever looks. */
  readonly detail?: string
}

export interface Health {
  readonly status: 'ready' | 'not ready'
  readonly checks: Readonly<Record<string, Check>>
}

export interface Readiness {
  /** Records how a check stands now. */
  set(name: string, check: Check): void
  /** Ready means that an invocation would be served. */
  report(): Health
}

/** @param names - Checks that must pass; until they are set they have not. */
export function createReadiness(names: readonly string[]): Readiness {
  const checks = new Map<string, Check>(names.map((name) => [name, { ok: false, detail: 'starting' }]))
  return {
    set(name, check) {
      checks.set(name, check)
    },
    report() {
      const ready = [...checks.values()].every((check) => check.ok)
      return { status: ready ? 'ready' : 'not ready', checks: Object.fromEntries(checks) }
    }
  }
}
