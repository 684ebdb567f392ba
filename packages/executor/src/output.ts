import type { Socket } from 'node:net'
import { type Budget, LINE_COST_BYTES, READ_COST_BYTES } from './budget.ts'

/** A line longer than this is cut: CloudWatch's bound on an event, and a bound on what is kept in memory. */
const MAX_LINE_BYTES = 262_144

/**
 * Splits what a sandbox writes to its stdout and stderr into lines.
 * @param onLine - Called with each line, without its newline
 */
export function readLines(output: Socket, budget: Budget, onLine: (line: string) => void): void {
  // The beginning of a line whose end has not come; it grows by doubling, since bytes may come one by one.
  let rest = Buffer.alloc(0)
  let restBytes = 0
  const emit = (line: Buffer) => onLine(line.toString('utf8', 0, Math.min(line.length, MAX_LINE_BYTES)))
  const keep = (bytes: Buffer) => {
    // What is beyond the bound would be cut anyway.
    const kept = bytes.subarray(0, MAX_LINE_BYTES - restBytes)
    if (restBytes + kept.length > rest.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(MAX_LINE_BYTES, Math.max(1_024, 2 * (restBytes + kept.length))))
      rest.copy(larger, 0, 0, restBytes)
      rest = larger
    }
    restBytes += kept.copy(rest, restBytes)
  }
  const flush = () => {
    const line = rest.subarray(0, restBytes)
    restBytes = 0
    emit(line)
    if (rest.length > 4_096) rest = Buffer.alloc(0)
  }
  output.on('data', (chunk: Buffer) => {
    let from = 0
    let lines = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      lines++
      if (restBytes === 0) emit(chunk.subarray(from, at))
      else {
        keep(chunk.subarray(from, at))
        flush()
      }
      from = at + 1
    }
    if (from < chunk.length) {
      keep(chunk.subarray(from))
      if (restBytes === MAX_LINE_BYTES) flush()
    }
    const pauseMs = budget.spendOnLog(chunk.length + READ_COST_BYTES + lines * LINE_COST_BYTES)
    if (pauseMs > 0) {
      budget.pause(pauseMs)
      output.pause()
      setTimeout(() => output.resume(), pauseMs).unref()
    }
  })
  output.on('end', () => {
    if (restBytes > 0) flush()
  })
  // A reset is how a killed writer looks from here; `close` follows, and the sandbox's own exit says the rest.
  output.on('error', () => {})
  output.resume()
}
