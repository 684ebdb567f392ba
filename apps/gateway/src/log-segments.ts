import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'

/** One file of a function's log. */
export interface Segment {
  readonly number: number
  bytes: number
}

const SEGMENT_NAME = /^(\d{1,9})\.ndjson$/

/** Where a function's segments lie. The name is safe in a path: letters, digits, `-` and `_` only. */
export function logDirOf(logsDir: string, functionName: string): string {
  return path.join(logsDir, functionName)
}

export function segmentFile(dir: string, number: number): string {
  return path.join(dir, `${number}.ndjson`)
}

/** @returns Oldest first; empty when the function never wrote. Files that are not ours are left alone. */
export async function listSegments(dir: string): Promise<Segment[]> {
  let names: string[]
  try {
    names = await readdir(dir)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw err
  }
  const segments: Segment[] = []
  for (const name of names) {
    const match = SEGMENT_NAME.exec(name)
    if (match === null) continue
    segments.push({ number: Number(match[1]), bytes: (await stat(path.join(dir, name))).size })
  }
  return segments.sort((a, b) => a.number - b.number)
}

export interface SegmentLimits {
  /** Size at which the next segment begins. */
  readonly segmentBytes: number
  /** Sum per function; the oldest segments go first. */
  readonly totalBytes: number
}

/**
 * The files of one function's log: appends to the newest, begins the next when it is full, removes the oldest when
 * all together are too big. One call at a time.
 */
export class SegmentFiles {
  readonly #dir: string
  readonly #limits: SegmentLimits
  #segments: Segment[] | undefined
  #file: FileHandle | undefined
  /** Whether the newest file may end in the middle of a line: a crash, or a write that the disk cut short. */
  #torn = false

  constructor(dir: string, limits: SegmentLimits) {
    this.#dir = dir
    this.#limits = limits
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** @param lines - Whole lines, each with its newline. @throws Error what the disk says */
  async append(lines: Buffer): Promise<void> {
    const current = await this.#current()
    const file = this.#file!
    const data = this.#torn ? Buffer.concat([Buffer.from('\n'), lines]) : lines
    this.#torn = true
    let at = 0
    while (at < data.length) {
      const { bytesWritten } = await file.write(data, at, data.length - at)
      at += bytesWritten
      current.bytes += bytesWritten
    }
    this.#torn = false
    await this.#trim()
  }

  /** Gives the descriptor back; a later append opens it again. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#segments = undefined
    await file?.close()
  }

  async #current(): Promise<Segment> {
    if (this.#segments === undefined) {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 })
      this.#segments = await listSegments(this.#dir)
    }
    const last = this.#segments.at(-1)
    if (last !== undefined && last.bytes < this.#limits.segmentBytes) {
      if (this.#file === undefined) await this.#open(last)
      return last
    }
    await this.#file?.close()
    this.#file = undefined
    const next = { number: (last?.number ?? 0) + 1, bytes: 0 }
    await this.#open(next)
    this.#segments.push(next)
    return next
  }

  async #open(segment: Segment): Promise<void> {
    const file = await open(segmentFile(this.#dir, segment.number), 'a+', 0o600)
    try {
      const lastByte = Buffer.alloc(1)
      const { bytesRead } = segment.bytes === 0 ? { bytesRead: 0 } : await file.read(lastByte, 0, 1, segment.bytes - 1)
      this.#torn = bytesRead === 1 && lastByte[0] !== 10
    } catch (err) {
      await file.close()
      throw err
    }
    this.#file = file
  }

  async #trim(): Promise<void> {
    const segments = this.#segments!
    let total = 0
    for (const segment of segments) total += segment.bytes
    while (segments.length > 1 && total > this.#limits.totalBytes) {
      const oldest = segments[0]!
      await unlink(segmentFile(this.#dir, oldest.number)).catch((err: NodeJS.ErrnoException) => {
        if (err.code !== 'ENOENT') throw err
      })
      segments.shift()
      total -= oldest.bytes
    }
  }
}
