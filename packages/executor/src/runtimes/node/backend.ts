import type { Channel } from './channel.ts'
import type { Handler } from './handler-loader.ts'
import type { Answer, FunctionFacts } from './invocation.ts'
import type { Logger, LogOutput } from './logger.ts'

/** Bytes in the outbox from which log lines are sent without waiting for anything. */
export const LOG_BYTES = 65_536
/** From this age of an event on, its lines are sent at once: it may be stuck in a loop and never get to send them. */
export const LOG_PATIENCE_MS = 1

/** Everything that serving events needs besides the handler. */
export interface Surroundings {
  readonly channel: Channel
  readonly facts: FunctionFacts
  /** Sets _X_AMZN_TRACE_ID. */
  readonly trace: (traceId: string) => void
  /** Notes outside of this process that event `seq` is being started. */
  readonly progress: (seq: number) => void
  /** The gateway has closed the channel. */
  readonly ended: () => void
}

/** A way of serving events. */
export interface Backend {
  /** Serves until the gateway closes the channel. */
  serve(handler: Handler, logger: Logger): void
  /** The event at hand. */
  readonly requestId: () => string | undefined
  /** Sends a log event in its place among the answers. */
  readonly log: LogOutput
  /** The event loop has nothing left to do. */
  loopIsEmpty(): void
  /**
   * The process is about to end because of an error: tells the events that it belongs to, also those whose answer is
   * not final.
   * @param log - Logs the error; called while those events are open
   */
  fail(answer: Answer, log: () => void): void
  /** Sends what is ready and gives back what has not begun. */
  leave(): void
}
