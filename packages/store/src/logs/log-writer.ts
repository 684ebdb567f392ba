import path from 'node:path'
import { GroupFiles } from './group-files.ts'
import { folderOfGroup, listGroupFolders } from './group-folders.ts'
import { LineBuffer } from './line-buffer.ts'
import { isoTime, ownerOf, SAME_TIME_MS } from './lines.ts'
import type { LogCut } from './types.ts'

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
/** A longer line of a function is cut. */
const LINE_CHARS = 262_144
/** Groups whose files are open at once. */
const OPEN_FILES = 128
/** Groups written at once: libuv has four threads, and others need them too. */
const WRITERS = 3
/** What a group may have waiting when all of them together have too much: a flood of some is no loss of others. */
const QUIET_SHARE = 32
const QUIET_BYTES = 16_384
const DAY_MS = 86_400_000
/** Of a time alone. */
const STAMP_CHARS = 24

/** Events from outside that wait for the disk. */
interface Waiting {
  readonly lines: Buffer
  readonly resolve: () => void
  readonly reject: (err: unknown) => void
}

/** What waits for the disk for one group. */
interface Pending {
  readonly group: string
  /** The function whose own group it is, or ''. */
  readonly owner: string
  readonly files: GroupFiles
  text: LineBuffer
  lines: number
  dropped: number
  /** Whose line was dropped last. */
  droppedStream: string
  puts: Waiting[]
  /** Queued for, or in, a write. */
  busy: boolean
  /** Work on the files other than writing lines. */
  chores: (() => Promise<void>)[]
  waiters: (() => void)[]
  listeners: Set<() => void> | undefined
}

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
  const totalBytes = options.totalBytes ?? Number.POSITIVE_INFINITY
  const limits = {
    groupBytes: options.groupBytes,
    segmentBytes: options.segmentBytes ?? Math.min(16 * 1_048_576, Math.ceil(options.groupBytes / 4)),
    segmentMs: options.segmentMs ?? 3_600_000
  }
  const groups = new Map<string, Pending>()
  /** Whose file is open, the least recently written first. */
  const open = new Set<Pending>()
  const queue: Pending[] = []
  let bufferedBytes = 0
  let waitingBytes = 0
  let writing = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let storedBytes = 0
  let droppedLines = 0
  let droppedBytes = 0
  let storeBytes = 0
  let warnedAt = -Infinity
  let compressing: Promise<void> | undefined
  let settings: LogRetention = { retention: new Map(), removals: [] }
  // Many lines share a millisecond, and formatting a date costs more than the rest of the line.
  let stampedAt = Number.NaN
  let stamp = ''
  let last: Pending | undefined
  const found = findGroups()
  const sweeper = setInterval(() => void sweep(), options.sweepMs ?? 60_000)
  sweeper.unref()

  function pendingOf(group: string): Pending {
    if (last?.group === group) return last
    let pending = groups.get(group)
    if (pending === undefined) {
      const dir = path.join(options.logsDir, folderOfGroup(group))
      const files = new GroupFiles(dir, limits, now, (bytes) => {
        storeBytes += bytes
      })
      pending = {
        group,
        owner: ownerOf(group),
        files,
        text: new LineBuffer(),
        lines: 0,
        dropped: 0,
        droppedStream: '',
        puts: [],
        busy: false,
        chores: [],
        waiters: [],
        listeners: undefined
      }
      groups.set(group, pending)
    }
    last = pending
    return pending
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
    const pending = pendingOf(logGroup)
    const waiting = pending.text.length
    if (waiting >= groupBufferBytes || (bufferedBytes >= bufferBytes && waiting >= quietBytes)) {
      pending.dropped++
      pending.droppedStream = stream
      droppedLines++
      droppedBytes += text.length
      timer ??= setTimeout(flushAll, flushMs)
      return
    }
    if (at !== stampedAt) {
      stamp = stampOf(at, SAME_TIME_MS)
      // With the time at which it was taken it is this line's alone.
      stampedAt = stamp.length === STAMP_CHARS ? at : Number.NaN
    }
    const kept = text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)}… [cut: ${text.length} characters]` : text
    const owner = pending.owner === name ? '' : `,"function":"${name}"`
    // Only the text can hold what JSON must escape: the rest is the platform's own.
    const line = `{"t":"${stamp}","stream":"${stream}","requestId":"${requestId}","level":"${level}"${owner},"msg":${JSON.stringify(kept)}}\n`
    pending.text.append(line)
    pending.lines++
    bufferedBytes += pending.text.length - waiting
    if (pending.text.length >= FLUSH_BYTES) enqueue(pending)
    else timer ??= setTimeout(flushAll, flushMs)
  }

  /**
   * The time of an event and, where it differs, that at which it was taken: up to the stream of a line.
   *
   * @param sameMs - Times that differ by less are one
   */
  function stampOf(at: number, sameMs: number): string {
    const takenAt = now()
    // An instance may claim any time; one that is no date at all is replaced by ours.
    const time = isoTime(at)
    const taken = new Date(takenAt).toISOString()
    if (time === undefined || Math.abs(takenAt - at) < sameMs) return time ?? taken
    return `${time}","ingested":"${taken}`
  }

  async function put(group: string, stream: string, events: readonly NewLogEvent[]): Promise<void> {
    if (closed) throw new LogWriterBusyError('the log writer is closed')
    const pending = pendingOf(group)
    const name = JSON.stringify(stream)
    const lines = Buffer.from(
      events
        .map(
          ({ at, message }) =>
            `{"t":"${stampOf(at, 1)}","stream":${name},"requestId":"","level":"","function":"","msg":${JSON.stringify(message)}}\n`
        )
        .join('')
    )
    if (waitingBytes + lines.length > bufferBytes) throw new LogWriterBusyError('too many events wait for the disk')
    waitingBytes += lines.length
    try {
      await new Promise<void>((resolve, reject) => {
        pending.puts.push({ lines, resolve, reject })
        enqueue(pending)
      })
    } finally {
      waitingBytes -= lines.length
    }
  }

  function flushAll(): void {
    timer = undefined
    for (const pending of groups.values()) if (pending.lines > 0 || pending.dropped > 0) enqueue(pending)
  }

  function enqueue(pending: Pending): void {
    if (pending.busy) return
    pending.busy = true
    queue.push(pending)
    pump()
  }

  function pump(): void {
    while (writing < WRITERS) {
      const pending = queue.shift()
      if (pending === undefined) return
      writing++
      void writeBatch(pending).finally(() => {
        writing--
        pending.busy = false
        if (pending.lines + pending.waiters.length + pending.puts.length + pending.chores.length > 0) enqueue(pending)
        else pump()
      })
    }
  }

  /** One batch at a time and then to the end of the queue, so that a noisy function cannot keep a writer to itself. */
  async function writeBatch(pending: Pending): Promise<void> {
    const { files, lines, dropped, waiters, puts, chores } = pending
    if (dropped > 0) {
      const before = pending.text.length
      pending.text.append(overflowLine(dropped, pending.droppedStream))
      bufferedBytes += pending.text.length - before
    }
    const bytes = pending.text.take()
    pending.lines = 0
    pending.dropped = 0
    pending.waiters = []
    pending.puts = []
    pending.chores = []
    bufferedBytes -= bytes.length
    try {
      if (bytes.length > 0 || puts.length > 0) {
        const all = puts.length === 0 ? bytes : Buffer.concat([bytes, ...puts.map((waiting) => waiting.lines)])
        await makeRoom(all.length)
        await files.append(all, puts.length > 0)
        storedBytes += all.length
        for (const waiting of puts) waiting.resolve()
      }
    } catch (err) {
      // The marker of the next batch that reaches the disk counts these too.
      pending.dropped += dropped + lines
      droppedLines += lines
      droppedBytes += lines === 0 ? 0 : bytes.length
      for (const waiting of puts) waiting.reject(err)
      await files.close().catch(() => undefined)
      warn(err, pending.group)
    }
    pending.text.release(bytes)
    // What describes the lines takes room too.
    if (storeBytes > totalBytes) chores.push(() => makeRoom(0))
    for (const chore of chores) {
      await chore().catch((err: unknown) => {
        warn(err, pending.group)
      })
    }
    open.delete(pending)
    if (files.isOpen) open.add(pending)
    if (open.size > OPEN_FILES) await closeLeastRecent()
    for (const resolve of waiters) resolve()
    for (const listener of pending.listeners ?? []) listener()
    if (files.isCompressible) startCompressing()
  }

  function overflowLine(dropped: number, stream: string): string {
    const msg = `${dropped} log line${dropped === 1 ? ' was' : 's were'} dropped here: they came faster than the disk takes them, or the disk failed.`
    return `{"t":"${new Date(now()).toISOString()}","stream":"${stream}","requestId":"","level":"WARN","msg":${JSON.stringify(msg)}}\n`
  }

  /** What is done with a group's files is done one after the other. */
  function onFiles(pending: Pending, chore: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      pending.chores.push(() => chore().finally(resolve))
      enqueue(pending)
    })
  }

  function startCompressing(): void {
    compressing ??= compressAll().finally(() => {
      compressing = undefined
    })
  }

  /** One segment at a time: the threads are for the functions. */
  async function compressAll(): Promise<void> {
    for (let more = true; more && !closed; ) {
      more = false
      for (const pending of [...groups.values()]) {
        if (closed) break
        if (!pending.files.isCompressible) continue
        try {
          await pending.files.compress()
          await makeRoom(0)
          more ||= pending.files.isCompressible
        } catch (err) {
          // Tried again when something is written, or at the next sweep.
          warn(err, pending.group)
        }
      }
    }
  }

  /** Removes the oldest segments of the largest groups until all together, and so much more, fit. */
  async function makeRoom(bytes: number): Promise<void> {
    while (storeBytes + bytes > totalBytes) {
      let largest: GroupFiles | undefined
      let most = 0
      for (const { files } of groups.values()) {
        if (files.bytes <= most) continue
        most = files.bytes
        largest = files
      }
      if (largest === undefined) return
      await largest.removeOldest()
    }
  }

  /** Finds what is there from before, to be bounded and compressed with the rest. */
  async function findGroups(): Promise<void> {
    try {
      for (const { group } of await listGroupFolders(options.logsDir)) {
        if (closed) return
        const pending = pendingOf(group)
        await onFiles(pending, () => pending.files.load())
      }
    } catch (err) {
      warn(err, '')
    }
  }

  async function sweep(): Promise<void> {
    await found
    for (const pending of [...groups.values()]) {
      if (closed) return
      const { files, group } = pending
      const days = settings.retention.get(group) ?? options.retentionDays
      const until = days === undefined ? Number.NEGATIVE_INFINITY : now() - days * DAY_MS
      if (!files.isDue(until)) continue
      await onFiles(pending, async () => {
        await files.removeUntil(until)
        await files.turnOver()
      })
    }
    await makeRoom(0).catch((err: unknown) => {
      warn(err, '')
    })
    startCompressing()
    await compressing
  }

  async function retain(next: LogRetention): Promise<void> {
    settings = next
    await found
    for (const { group, stream, at } of next.removals) {
      const pending = groups.get(group)
      if (closed || stream !== '' || pending === undefined) continue
      await onFiles(pending, () => pending.files.removeGroup(at))
    }
  }

  async function closeLeastRecent(): Promise<void> {
    for (const pending of open) {
      if (pending.busy || pending.lines > 0 || pending.dropped > 0) continue
      open.delete(pending)
      // Its memory is worth more to those that write.
      pending.text = new LineBuffer()
      await pending.files.close().catch(() => undefined)
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
    const pending = groups.get(group)
    if (pending === undefined || (!pending.busy && pending.lines === 0 && pending.dropped === 0)) return
    await new Promise<void>((resolve) => {
      pending.waiters.push(resolve)
      enqueue(pending)
    })
  }

  return {
    write,
    put,
    flush,
    follow(group, listener) {
      const pending = pendingOf(group)
      pending.listeners ??= new Set()
      pending.listeners.add(listener)
      return () => void pending.listeners?.delete(listener)
    },
    retain,
    sweep,
    counts: () => ({ storedBytes, droppedLines, droppedBytes, storeBytes }),
    async close() {
      closed = true
      clearTimeout(timer)
      clearInterval(sweeper)
      timer = undefined
      await found
      const all = [...groups.values()]
      await Promise.all(all.map((pending) => flush(pending.group)))
      await compressing
      await Promise.all(all.map((pending) => pending.files.close().catch(() => undefined)))
    }
  }
}
