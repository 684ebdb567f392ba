export interface WorkLoopOptions {
  /** Some work, bounded. @returns whether there is more now */
  readonly turn: (signal: AbortSignal) => Promise<boolean>
  /** It is tried again after a pause. */
  readonly onError: (err: unknown) => void
  /** First and longest pause after an error, in ms. */
  readonly pauseMs?: number
  readonly longestPauseMs?: number
}

export interface WorkLoop {
  /** There may be something to do. */
  wake(): void
  /** Begins nothing new, and resolves when what is under way is over. */
  stop(): Promise<void>
}

/** An error that says when it makes sense to try again. */
export class LaterError extends Error {
  /** In ms. */
  readonly afterMs: number

  constructor(message: string, afterMs: number, options?: ErrorOptions) {
    super(message, options)
    this.afterMs = afterMs
  }
}

const PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/** Does work turn by turn, one at a time, with room for others between; after errors it waits for longer and longer. */
export function startWorkLoop({
  turn,
  onError,
  pauseMs = PAUSE_MS,
  longestPauseMs = LONGEST_PAUSE_MS
}: WorkLoopOptions): WorkLoop {
  const abort = new AbortController()
  let running: Promise<void> | undefined
  let isWanted = false
  let pause = pauseMs
  let timer: NodeJS.Timeout | undefined

  function run(): void {
    if (running !== undefined || timer !== undefined || abort.signal.aborted) return
    isWanted = false
    running = step().finally(() => {
      running = undefined
      if (isWanted) setImmediate(run)
    })
  }

  async function step(): Promise<void> {
    try {
      if (await turn(abort.signal)) isWanted = true
      pause = pauseMs
    } catch (err) {
      if (abort.signal.aborted) return
      onError(err)
      const afterMs = err instanceof LaterError ? err.afterMs : 0
      timer = setTimeout(
        () => {
          timer = undefined
          run()
        },
        Math.max(afterMs, pause * (0.5 + Math.random() / 2))
      )
      timer.unref()
      pause = Math.min(pause * 2, longestPauseMs)
    }
  }

  return {
    wake() {
      isWanted = true
      run()
    },
    async stop() {
      abort.abort()
      clearTimeout(timer)
      await running
    }
  }
}
