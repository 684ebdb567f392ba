import { readFileSync } from 'node:fs'

/** Of the files that this process may have open, those that connections of WebSocket APIs may take. */
const SHARE = 0.75

/** Where no limit of open files says less. */
const MOST = 16_384

/** How many connections there may be: as many as are wanted, or as the limit of open files allows. */
export function connectionsFor(
  wanted: number = MOST,
  limits: string = readFileSync('/proc/self/limits', 'utf8')
): number {
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  return Math.min(wanted, Math.floor(files * SHARE))
}
