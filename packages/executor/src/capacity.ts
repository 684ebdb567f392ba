import type { MemoryWatch } from './memory-watch.ts'

/** Something that starts instances: the instances of one function version. */
export interface Grower {
  /** When its longest idle instance was last used, in `performance.now()` ms; infinite when none may be ended. */
  readonly oldestIdleSince: number
  /** Ends that instance. @returns memory that will be free, in bytes */
  evictOldest(): number
  /** What one more instance is likely to use, in bytes. */
  readonly usualBytes: number
  /** How many it may start now, by its function's rate. */
  readonly rate: ScalingRate
  /** There may be room again. @returns whether it still has a use for it */
  resume(): boolean
}

export interface CapacityOptions {
  /** Instances that may exist at once. */
  readonly maxInstances: number
  readonly memory: MemoryWatch
  readonly growers: () => Iterable<Grower>
  /** Memory is short, and no instance is idle. */
  readonly onShort: () => void
}

/** Decides whether one more instance may be started, and makes room for it. */
export interface Capacity {
  /**
   * Room for one instance, made by ending the one that was idle for longest, whichever function it is of.
   *
   * @returns false when there is none; {@link Grower.resume} is called when there may be
   */
  reserve(grower: Grower): boolean
  /** Room for one that takes the place of one that is ending. */
  takeOver(): void
  /** An instance is gone, or was not made after all. */
  release(): void
  /** An instance has become idle, so somebody may have its place. Cheap when nobody waits. */
  freed(): void
  /** Ends idle instances while memory is short, and lets those try again who found no room. */
  tend(): void
  forget(grower: Grower): void
  readonly instances: number
}

export function createCapacity({ maxInstances, memory, growers, onShort }: CapacityOptions): Capacity {
  let instances = 0
  /** Those that found no room, in turns. */
  const refused = new Set<Grower>()

  /** @returns memory that will be free; undefined when no instance is idle */
  function evictOldest(): number | undefined {
    let oldest: Grower | undefined
    let since = Number.POSITIVE_INFINITY
    for (const grower of growers()) {
      if (grower.oldestIdleSince >= since) continue
      oldest = grower
      since = grower.oldestIdleSince
    }
    return oldest?.evictOldest()
  }

  function makeRoom(bytes: number): boolean {
    if (instances >= maxInstances) {
      const freed = evictOldest()
      if (freed === undefined) return false
      memory.reckon(-freed)
    }
    while (memory.isShortFor(bytes)) {
      const freed = evictOldest()
      if (freed === undefined) return false
      memory.reckon(-freed)
    }
    return true
  }

  function resumeRefused(atMost: number): void {
    let left = atMost
    for (const grower of [...refused]) {
      refused.delete(grower)
      if (grower.resume() && --left === 0) return
    }
  }

  return {
    reserve(grower) {
      const bytes = grower.usualBytes
      if (!grower.rate.allows(performance.now()) || !makeRoom(bytes)) {
        refused.add(grower)
        return false
      }
      grower.rate.use()
      memory.reckon(bytes)
      instances++
      return true
    },
    takeOver() {
      instances++
    },
    release() {
      instances--
      if (refused.size > 0) resumeRefused(1)
    },
    freed() {
      if (refused.size > 0) resumeRefused(1)
    },
    tend() {
      while (memory.missing > 0) {
        const freed = evictOldest()
        if (freed === undefined) {
          onShort()
          break
        }
        memory.reckon(-freed)
      }
      // Also those whose rate was too high: nothing else tells when it is not any more.
      if (refused.size > 0) resumeRefused(Number.POSITIVE_INFINITY)
    },
    forget(grower) {
      refused.delete(grower)
    },
    get instances() {
      return instances
    }
  }
}

/** How fast one function may get instances: so many in ten seconds, and at once after a quiet time. */
export interface ScalingRate {
  /** @param now - `performance.now()` ms */
  allows(now: number): boolean
  use(): void
}

const PERIOD_MS = 10_000

/** @param burst - Instances in ten seconds */
export function createScalingRate(burst: number): ScalingRate {
  let left = burst
  let at = 0
  return {
    allows(now) {
      left = Math.min(burst, left + ((now - at) * burst) / PERIOD_MS)
      at = now
      return left >= 1
    },
    use() {
      left--
    }
  }
}
