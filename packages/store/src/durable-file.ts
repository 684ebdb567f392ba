import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'

/** How names of half-written files begin, so that a start after a crash can tell them. */
export const TEMP_PREFIX = '.tmp-'

/** Writes a small file so that it is either there in full, after a power cut too, or not at all. */
export function writeFileDurably(file: string, content: string | Buffer, mode: number): void {
  const temp = path.join(path.dirname(file), `${TEMP_PREFIX}${randomBytes(8).toString('hex')}`)
  try {
    const fd = openSync(temp, 'wx', mode)
    try {
      writeSync(fd, Buffer.from(content))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temp, file)
  } catch (thrown) {
    rmSync(temp, { force: true })
    throw thrown
  }
  const dir = openSync(path.dirname(file), 'r')
  try {
    fsyncSync(dir)
  } finally {
    closeSync(dir)
  }
}

/** Makes a folder's entries (new names, renames) survive a power cut. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
