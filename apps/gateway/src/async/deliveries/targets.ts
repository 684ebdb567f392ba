/** Deliveries to one target at once. */
const PER_TARGET = 4
/** Targets that failed and are remembered. */
const REMEMBERED = 10_000

interface Target {
  running: number
  /** In a row. */
  failures: number
  /** Until when nothing is sent there, Unix time in ms. */
  pausedUntil: number
}

/** What is known of the places that outcomes are sent to. */
export class Targets {
  readonly #targets = new Map<string, Target>()

  /** Those that get nothing now. */
  busy(now: number): string[] {
    const busy: string[] = []
    for (const [name, { running, pausedUntil }] of this.#targets) {
      if (running >= PER_TARGET || pausedUntil > now) busy.push(name)
    }
    return busy
  }

  /** When the first of those that are paused may be tried again. */
  nextFreeAt(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { pausedUntil } of this.#targets.values()) {
      if (pausedUntil > now && pausedUntil < next) next = pausedUntil
    }
    return next
  }

  failures(name: string): number {
    return this.#targets.get(name)?.failures ?? 0
  }

  begin(name: string): void {
    const target = this.#targets.get(name)
    if (target === undefined) this.#targets.set(name, { running: 1, failures: 0, pausedUntil: 0 })
    else target.running += 1
  }

  /** @param pauseMs - 0: it works */
  end(name: string, now: number, pauseMs: number): void {
    const target = this.#targets.get(name)!
    target.running -= 1
    if (pauseMs === 0) {
      target.failures = 0
      target.pausedUntil = 0
    } else if (target.pausedUntil <= now) {
      // Others that were under way to it fail with it: that is one failure.
      target.failures += 1
      target.pausedUntil = now + pauseMs
    }
    if (target.running === 0 && (target.failures === 0 || this.#targets.size > REMEMBERED)) this.#targets.delete(name)
  }
}
