import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PARTIAL, removeFile, whereThere } from './segment-files.ts'
import type { LogPosition } from './types.ts'

/** A segment that is gone. They go oldest first. */
export interface RemovedSegment {
  readonly number: number
  /** Of its text. */
  readonly bytes: number
  /** Where in it the last event began. */
  readonly lastOffset: number
}

/** Of so many it is said how large they were. */
const KEPT = 64
const FILE = 'removed.json'
const FORMAT = 1

/**
 * What was removed of a group, so that who has read up to a place knows what is missing behind it: also after a restart, and
 * in the other program. A file that cannot be read says that nothing is.
 */
export async function readRemovals(dir: string): Promise<readonly RemovedSegment[]> {
  const text = await whereThere(readFile(path.join(dir, FILE), 'utf8')).catch(() => undefined)
  return text === undefined ? [] : parse(text)
}

function parse(text: string): readonly RemovedSegment[] {
  try {
    const { format, segments } = JSON.parse(text) as { format: unknown; segments: [number, number, number][] }
    return format === FORMAT ? segments.map(([number, bytes, lastOffset]) => ({ number, bytes, lastOffset })) : []
  } catch {
    return []
  }
}

/** @returns undefined when none is gone */
export function lastRemoved(removed: readonly RemovedSegment[]): LogPosition | undefined {
  const last = removed.at(-1)
  return last && { segment: last.number, offset: last.lastOffset }
}

/** Of removed segments, bytes behind this place. A line of which it is the beginning counts. */
export function bytesBehind(removed: readonly RemovedSegment[], { segment, offset }: LogPosition): number {
  let sum = 0
  for (const { number, bytes } of removed) {
    if (number > segment) sum += bytes
    else if (number === segment) sum += Math.max(0, bytes - offset - 1)
  }
  return sum
}

/** The writer's side: says what is removed, before it is. */
export class RemovalNotes {
  readonly #dir: string
  /** Told by how much the bytes on disk have changed. */
  readonly #onBytes: (bytes: number) => void
  #removed: readonly RemovedSegment[] = []
  #bytes = 0
  #saving: Promise<void> = Promise.resolve()

  constructor(dir: string, onBytes: (bytes: number) => void) {
    this.#dir = dir
    this.#onBytes = onBytes
  }

  /** On disk. */
  get bytes(): number {
    return this.#bytes
  }

  get lastNumber(): number {
    return this.#removed.at(-1)?.number ?? 0
  }

  async load(): Promise<void> {
    const text = await whereThere(readFile(path.join(this.#dir, FILE), 'utf8'))
    if (text === undefined) return
    this.#removed = parse(text)
    this.#bytes = Buffer.byteLength(text)
  }

  /** Once more for the same segment: more has been written to it meanwhile. One without events is no loss. */
  add(segment: RemovedSegment): Promise<void> {
    if (segment.lastOffset >= 0) {
      const others = this.#removed.filter(({ number }) => number !== segment.number)
      this.#removed = [...others, segment].sort((a, b) => a.number - b.number).slice(-KEPT)
    }
    return this.#save()
  }

  /** The group's folder was made again. */
  async restore(): Promise<void> {
    if (this.#bytes === 0 && this.#removed.length > 0) await this.#save()
  }

  /** The group's folder is to go. What was removed is still known, should it be made again. */
  async removeFile(): Promise<void> {
    await this.#saving
    await removeFile(path.join(this.#dir, FILE))
    this.#onBytes(-this.#bytes)
    this.#bytes = 0
  }

  #save(): Promise<void> {
    // A full disk is why segments are removed: then it is said with the next one.
    this.#saving = this.#saving.then(() => this.#write()).catch(() => undefined)
    return this.#saving
  }

  async #write(): Promise<void> {
    const file = path.join(this.#dir, FILE)
    const segments = this.#removed.map(({ number, bytes, lastOffset }) => [number, bytes, lastOffset])
    const text = JSON.stringify({ format: FORMAT, segments })
    await writeFile(file + PARTIAL, text, { mode: 0o600 })
    await rename(file + PARTIAL, file)
    this.#onBytes(text.length - this.#bytes)
    this.#bytes = text.length
  }
}
