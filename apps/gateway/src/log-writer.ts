import type { FunctionSpec, LogSink } from '@hearth/executor'
import { LineBuffer } from './line-buffer.ts'
import { logDirOf, SegmentFiles } from './log-segments.ts'

export interface LogWriterOptions {
  /** Absolute; made when the first line is written. */
  readonly logsDir: string
  /** Bytes kept per function on disk. */
  readonly totalBytes: number
  /** Size of one file. Default 16 MiB, or a quarter of `totalBytes` where that is less. */
  readonly segmentBytes?: number
  /** Lines waiting for the disk, per function and in all. */
  readonly functionBufferBytes?: number
  readonly bufferBytes?: number
  readonly flushMs?: number
  /** Told at most once per `warnEveryMs` that the disk failed. */
  readonly onDiskError?: (err: unknown, functionName: string) => void
  readonly warnEveryMs?: number
  readonly now?: () => number
}

/** Counts since start, for the metrics. */
export interface LogCounts {
  readonly storedBytes: number
  readonly droppedLines: number
}

export interface LogWriter extends LogSink {
  /** Resolves when all that was written to the function's log before the call is in its files, or was given up. */
  flush(functionName: string): Promise<void>
  counts(): LogCounts
  /** Writes what is left, then gives the files back. Lines that come later are dropped. */
  close(): Promise<void>
}

const FLUSH_BYTES = 65_536
/** A longer line is cut. */
const LINE_CHARS = 262_144
/** Functions whose files are open at once. */
const OPEN_FILES = 128
/** Functions written at once: libuv has four threads, and others need them too. */
const WRITERS = 3

/** What waits for the disk for one function. */
interface Pending {
  readonly name: string
  readonly files: SegmentFiles
  readonly text: LineBuffer
  lines: number
  dropped: number
  /** Queued for, or in, a write. */
  busy: boolean
  waiters: (() => void)[]
}

/**
 * Keeps functions' lines: NDJSON files per function, `logs/<function>/<n>.ndjson`, one object per line with
 * `{t, stream, requestId, level, msg}`. Writing to it only buffers; the disk is touched in the background, and a disk
 * that is slow or full costs lines, never invocations: what does not fit is dropped, counted and named by one line.
 */
export function createLogWriter(options: LogWriterOptions): LogWriter {
  const now = options.now ?? Date.now
  const flushMs = options.flushMs ?? 100
  const functionBufferBytes = options.functionBufferBytes ?? 1_048_576
  const bufferBytes = options.bufferBytes ?? 33_554_432
  const warnEveryMs = options.warnEveryMs ?? 60_000
  const limits = {
    totalBytes: options.totalBytes,
    segmentBytes: options.segmentBytes ?? Math.min(16 * 1_048_576, Math.ceil(options.totalBytes / 4))
  }
  /** In order of last write to disk, which is what closing the least recently used file goes by. */
  const functions = new Map<string, Pending>()
  const queue: Pending[] = []
  let bufferedBytes = 0
  let writing = 0
  let openFiles = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let storedBytes = 0
  let droppedLines = 0
  let warnedAt = -Infinity
  // Many lines share a millisecond, and formatting a date costs more than the rest of the line.
  let stampedAt = Number.NaN
  let stamp = ''
  let last: Pending | undefined

  function pendingOf(name: string): Pending {
    if (last?.name === name) return last
    let pending = functions.get(name)
    if (pending === undefined) {
      const files = new SegmentFiles(logDirOf(options.logsDir, name), limits)
      pending = { name, files, text: new LineBuffer(), lines: 0, dropped: 0, busy: false, waiters: [] }
      functions.set(name, pending)
    }
    last = pending
    return pending
  }

  function write(spec: FunctionSpec, stream: string, at: number, requestId: string, level: string, text: string): void {
    if (closed) return
    const pending = pendingOf(spec.name)
    if (pending.text.length >= functionBufferBytes || bufferedBytes >= bufferBytes) {
      pending.dropped++
      droppedLines++
      timer ??= setTimeout(flushAll, flushMs)
      return
    }
    if (at !== stampedAt) {
      stamp = isoTime(at, now)
      stampedAt = at
    }
    const kept = text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)}… [cut: ${text.length} characters]` : text
    // Only the text can hold what JSON must escape: the rest is the platform's own.
    const line = `{"t":"${stamp}","stream":"${stream}","requestId":"${requestId}","level":"${level}","msg":${JSON.stringify(kept)}}\n`
    const before = pending.text.length
    pending.text.append(line)
    pending.lines++
    bufferedBytes += pending.text.length - before
    if (pending.text.length >= FLUSH_BYTES) enqueue(pending)
    else timer ??= setTimeout(flushAll, flushMs)
  }

  function flushAll(): void {
    timer = undefined
    for (const pending of functions.values()) if (pending.lines > 0 || pending.dropped > 0) enqueue(pending)
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
        if (pending.lines > 0 || pending.waiters.length > 0) enqueue(pending)
        else pump()
      })
    }
  }

  /** One batch at a time and then to the end of the queue, so that a noisy function cannot keep a writer to itself. */
  async function writeBatch(pending: Pending): Promise<void> {
    const { lines, dropped, waiters } = pending
    if (dropped > 0) {
      const before = pending.text.length
      pending.text.append(overflowLine(dropped))
      bufferedBytes += pending.text.length - before
    }
    const bytes = pending.text.take()
    pending.lines = 0
    pending.dropped = 0
    pending.waiters = []
    bufferedBytes -= bytes.length
    const wasOpen = pending.files.isOpen
    try {
      if (lines > 0 || dropped > 0) {
        await pending.files.append(bytes)
        storedBytes += bytes.length
        functions.delete(pending.name)
        functions.set(pending.name, pending)
      }
    } catch (err) {
      // The marker of the next batch that reaches the disk counts these too.
      pending.dropped += dropped + lines
      droppedLines += lines
      await pending.files.close().catch(() => undefined)
      warn(err, pending.name)
    }
    pending.text.release(bytes)
    openFiles += Number(pending.files.isOpen) - Number(wasOpen)
    if (openFiles > OPEN_FILES) await closeLeastRecent()
    for (const resolve of waiters) resolve()
  }

  function overflowLine(dropped: number): string {
    const msg = `${dropped} log line${dropped === 1 ? ' was' : 's were'} dropped here: they came faster than the disk takes them, or the disk failed.`
    return `{"t":"${new Date(now()).toISOString()}","stream":"","requestId":"","level":"WARN","msg":${JSON.stringify(msg)}}\n`
  }

  async function closeLeastRecent(): Promise<void> {
    for (const pending of functions.values()) {
      if (pending.busy || pending.lines > 0 || pending.dropped > 0 || !pending.files.isOpen) continue
      functions.delete(pending.name)
      if (last === pending) last = undefined
      openFiles--
      await pending.files.close().catch(() => undefined)
      return
    }
  }

  function warn(err: unknown, functionName: string): void {
    const at = now()
    if (at - warnedAt < warnEveryMs) return
    warnedAt = at
    options.onDiskError?.(err, functionName)
  }

  async function flush(functionName: string): Promise<void> {
    const pending = functions.get(functionName)
    if (pending === undefined || (!pending.busy && pending.lines === 0 && pending.dropped === 0)) return
    await new Promise<void>((resolve) => {
      pending.waiters.push(resolve)
      enqueue(pending)
    })
  }

  return {
    write,
    flush,
    counts: () => ({ storedBytes, droppedLines }),
    async close() {
      closed = true
      clearTimeout(timer)
      timer = undefined
      const open = [...functions.values()]
      await Promise.all(open.map((pending) => flush(pending.name)))
      await Promise.all(open.map((pending) => pending.files.close().catch(() => undefined)))
    }
  }
}

/** An instance may claim any time; one that is no date at all is replaced by ours. */
function isoTime(at: number, now: () => number): string {
  const date = new Date(at)
  const inRange = at > -62_167_219_200_000 && at < 253_402_300_800_000
  return (inRange ? date : new Date(now())).toISOString()
}
