import type { ServerResponse } from 'node:http'
import type { LogEvent, LogLoss, LogPosition } from '@hearth/store'

/** In milliseconds. */
export interface LogStreamTimes {
  /** How often a stream of events says that it is alive. */
  readonly heartbeatMs: number
  /** How long a reader may take nothing of what was sent before it is given up. */
  readonly stalledMs: number
  /** What one that was given up gets to take the end. */
  readonly lingerMs: number
}

export const LOG_STREAM_TIMES: LogStreamTimes = { heartbeatMs: 15_000, stalledMs: 15_000, lingerMs: 1_000 }

/** `removed`: before they were read. `slow`: the reader took nothing for too long. */
export type LogGapReason = 'removed' | 'slow'

/** Where a function's events are sent: lines, or server-sent events. */
export interface LogStream {
  /** Resolves when there is room for more. */
  events(events: readonly LogEvent[]): Promise<void>
  /** Events are gone that it has not been sent. */
  gap(loss: LogLoss): void
  end(): void
  /** Calls `listener` when nobody reads any more. */
  onEnd(listener: () => void): void
  /** Whether nobody reads any more. */
  readonly isOver: boolean
}

/** @param onGap - Told why lines are missing, when they are */
export function openLogStream(
  res: ServerResponse,
  isServerSent: boolean,
  times: LogStreamTimes,
  onGap: (reason: LogGapReason) => void
): LogStream {
  const contentType = isServerSent ? 'text/event-stream' : 'application/x-ndjson'
  res.writeHead(200, ['content-type', contentType, 'cache-control', 'no-store', 'x-accel-buffering', 'no'])
  res.flushHeaders()
  const heartbeat = setInterval(() => {
    if (isServerSent && !res.writableNeedDrain) res.write(':\n\n')
  }, times.heartbeatMs)
  heartbeat.unref()
  res.once('close', () => {
    clearInterval(heartbeat)
  })
  const encode = isServerSent
    ? (event: LogEvent): string => `id: ${idOf(event.position)}\ndata: ${toJson(event)}\n\n`
    : (event: LogEvent): string => `${toJson(event)}\n`

  function sendGap(reason: LogGapReason, message: string, fields: Record<string, unknown>): void {
    onGap(reason)
    const gap = { reason, ...fields }
    res.write(isServerSent ? `event: gap\ndata: ${JSON.stringify(gap)}\n\n` : `${gapLine(message, gap)}\n`)
  }

  return {
    get isOver() {
      return res.destroyed || res.writableEnded
    },
    async events(events) {
      if (events.length === 0 || this.isOver || res.write(events.map(encode).join(''))) return
      if ((await drained(res, times.stalledMs)) || res.destroyed) return
      sendGap('slow', 'Log lines are missing from here on: they were not taken.', {
        resume: 'what was not taken follows the last id'
      })
      res.end()
      setTimeout(() => res.destroy(), times.lingerMs).unref()
    },
    gap({ after, until, bytes }) {
      sendGap('removed', `Log lines are missing here: ${bytes} bytes were removed before they were read.`, {
        ...(after === undefined ? {} : { after: idOf(after) }),
        until: idOf(until),
        bytes
      })
    },
    onEnd(listener) {
      res.once('close', listener)
    },
    end() {
      if (!this.isOver) res.end()
    }
  }
}

/** A gap where only lines are read: one of them, which names it. */
function gapLine(msg: string, gap: object): string {
  return JSON.stringify({ t: new Date().toISOString(), stream: '', requestId: '', level: 'WARN', msg, gap })
}

/** One event as JSON: `t`, `stream`, `requestId`, `level`, `msg`. */
function toJson({ at, stream, requestId, level, message }: LogEvent): string {
  return JSON.stringify({ t: new Date(at).toISOString(), stream, requestId, level, msg: message })
}

function idOf({ segment, offset }: LogPosition): string {
  return `${segment}:${offset}`
}

/** @returns false when the reader took too long */
function drained(res: ServerResponse, stalledMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (inTime: boolean): void => {
      clearTimeout(timer)
      res.off('drain', onDrain)
      res.off('close', onDrain)
      resolve(inTime)
    }
    const onDrain = (): void => {
      settle(true)
    }
    const timer = setTimeout(() => {
      settle(false)
    }, stalledMs)
    res.once('drain', onDrain)
    res.once('close', onDrain)
  })
}
