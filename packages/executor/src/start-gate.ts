/**
 * Lets only so many instances start at once, in order of asking and fairly between functions: starting costs CPU,
 * and more starts at a time than CPUs finish later, not sooner. Meanwhile waiting events may find a free instance,
 * and a start that is no longer needed is never made.
 */
export interface StartGate {
  /**
   * Asks for one start. `start` is called when there is room; it returns undefined if it is no longer needed, or a
   * promise that settles when it is over.
   */
  request(start: () => Promise<void> | undefined): void
}

/** @param width - Starts at a time */
export function createStartGate(width: number): StartGate {
  const waiting: (() => Promise<void> | undefined)[] = []
  let running = 0
  const pump = () => {
    while (running < width) {
      const start = waiting.shift()
      if (start === undefined) return
      const started = start()
      if (started === undefined) continue
      running++
      void started.finally(() => {
        running--
        pump()
      })
    }
  }
  return {
    request(start) {
      waiting.push(start)
      pump()
    }
  }
}
