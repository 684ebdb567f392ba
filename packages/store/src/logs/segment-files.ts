import type { Stats } from 'node:fs'
import { readdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'

/** One segment of a group as it lies on disk. */
export interface SegmentOnDisk {
  readonly number: number
  /** Its text is there; both are, for a moment, when it has just been compressed. */
  readonly isText: boolean
  readonly isCompressed: boolean
}

const NAME = /^(\d{1,12})\.ndjson(\.gz)?$/
const NOTES = /^(\d{1,12})\.blocks\.ndjson$/
/** How files that are not complete end. */
export const PARTIAL = '.partial'

export function textFile(dir: string, number: number): string {
  return path.join(dir, `${number}.ndjson`)
}

export function compressedFile(dir: string, number: number): string {
  return path.join(dir, `${number}.ndjson.gz`)
}

export function indexFile(dir: string, number: number): string {
  return path.join(dir, `${number}.index.json`)
}

/** What is known of a text that is being written. */
export function blocksFile(dir: string, number: number): string {
  return path.join(dir, `${number}.blocks.ndjson`)
}

/** @returns Oldest first; empty when there is no such folder. Files that are not ours are left alone. */
export async function listSegments(dir: string): Promise<SegmentOnDisk[]> {
  const found = new Map<number, SegmentOnDisk>()
  for (const name of await namesIn(dir)) {
    const match = NAME.exec(name)
    if (match === null) continue
    const number = Number(match[1])
    const known = found.get(number)
    found.set(number, {
      number,
      isText: match[2] === undefined || known?.isText === true,
      isCompressed: match[2] !== undefined || known?.isCompressed === true
    })
  }
  return [...found.values()].sort((a, b) => a.number - b.number)
}

/** Numbers of the segments of which {@link blocksFile} is there, in no order. */
export async function listNotes(dir: string): Promise<number[]> {
  return (await namesIn(dir)).flatMap((name) => {
    const match = NOTES.exec(name)
    return match === null ? [] : [Number(match[1])]
  })
}

export async function namesIn(dir: string): Promise<string[]> {
  return (await whereThere(readdir(dir))) ?? []
}

/** @returns undefined when the file is not there */
export async function statOf(file: string): Promise<Stats | undefined> {
  return whereThere(stat(file))
}

export async function sizeOf(file: string): Promise<number> {
  return (await statOf(file))?.size ?? 0
}

export async function removeFile(file: string): Promise<void> {
  await whereThere(unlink(file))
}

/** @returns undefined where the file or folder is not there: the writer removes the oldest at any time */
export async function whereThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw err
  }
}
