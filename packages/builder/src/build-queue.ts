import { HearthError } from '@hearth/shared'

/** Builds that may wait for their turn. */
const WAITING = 8

/**
 * Lets `parallel` builds run at once, and a few wait.
 *
 * @returns runs `work` when it is its turn
 */
export function createBuildQueue(parallel: number) {
  let running = 0
  const waiting: (() => void)[] = []

  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.splice(waiting.indexOf(start), 1)
        reject(signal.reason as Error)
      }
      waiting.push(start)
      signal.addEventListener('abort', leave, { once: true })
    })

  /** @throws HearthError CAPACITY_EXHAUSTED; the signal's reason */
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    if (running >= parallel) {
      if (waiting.length >= WAITING) {
        throw new HearthError('CAPACITY_EXHAUSTED', 'Too many builds are running and waiting. Try again in a while.')
      }
      // Whoever ends hands its place over: nobody comes in between.
      await turn(signal)
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
