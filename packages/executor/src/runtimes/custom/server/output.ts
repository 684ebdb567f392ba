import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** Passes a child's output on as it comes, and tells each of its lines. */
export function relay(child: ChildProcess, onLine: (line: string) => void): void {
  pass(child.stdout, process.stdout, onLine)
  pass(child.stderr, process.stderr, onLine)
}

function pass(from: Readable | null, to: Writable, onLine: (line: string) => void): void {
  let pending = ''
  from?.setEncoding('utf8').on('data', (text: string) => {
    to.write(text)
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  from?.once('end', () => {
    if (pending !== '') onLine(pending)
  })
}
