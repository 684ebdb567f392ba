import type { Socket } from 'node:net'
import type { Budget } from './budget.ts'

/** A line longer than this is cut: CloudWatch's bound on an event, and a bound on what is kept in memory. */
const MAX_LINE_BYTES = 262_144

/**
 * Splits what a sandbox writes to its stdout and stderr into lines.
 * @param onLine - Called with each line, without its newline
 */
export function readLines(output: Socket, budget: Budget, onLine: (line: string) => void): void {
  let rest: Buffer | undefined
  const emit = (line: Buffer) => onLine(line.toString('utf8', 0, Math.min(line.length, MAX_LINE_BYTES)))
  output.on('data', (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = chunk.subarray(from, at)
      emit(rest === undefined ? line : Buffer.concat([rest, line]))
      rest = undefined
      from = at + 1
    }
    if (from < chunk.length) {
      const tail = chunk.subarray(from)
      rest = rest === undefined ? Buffer.from(tail) : Buffer.concat([rest, tail])
      if (rest.length > MAX_LINE_BYTES) {
        emit(rest)
        rest = undefined
      }
    }
    const pauseMs = budget.spend(chunk.length)
    if (pauseMs > 0) {
      output.pause()
      setTimeout(() => output.resume(), pauseMs).unref()
    }
  })
  output.on('end', () => {
    if (rest !== undefined) emit(rest)
    rest = undefined
  })
  // A reset is how a killed writer looks from here; `close` follows, and the sandbox's own exit says the rest.
  output.on('error', () => {})
  output.resume()
}
