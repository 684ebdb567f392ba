/**
 * What one instance may take of the log output that its function's instances have together. Without it a function
 * floods as many times as it has instances, and all of the host's CPU goes into its log.
 */
export interface OutputShare {
  /** @param bytes - Just read. @returns for how many ms to stop reading; 0 to go on */
  spend(bytes: number): number
}

/** One function's log output. */
export interface FunctionOutput {
  /** A share for one more instance. */
  share(): OutputShare
}

/** The log output of all functions, each bounded by itself; a function's versions are bounded together. */
export interface Outputs {
  /** One more version of the function may get instances. */
  enter(functionName: string): void
  /** One does not any more. */
  leave(functionName: string): void
  /** For one more instance of a function that was entered. */
  share(functionName: string): OutputShare
}

/** Bytes that may come at once after a quiet time, in seconds' worth of the rate. */
const BURST_SECONDS = 2
/** What an instance may say at once even while others of its function flood, in bytes. */
const AT_ONCE_BYTES = 65_536
/** Its answers wait as long, too. */
const MAX_PAUSE_MS = 4_000
/** Stopping for less costs more than it saves. */
export const MIN_PAUSE_MS = 20
/** Who has said nothing for so long gets no part. */
const TALKING_MS = 1_000

/**
 * While the function says no more than `bytesPerSecond`, nobody waits. Above it the rate is divided evenly by those
 * instances that talk: one that logs a line now and then is never stopped by another's flood.
 *
 * @param bytesPerSecond - Of all instances together
 * @param now - Monotonic, in ms
 */
export function createFunctionOutput(bytesPerSecond: number, now: () => number): FunctionOutput {
  const capacity = bytesPerSecond * BURST_SECONDS
  let tokens = capacity
  let refilledAt = now()
  // Those that talked in the period before, and in this one.
  let period = 0
  let talkedBefore = 0
  let talking = 0

  let isDivided = false

  /** @returns whether more was said than may be, of late: who comes first must not get all that is left */
  function isOver(bytes: number): boolean {
    tokens -= bytes
    if (tokens >= 0 && !isDivided) return false
    const at = now()
    tokens = Math.max(-capacity, Math.min(capacity, tokens + ((at - refilledAt) / 1_000) * bytesPerSecond))
    refilledAt = at
    isDivided = tokens < (isDivided ? capacity / 4 : 0)
    return isDivided
  }

  return {
    share() {
      let own = AT_ONCE_BYTES
      let ownAt = refilledAt
      let ownPeriod = Number.NaN
      return {
        spend(bytes) {
          if (!isOver(bytes)) return 0
          const current = Math.floor(refilledAt / TALKING_MS)
          if (current !== period) {
            talkedBefore = current === period + 1 ? talking : 0
            talking = 0
            period = current
          }
          if (ownPeriod !== current) {
            ownPeriod = current
            talking++
          }
          const rate = bytesPerSecond / Math.max(talking, talkedBefore)
          own = Math.min(AT_ONCE_BYTES, own + ((refilledAt - ownAt) / 1_000) * rate) - bytes
          ownAt = refilledAt
          return own >= 0 ? 0 : Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, (-own / rate) * 1_000))
        }
      }
    }
  }
}

export function createOutputs(bytesPerSecond: number, now: () => number): Outputs {
  const functions = new Map<string, { readonly output: FunctionOutput; versions: number }>()
  return {
    enter(functionName) {
      const known = functions.get(functionName)
      if (known === undefined) {
        functions.set(functionName, { output: createFunctionOutput(bytesPerSecond, now), versions: 1 })
      } else known.versions++
    },
    leave(functionName) {
      const known = functions.get(functionName)!
      known.versions--
      if (known.versions === 0) functions.delete(functionName)
    },
    share: (functionName) => functions.get(functionName)!.output.share()
  }
}
