import path from 'node:path'
import { GroupFiles } from './group-files.ts'
import { folderOfGroup, listGroupFolders } from './group-folders.ts'
import { LineFormat } from './line-format.ts'
import { LogSpace } from './log-space.ts'
import type { LogCut } from './types.ts'
import { WaitingLines } from './waiting-lines.ts'

export interface LogWriterOptions {
  /** Absolute; made when the first line is written. */
  readonly logsDir: string
  /** Bytes kept per group on disk. */
  readonly groupBytes: number
  /** Bytes kept of all groups together; the oldest segments of the largest group go first. Default: any number. */
  readonly totalBytes?: number
  /** Text of one file. Default 16 MiB, or a quarter of `groupBytes` where that is less. */
  readonly segmentBytes?: number
  /** Age at which a file is complete. Default: an hour. */
  readonly segmentMs?: number
  /** Days that groups are kept for which nothing else is said; undefined: for ever. */
  readonly retentionDays?: number | undefined
  /** Lines waiting for the disk, per group and in all. */
  readonly groupBufferBytes?: number
  readonly bufferBytes?: number
  readonly flushMs?: number
  /** How often old files are looked for. */
  readonly sweepMs?: number
  /** Told at most once per `warnEveryMs` that the disk failed. */
  readonly onDiskError?: (err: unknown, group: string) => void
  readonly warnEveryMs?: number
  readonly now?: () => number
}

/** Counts since start, for the metrics, and what is on disk now. */
export interface LogCounts {
  /** Written, as text. */
  readonly storedBytes: number
  readonly droppedLines: number
  /** Of their texts, about. */
  readonly droppedBytes: number
  /** On disk, of all groups. */
  readonly storeBytes: number
}

/** An event from outside. */
export interface NewLogEvent {
  /** Unix time in ms, years 1 to 9999. */
  readonly at: number
  readonly message: string
}

/** What is said of groups elsewhere. */
export interface LogRetention {
  /** Days, by group. */
  readonly retention: ReadonlyMap<string, number>
  /** What was removed of groups, or of streams; files that have nothing else go. */
  readonly removals: readonly (LogCut & { readonly group: string })[]
}

/** What the writer must know of a function. */
interface Source {
  readonly name: string
  readonly logGroup: string
}

/** Events from outside are refused: more of them wait for the disk than may. */
export class LogWriterBusyError extends Error {
  override readonly name = 'LogWriterBusyError'
}

export interface LogWriter {
  /**
   * Called on the hot path: only buffers.
   *
   * @param at - Unix time in ms
   * @param requestId - '' outside of an invocation
   */
  write(source: Source, stream: string, at: number, requestId: string, level: string, text: string): void
  /**
   * Adds events from outside, as they are. Resolves when they are on disk for good.
   *
   * @throws RangeError when the name is no group's
   * @throws LogWriterBusyError when too much waits already
   * @throws Error what the disk says
   */
  put(group: string, stream: string, events: readonly NewLogEvent[]): Promise<void>
  /** Resolves when all that was written to the group before the call is in its files, or was given up. */
  flush(group: string): Promise<void>
  /** Calls `listener` after each time that something of the group has reached its files. @returns how to stop that */
  follow(group: string, listener: () => void): () => void
  /** From now on. Resolves when the files of what was removed are gone. */
  retain(settings: LogRetention): Promise<void>
  /** Finds old files, ends and removes them, now instead of later. */
  sweep(): Promise<void>
  counts(): LogCounts
  /** Writes what is left, then gives the files back. Lines that come later are dropped. */
  close(): Promise<void>
}

const FLUSH_BYTES = 65_536
/** Groups whose files are open at once. */
const OPEN_FILES = 128
/** Groups written at once: libuv has four threads, and others need them too. */
const WRITERS = 3
/** What a group may have waiting when all of them together have too much: a flood of some is no loss of others. */
const QUIET_SHARE = 32
const QUIET_BYTES = 16_384
const DAY_MS = 86_400_000

/**
 * Keeps functions' lines, and events from outside: NDJSON files per log group, one object per line with
 * `{t, stream, requestId, level, msg}`. Writing to it only buffers; the disk is touched in the background, and a disk
 * that is slow or full costs lines, never invocations: what does not fit is dropped, counted and named by one line.
 */
export function createLogWriter(options: LogWriterOptions): LogWriter {
  const now = options.now ?? Date.now
  const flushMs = options.flushMs ?? 100
  const groupBufferBytes = options.groupBufferBytes ?? 1_048_576
  const bufferBytes = options.bufferBytes ?? 33_554_432
  const quietBytes = Math.min(QUIET_BYTES, bufferBytes / QUIET_SHARE)
  const warnEveryMs = options.warnEveryMs ?? 60_000
  const limits = {
    groupBytes: options.groupBytes,
    segmentBytes: options.segmentBytes ?? Math.min(16 * 1_048_576, Math.ceil(options.groupBytes / 4)),
    segmentMs: options.segmentMs ?? 3_600_000
  }
  const groups = new Map<string, WaitingLines>()
  /** Whose file is open, the least recently written first. */
  const open = new Set<WaitingLines>()
  const queue: WaitingLines[] = []
  const format = new LineFormat(now)
  const space = new LogSpace(() => groups.values(), options.totalBytes ?? Number.POSITIVE_INFINITY, warn)
  let bufferedBytes = 0
  let waitingBytes = 0
  let writing = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let storedBytes = 0
  let droppedLines = 0
  let droppedBytes = 0
  let warnedAt = -Infinity
  let settings: LogRetention = { retention: new Map(), removals: [] }
  let last: WaitingLines | undefined
  const found = findGroups()
  const sweeper = setInterval(() => void sweep(), options.sweepMs ?? 60_000)
  sweeper.unref()

  function waitingOf(group: string): WaitingLines {
    if (last?.group === group) return last
    let waiting = groups.get(group)
    if (waiting === undefined) {
      const dir = path.join(options.logsDir, folderOfGroup(group))
      const files = new GroupFiles(dir, limits, now, (bytes) => {
        space.change(bytes)
      })
      waiting = new WaitingLines(group, files)
      groups.set(group, waiting)
    }
    last = waiting
    return waiting
  }

  function write(
    { name, logGroup }: Source,
    stream: string,
    at: number,
    requestId: string,
    level: string,
    text: string
  ) {
    if (closed) return
    const waiting = waitingOf(logGroup)
    const before = waiting.bytes
    if (before >= groupBufferBytes || (bufferedBytes >= bufferBytes && before >= quietBytes)) {
      waiting.drop(stream)
      droppedLines++
      droppedBytes += text.length
      timer ??= setTimeout(flushAll, flushMs)
      return
    }
    waiting.append(format.ofFunction(waiting.owner === name ? '' : name, stream, at, requestId, level, text))
    bufferedBytes += waiting.bytes - before
    if (waiting.bytes >= FLUSH_BYTES) enqueue(waiting)
    else timer ??= setTimeout(flushAll, flushMs)
  }

  async function put(group: string, stream: string, events: readonly NewLogEvent[]): Promise<void> {
    if (closed) throw new LogWriterBusyError('the log writer is closed')
    const waiting = waitingOf(group)
    const name = JSON.stringify(stream)
    const lines = Buffer.from(events.map(({ at, message }) => format.ofEvent(name, at, message)).join(''))
    if (waitingBytes + lines.length > bufferBytes) throw new LogWriterBusyError('too many events wait for the disk')
    waitingBytes += lines.length
    try {
      await new Promise<void>((resolve, reject) => {
        waiting.put({ lines, resolve, reject })
        enqueue(waiting)
      })
    } finally {
      waitingBytes -= lines.length
    }
  }

  function flushAll(): void {
    timer = undefined
    for (const waiting of groups.values()) if (waiting.hasLines) enqueue(waiting)
  }

  function enqueue(waiting: WaitingLines): void {
    if (waiting.isBusy) return
    waiting.isBusy = true
    queue.push(waiting)
    pump()
  }

  function pump(): void {
    while (writing < WRITERS) {
      const waiting = queue.shift()
      if (waiting === undefined) return
      writing++
      void writeBatch(waiting).finally(() => {
        writing--
        waiting.isBusy = false
        if (waiting.hasWork) enqueue(waiting)
        else pump()
      })
    }
  }

  /** One batch at a time and then to the end of the queue, so that a noisy function cannot keep a writer to itself. */
  async function writeBatch(waiting: WaitingLines): Promise<void> {
    const { files } = waiting
    bufferedBytes -= waiting.bytes
    const batch = waiting.take((dropped, stream) => format.ofLoss(dropped, stream))
    const { bytes, lines, puts, chores, waiters } = batch
    try {
      if (bytes.length > 0 || puts.length > 0) {
        const all = puts.length === 0 ? bytes : Buffer.concat([bytes, ...puts.map((events) => events.lines)])
        await space.makeRoom(all.length)
        await files.append(all, puts.length > 0)
        storedBytes += all.length
        for (const events of puts) events.resolve()
      }
    } catch (err) {
      waiting.lose(batch)
      droppedLines += lines
      droppedBytes += lines === 0 ? 0 : bytes.length
      for (const events of puts) events.reject(err)
      await files.close().catch(() => undefined)
      warn(err, waiting.group)
    }
    waiting.release(batch)
    // What describes the lines takes room too.
    if (space.isOverfull) chores.push(() => space.makeRoom(0))
    for (const chore of chores) {
      await chore().catch((err: unknown) => {
        warn(err, waiting.group)
      })
    }
    open.delete(waiting)
    if (files.isOpen) open.add(waiting)
    if (open.size > OPEN_FILES) await closeLeastRecent()
    for (const resolve of waiters) resolve()
    for (const listener of waiting.listeners) listener()
    if (files.isCompressible) void space.compress()
  }

  /** What is done with a group's files is done one after the other. */
  function onFiles(waiting: WaitingLines, chore: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      waiting.addChore(() => chore().finally(resolve))
      enqueue(waiting)
    })
  }

  /** Finds what is there from before, to be bounded and compressed with the rest. */
  async function findGroups(): Promise<void> {
    try {
      for (const { group } of await listGroupFolders(options.logsDir)) {
        if (closed) return
        const waiting = waitingOf(group)
        await onFiles(waiting, () => waiting.files.load())
      }
    } catch (err) {
      warn(err, '')
    }
  }

  async function sweep(): Promise<void> {
    await found
    for (const waiting of [...groups.values()]) {
      if (closed) return
      const { files, group } = waiting
      const days = settings.retention.get(group) ?? options.retentionDays
      const until = days === undefined ? Number.NEGATIVE_INFINITY : now() - days * DAY_MS
      if (!files.isDue(until)) continue
      await onFiles(waiting, async () => {
        await files.removeUntil(until)
        await files.turnOver()
      })
    }
    await space.makeRoom(0).catch((err: unknown) => {
      warn(err, '')
    })
    await space.compress()
  }

  async function retain(next: LogRetention): Promise<void> {
    settings = next
    await found
    for (const { group, stream, at } of next.removals) {
      const waiting = groups.get(group)
      if (closed || stream !== '' || waiting === undefined) continue
      await onFiles(waiting, () => waiting.files.removeGroup(at))
    }
  }

  async function closeLeastRecent(): Promise<void> {
    for (const waiting of open) {
      if (waiting.isBusy || waiting.hasLines) continue
      open.delete(waiting)
      waiting.shrink()
      await waiting.files.close().catch(() => undefined)
      return
    }
  }

  function warn(err: unknown, group: string): void {
    const at = now()
    if (at - warnedAt < warnEveryMs) return
    warnedAt = at
    options.onDiskError?.(err, group)
  }

  async function flush(group: string): Promise<void> {
    const waiting = groups.get(group)
    if (waiting === undefined || (!waiting.isBusy && !waiting.hasLines)) return
    await new Promise<void>((resolve) => {
      waiting.addWaiter(resolve)
      enqueue(waiting)
    })
  }

  return {
    write,
    put,
    flush,
    follow(group, listener) {
      const { listeners } = waitingOf(group)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    retain,
    sweep,
    counts: () => ({ storedBytes, droppedLines, droppedBytes, storeBytes: space.bytes }),
    async close() {
      closed = true
      clearTimeout(timer)
      clearInterval(sweeper)
      timer = undefined
      const compressed = space.close()
      await found
      const all = [...groups.values()]
      await Promise.all(all.map(({ group }) => flush(group)))
      await compressed
      await Promise.all(all.map(({ files }) => files.close().catch(() => undefined)))
    }
  }
}
