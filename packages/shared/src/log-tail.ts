/** What is kept: enough for what came before somebody noticed, little enough to hold always. */
const KEPT = { lines: 1_000, chars: 512 * 1_024, lineChars: 8_192 }

/** The last lines of a program's own log, in memory. */
export interface LogTail {
  /** Takes a line and passes it on, as pino wants it of a stream. */
  write(line: string): void
  /** Oldest first. */
  lines(): readonly string[]
}

/** @param out - Where the log goes. That it cannot (nobody reads it any more, the disk is full) ends no server. */
export function createLogTail(out: Pick<NodeJS.WritableStream, 'write' | 'on'>): LogTail {
  out.on('error', () => undefined)
  const kept: string[] = []
  let chars = 0
  return {
    write(line) {
      out.write(line)
      const one = line.trimEnd()
      kept.push(one.length > KEPT.lineChars ? `${one.slice(0, KEPT.lineChars)}…` : one)
      chars += kept.at(-1)!.length
      while (kept.length > KEPT.lines || chars > KEPT.chars) chars -= kept.shift()!.length
    },
    lines: () => [...kept]
  }
}
