/**
 * Lets only so many instances start at once, in turns between functions: starting costs CPU, and more starts at a
 * time than CPUs finish later, not sooner. Meanwhile waiting events may find a free instance, and a start that is no
 * longer needed is never made.
 */
export interface StartGate {
  /**
   * Asks for one start. `start` is called when there is room; it returns undefined if it is no longer needed, or a
   * promise that settles when it is over.
   *
   * @param who - Those who ask often wait for their own turns, not others for them
   */
  request(who: object, start: () => Promise<void> | undefined): void
}

type Start = () => Promise<void> | undefined

/** A start that takes longer waits rather than works: it may not keep others from theirs. */
const HOLD_MS = 500

/**
 * @param width - Starts at a time
 * @param holdMs - After which a start does not count any more
 */
export function createStartGate(width: number, holdMs = HOLD_MS): StartGate {
  /** In the order of their turns. */
  const waiting = new Map<object, Start[]>()
  let running = 0

  function next(): Start | undefined {
    const turn = waiting.entries().next()
    if (turn.done === true) return undefined
    const [who, starts] = turn.value
    const start = starts.shift()
    waiting.delete(who)
    if (starts.length > 0) waiting.set(who, starts)
    return start
  }

  function pump(): void {
    while (running < width) {
      const start = next()
      if (start === undefined) return
      const started = start()
      if (started !== undefined) hold(started)
    }
  }

  function hold(started: Promise<void>): void {
    running++
    let held = true
    const release = (): void => {
      if (!held) return
      held = false
      clearTimeout(timer)
      running--
      pump()
    }
    const timer = setTimeout(release, holdMs)
    timer.unref()
    void started.finally(release)
  }

  return {
    request(who, start) {
      const starts = waiting.get(who)
      if (starts === undefined) waiting.set(who, [start])
      else starts.push(start)
      pump()
    }
  }
}
