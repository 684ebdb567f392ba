import { type FileHandle, mkdir, open, readFile, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { compressSegment, rebuildIndex } from './compression.ts'
import {
  compressedFile,
  indexFile,
  listSegments,
  namesIn,
  PARTIAL,
  removeFile,
  sizeOf,
  statOf,
  textFile,
  whereThere
} from './segment-files.ts'
import { readIndex } from './segment-index.ts'
import type { LogPosition } from './types.ts'

export interface GroupLimits {
  /** Size at which the next segment begins. */
  readonly segmentBytes: number
  /** Age at which it does. */
  readonly segmentMs: number
  /** Sum per group, on disk; the oldest segments go first. */
  readonly groupBytes: number
}

interface Segment {
  readonly number: number
  /** On disk, with all that belongs to it. */
  bytes: number
  /** Of its text; 0 once that is compressed. */
  textBytes: number
  /** Of its text, compressed or not; undefined where only its index says it. */
  length: number | undefined
  /** Unix time in ms. */
  readonly beganAt: number
  writtenAt: number
  isCompressed: boolean
  /** Nothing is appended to it any more, whatever the clock says. */
  isComplete: boolean
  /** Removed, perhaps in the middle of its compression. */
  isGone: boolean
}

/** Numbers of segments are the seconds of their beginning, so that a group that is made again goes on with greater ones. */
const FIRST_BY_TIME = 1_000_000_000

/**
 * The files of one group: appends to the newest, begins the next when it is full or old, compresses what is complete,
 * removes the oldest when all together are too big. `append`, `close`, `turnOver` and `removeUntil` are called one at a
 * time; compression and `removeOldest` go on beside them.
 */
export class GroupFiles {
  readonly #dir: string
  readonly #limits: GroupLimits
  readonly #now: () => number
  /** Told by how much the bytes on disk have changed. */
  readonly #onBytes: (bytes: number) => void
  #segments: Segment[] | undefined
  #file: FileHandle | undefined
  /** Whether the newest file may end in the middle of a line: a crash, or a write that the disk cut short. */
  #torn = false
  #isAppending = false
  #compressing: Promise<void> | undefined
  #lastNumber = 0
  #removed: LogPosition | undefined

  constructor(dir: string, limits: GroupLimits, now: () => number, onBytes: (bytes: number) => void) {
    this.#dir = dir
    this.#limits = limits
    this.#now = now
    this.#onBytes = onBytes
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** On disk; 0 before {@link load}. */
  get bytes(): number {
    let total = 0
    for (const segment of this.#segments ?? []) total += segment.bytes
    return total
  }

  /**
   * The last place whose event is gone, or goes now; undefined when none is. Of what was removed before {@link load}
   * nobody knows how far it went: all before the oldest segment counts.
   */
  get removed(): LogPosition | undefined {
    return this.#removed
  }

  /** @returns whether {@link removeUntil} or {@link turnOver} has something to do */
  isDue(time: number): boolean {
    const first = this.#segments?.[0]
    if (first === undefined) return false
    const last = this.#segments!.at(-1)!
    return first.writtenAt <= time || (!last.isCompressed && this.#isOver(last))
  }

  /** @returns whether a segment is complete and not compressed yet */
  get isCompressible(): boolean {
    return this.#compressible() !== undefined
  }

  /** Finds what is there, and clears away what a crash has left. Once is enough. */
  async load(): Promise<void> {
    if (this.#segments !== undefined) return
    for (const name of await namesIn(this.#dir)) {
      if (name.endsWith(PARTIAL)) await removeFile(path.join(this.#dir, name))
    }
    const segments: Segment[] = []
    for (const { number, isText, isCompressed } of await listSegments(this.#dir)) {
      const file = isCompressed ? compressedFile(this.#dir, number) : textFile(this.#dir, number)
      // The text goes last: both are complete.
      if (isCompressed && isText) await removeFile(textFile(this.#dir, number))
      const stats = await statOf(file)
      if (stats === undefined) continue
      const { size, mtimeMs, birthtimeMs } = stats
      let index = isCompressed ? await sizeOf(indexFile(this.#dir, number)) : 0
      if (isCompressed && index === 0) index = await rebuildIndex(this.#dir, number)
      segments.push({
        number,
        bytes: size + index,
        textBytes: isCompressed ? 0 : size,
        length: isCompressed ? undefined : size,
        beganAt: number < FIRST_BY_TIME ? birthtimeMs : number * 1_000,
        writtenAt: mtimeMs,
        isCompressed,
        isComplete: isCompressed,
        isGone: false
      })
    }
    this.#segments = segments
    const [oldest] = segments
    if (oldest !== undefined) this.#removed = { segment: oldest.number - 1, offset: Number.MAX_SAFE_INTEGER }
    this.#lastNumber = Math.max(this.#lastNumber, segments.at(-1)?.number ?? 0)
    this.#onBytes(this.bytes)
  }

  /**
   * @param lines - Whole lines, each with its newline
   * @param isDurable - To survive a power cut when the promise resolves
   * @throws Error what the disk says
   */
  async append(lines: Buffer, isDurable: boolean): Promise<void> {
    const current = await this.#current()
    const file = this.#file!
    const data = this.#torn ? Buffer.concat([Buffer.from('\n'), lines]) : lines
    this.#torn = true
    this.#isAppending = true
    try {
      let at = 0
      while (at < data.length) {
        const { bytesWritten } = await file.write(data, at, data.length - at)
        at += bytesWritten
        current.textBytes += bytesWritten
        current.length = current.textBytes
        this.#grow(current, bytesWritten)
      }
      this.#torn = false
      current.writtenAt = this.#now()
      if (isDurable) await file.datasync()
    } finally {
      this.#isAppending = false
      // There was no room for it.
      if (current.isGone) await file.close()
    }
    while (this.bytes > this.#limits.groupBytes && this.#segments!.length > 1) await this.removeOldest()
  }

  /** Ends the newest segment if it is old; the next line begins another. */
  async turnOver(): Promise<void> {
    const last = this.#segments?.at(-1)
    if (last !== undefined && this.#isOver(last)) await this.close()
  }

  /** Gives the descriptor back; a later append opens it again. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  /** Compresses one complete segment. @throws Error what the disk says */
  compress(): Promise<void> {
    const done = this.#compressOne()
    this.#compressing = done.catch(() => undefined)
    return done
  }

  async #compressOne(): Promise<void> {
    const segment = this.#compressible()
    if (segment === undefined) return
    segment.isComplete = true
    const before = segment.bytes
    const bytes = await compressSegment(this.#dir, segment.number, (written) => {
      this.#grow(segment, written)
    }).catch((err: unknown) => {
      this.#grow(segment, before - segment.bytes)
      if (segment.isGone) return undefined
      throw err
    })
    if (bytes === undefined || segment.isGone) {
      await this.#unlink(segment)
      return
    }
    segment.isCompressed = true
    segment.textBytes = 0
    this.#grow(segment, bytes - segment.bytes)
  }

  /** @returns whether there was one */
  async removeOldest(): Promise<boolean> {
    const segment = this.#segments?.[0]
    if (segment === undefined) return false
    await this.#remove(segment)
    return true
  }

  /** Removes the segments whose last line was written at `time` (Unix, ms) or before. @returns whether any was */
  async removeUntil(time: number): Promise<boolean> {
    let removed = false
    for (const segment of [...(this.#segments ?? [])]) {
      if (segment.writtenAt > time) break
      await this.#remove(segment)
      removed = true
    }
    return removed
  }

  /** The folder goes if nothing is in it. */
  async removeFolder(): Promise<void> {
    await this.close()
    // It clears away what it has made.
    await this.#compressing
    await rmdir(this.#dir).catch(() => undefined)
  }

  async #remove(segment: Segment): Promise<void> {
    const file = segment === this.#segments!.at(-1) ? this.#file : undefined
    if (file !== undefined) this.#file = undefined
    segment.isGone = true
    this.#segments!.splice(this.#segments!.indexOf(segment), 1)
    this.#onBytes(-segment.bytes)
    const length = segment.length ?? (await this.#lengthOf(segment))
    if (segment.number >= (this.#removed?.segment ?? 0)) this.#removed = { segment: segment.number, offset: length - 1 }
    if (!this.#isAppending) await file?.close()
    await this.#unlink(segment)
  }

  /** As its index says; without one, more than any offset. */
  async #lengthOf({ number }: Segment): Promise<number> {
    const text = await whereThere(readFile(indexFile(this.#dir, number), 'utf8')).catch(() => undefined)
    return (text === undefined ? undefined : readIndex(text)?.textBytes) ?? Number.MAX_SAFE_INTEGER
  }

  async #unlink({ number }: Segment): Promise<void> {
    await removeFile(textFile(this.#dir, number))
    await removeFile(compressedFile(this.#dir, number))
    await removeFile(compressedFile(this.#dir, number) + PARTIAL)
    await removeFile(indexFile(this.#dir, number))
  }

  #grow(segment: Segment, bytes: number): void {
    segment.bytes += bytes
    if (!segment.isGone) this.#onBytes(bytes)
  }

  #isOver({ textBytes, beganAt, isComplete }: Segment): boolean {
    const { segmentBytes, segmentMs } = this.#limits
    return isComplete || textBytes >= segmentBytes || this.#now() - beganAt >= segmentMs
  }

  #compressible(): Segment | undefined {
    const segments = this.#segments ?? []
    return segments.find(
      (segment, i) => !segment.isCompressed && (i < segments.length - 1 || (!this.isOpen && this.#isOver(segment)))
    )
  }

  async #current(): Promise<Segment> {
    await this.load()
    const segments = this.#segments!
    const last = segments.at(-1)
    if (last !== undefined && !this.#isOver(last)) {
      if (this.#file === undefined) await this.#open(last)
      return last
    }
    await this.close()
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    const now = this.#now()
    const number = Math.max(this.#lastNumber + 1, Math.floor(now / 1_000))
    const next: Segment = {
      number,
      bytes: 0,
      textBytes: 0,
      length: 0,
      beganAt: now,
      writtenAt: now,
      isCompressed: false,
      isComplete: false,
      isGone: false
    }
    await this.#open(next)
    this.#lastNumber = number
    segments.push(next)
    return next
  }

  async #open(segment: Segment): Promise<void> {
    const file = await open(textFile(this.#dir, segment.number), 'a+', 0o600)
    try {
      const lastByte = Buffer.alloc(1)
      const { bytesRead } =
        segment.textBytes === 0 ? { bytesRead: 0 } : await file.read(lastByte, 0, 1, segment.textBytes - 1)
      this.#torn = bytesRead === 1 && lastByte[0] !== 10
    } catch (err) {
      await file.close()
      throw err
    }
    this.#file = file
  }
}
