import { type FileHandle, mkdir, open, rmdir } from 'node:fs/promises'
import { BlockNotes } from './block-notes.ts'
import { compressSegment } from './compression.ts'
import { RemovalNotes } from './removals.ts'
import { statOf, textFile } from './segment-files.ts'
import { factsOf, loadSegments, newSegment, type Segment, unlinkSegment } from './written-segment.ts'

export interface GroupLimits {
  /** Size at which the next segment begins. */
  readonly segmentBytes: number
  /** Age at which it does. */
  readonly segmentMs: number
  /** Sum per group, on disk; the oldest segments go first. */
  readonly groupBytes: number
}

/**
 * The files of one group: appends to the newest, begins the next when it is full or old, compresses what is complete,
 * removes the oldest when all together are too big. `append`, `close`, `turnOver`, `removeUntil` and `removeGroup` are called one at a
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
  readonly #removals: RemovalNotes

  constructor(dir: string, limits: GroupLimits, now: () => number, onBytes: (bytes: number) => void) {
    this.#dir = dir
    this.#limits = limits
    this.#now = now
    this.#onBytes = onBytes
    this.#removals = new RemovalNotes(dir, onBytes)
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** On disk; 0 before {@link load}. */
  get bytes(): number {
    let total = this.#removals.bytes
    for (const segment of this.#segments ?? []) total += segment.bytes
    return total
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
    const segments = await loadSegments(this.#dir)
    await this.#removals.load()
    this.#segments = segments
    this.#lastNumber = Math.max(this.#lastNumber, this.#removals.lastNumber, segments.at(-1)?.number ?? 0)
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
    const notes = current.notes!
    // With the newline that ends it.
    const tornBytes = this.#torn ? current.textBytes - notes.textBytes + 1 : 0
    const data = this.#torn ? Buffer.concat([Buffer.from('\n'), lines]) : lines
    this.#torn = true
    this.#isAppending = true
    try {
      let at = 0
      while (at < data.length) {
        const { bytesWritten } = await file.write(data, at, data.length - at)
        at += bytesWritten
        current.textBytes += bytesWritten
        this.#grow(current, bytesWritten)
      }
      this.#torn = false
      current.writtenAt = this.#now()
      if (isDurable) await file.datasync()
      notes.add(lines, tornBytes)
      await this.#saveNotes(current, notes)
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
    segment.notes = undefined
    const before = segment.bytes
    const bytes = await compressSegment(this.#dir, segment.number, (written) => {
      this.#grow(segment, written)
    }).catch((err: unknown) => {
      this.#grow(segment, before - segment.bytes)
      if (segment.isGone) return undefined
      throw err
    })
    if (bytes === undefined || segment.isGone) {
      await unlinkSegment(this.#dir, segment)
      return
    }
    segment.isCompressed = true
    segment.textBytes = 0
    segment.noteBytes = 0
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

  /** Removes all that was written at `time` (Unix, ms) or before, and the folder if nothing else was in it. */
  async removeGroup(time: number): Promise<void> {
    await this.load()
    const folder = await statOf(this.#dir)
    if (folder === undefined) return
    // One that was made later is the next group's, whether it has something or not.
    const isOld = (folder.birthtimeMs > 0 ? folder.birthtimeMs : folder.ctimeMs) <= time
    const isRemoved = await this.removeUntil(time)
    if ((!isOld && !isRemoved) || this.#segments!.length > 0) return
    await this.close()
    // It clears away what it has made.
    await this.#compressing
    await this.#removals.removeFile()
    await rmdir(this.#dir).catch(() => undefined)
  }

  async #remove(segment: Segment): Promise<void> {
    const file = segment === this.#segments!.at(-1) ? this.#file : undefined
    if (file !== undefined) this.#file = undefined
    segment.isGone = true
    this.#segments!.splice(this.#segments!.indexOf(segment), 1)
    this.#onBytes(-segment.bytes)
    // First, so that nobody takes its end for the end of what there was.
    await this.#noteRemoval(segment)
    if (!this.#isAppending) await file?.close()
    await unlinkSegment(this.#dir, segment)
  }

  async #noteRemoval(segment: Segment): Promise<void> {
    const { number } = segment
    const facts = await factsOf(this.#dir, segment).catch(() => undefined)
    // Without an index anything may have been in it.
    const { textBytes: bytes, lastOffset } = facts ?? { ...segment, lastOffset: Number.MAX_SAFE_INTEGER }
    await this.#removals.add({ number, bytes, lastOffset })
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
    if (last !== undefined) last.notes = undefined
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await this.#removals.restore()
    const next = newSegment(this.#lastNumber, this.#now())
    await this.#open(next)
    this.#lastNumber = next.number
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
      segment.notes ??= await BlockNotes.open(this.#dir, segment.number, file, segment.textBytes)
      if (segment.notes.textBytes < segment.textBytes) await segment.notes.catchUp(file)
      await this.#saveNotes(segment, segment.notes)
    } catch (err) {
      await file.close()
      throw err
    }
    this.#file = file
  }

  async #saveNotes(segment: Segment, notes: BlockNotes): Promise<void> {
    await notes.save()
    this.#grow(segment, notes.bytes - segment.noteBytes)
    segment.noteBytes = notes.bytes
    if (!segment.isGone) return
    // It went while it was written.
    await notes.remove()
    await this.#noteRemoval(segment)
  }
}
