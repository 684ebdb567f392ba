import { existsSync } from 'node:fs'
import path from 'node:path'

/**
 * The AWS CLIs of this machine: Debian's, and the one on PATH. Found at once, so that a file's tests can be made in one
 * go: a file that waits for something between them may be taken to be at its end.
 */
export function awsClis(): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const first = folders.map((folder) => path.join(folder, 'aws')).find((file) => existsSync(file))
  const files = ['/usr/bin/aws', first].filter((file) => file !== undefined && existsSync(file))
  return [...new Set(files as string[])]
}
