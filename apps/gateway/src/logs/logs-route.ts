import { once, setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArnScope, HearthError } from '@hearth/shared'
import { isBefore, type LogEvent, type LogPosition, type LogReader, type LogWriter } from '@hearth/store'
import type { Hallway } from '../hallway.ts'
import { findFunction } from '../invoke.ts'
import type { ServerRoute } from '../server-routes.ts'
import { type FunctionLog, newestEvents, sendEvents } from './function-log.ts'
import { parseCursor, parseLogQuery } from './log-query.ts'
import {
  LOG_STREAM_TIMES,
  type LogGapReason,
  type LogStream,
  type LogStreamTimes,
  openLogStream
} from './log-stream.ts'

/** Followers at once; each looks into files when there is something new. */
const FOLLOWERS = 64
/** Time between two looks of one follower: many lines come with one. */
const ROUND_MS = 100
/** Events written at once to a connection. */
const PIECE = 500

export interface LogsRoute {
  readonly route: ServerRoute
  /** Ends all who follow: the server stops. */
  stop(): void
}

/**
 * `GET /v1/functions/{name}/logs`: the function's events, newest last, as NDJSON or, where the caller accepts
 * `text/event-stream`, as server-sent events, which can be taken up again with `Last-Event-ID`. With `follow=true` it
 * goes on with what comes.
 */
export function createLogsRoute(
  hallway: Hallway,
  scope: ArnScope,
  logs: LogWriter,
  reader: LogReader,
  onGap: (reason: LogGapReason) => void,
  times: LogStreamTimes = LOG_STREAM_TIMES
): LogsRoute {
  const stopping = new AbortController()
  setMaxListeners(FOLLOWERS, stopping.signal)
  let followers = 0

  function sendSome(
    log: FunctionLog,
    after: LogPosition | undefined,
    stream: LogStream,
    isOver: () => boolean
  ): Promise<LogPosition> {
    const send = async (events: readonly LogEvent[]): Promise<boolean> => {
      await stream.events(events)
      return !isOver()
    }
    return sendEvents(reader, log, after, send, (loss) => {
      if (!isOver()) stream.gap(loss)
    })
  }

  async function follow(log: FunctionLog, from: LogPosition | undefined, stream: LogStream): Promise<void> {
    let position = from
    let isNews = true
    let wake = (): void => undefined
    const unfollow = logs.follow(log.group, () => {
      isNews = true
      wake()
    })
    const stop = (): void => {
      wake()
    }
    stopping.signal.addEventListener('abort', stop)
    stream.onEnd(stop)
    const isOver = (): boolean => stream.isOver || stopping.signal.aborted
    try {
      while (!isOver()) {
        if (isNews) {
          isNews = false
          position = await sendSome(log, position, stream, isOver)
          await delay(ROUND_MS)
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      unfollow()
      stopping.signal.removeEventListener('abort', stop)
      stream.end()
    }
  }

  const route: ServerRoute = async (req, res, name) => {
    const { entry } = findFunction(hallway.directory, scope, name, undefined)
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const request = parseLogQuery(new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)), Date.now())
    const log: FunctionLog = { group: entry.record.logging.logGroup, functionName: entry.record.name, request }
    const isServerSent = acceptsEvents(req)
    // What was logged before the question belongs to the answer.
    await logs.flush(log.group)
    const end = await reader.end(log.group)
    const cursor = cursorOf(req, end)
    if (request.follow && followers >= FOLLOWERS) {
      throw new HearthError('CAPACITY_EXHAUSTED', `${FOLLOWERS} logs are followed already.`)
    }
    followers += Number(request.follow)
    try {
      const isFromStart = cursor === undefined && request.limit === undefined
      const events = isFromStart || cursor !== undefined ? [] : await newestEvents(reader, log, end)
      const stream = openLogStream(res, isServerSent, times, onGap)
      for (let i = 0; i < events.length && !stream.isOver; i += PIECE) await stream.events(events.slice(i, i + PIECE))
      if (request.follow) await follow(log, cursor ?? (isFromStart ? undefined : end), stream)
      else if (cursor !== undefined) await sendSome(log, cursor, stream, () => stream.isOver)
      stream.end()
      if (!res.writableFinished && !res.destroyed) await once(res, 'close')
    } catch (err) {
      // Too late for an answer that says so.
      if (res.headersSent) res.destroy()
      throw err
    } finally {
      followers -= Number(request.follow)
    }
  }
  return {
    route,
    stop() {
      stopping.abort()
    }
  }
}

function acceptsEvents(req: IncomingMessage): boolean {
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(req.headers.accept ?? '')
}

/** @throws HearthError INVALID_REQUEST when it is no place in this log */
function cursorOf(req: IncomingMessage, end: LogPosition): LogPosition | undefined {
  const text = req.headers['last-event-id']
  if (text === undefined || text === '') return undefined
  const cursor = parseCursor(String(text))
  if (!isBefore(cursor, end)) throw new HearthError('INVALID_REQUEST', 'Last-Event-ID: it is of another log')
  return cursor
}
