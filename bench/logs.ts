import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLogReader, createLogWriter, type LogQuery } from '@hearth/store'

/** What keeping functions' lines costs. */
export interface LogResult {
  readonly linesPerSecond: number
  /** µs of one `write`, which is what the invoke path pays for a line. */
  readonly writeUs: number
  readonly droppedLines: number
  readonly storeMiB: number
  readonly textMiB: number
  /** To find one request among all lines right after they were written, compressed or not. */
  readonly findMs: number
  /** To find one line by a part of its text. */
  readonly findTextMs: number
}

const LINES = 1_000_000
const BATCH = 500
const STREAM = '2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef'
const GROUP = '/aws/lambda/bench'

export async function measureLogs(): Promise<LogResult> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-logs-'))
  const logsDir = path.join(dir, 'logs')
  const logs = createLogWriter({ logsDir, groupBytes: 1_073_741_824, groupBufferBytes: 33_554_432 })
  const source = { name: 'bench', logGroup: GROUP }
  /** With nothing known from before, as the first search after a start. */
  const timeOf = async (query: LogQuery): Promise<number> => {
    const from = performance.now()
    let found = 0
    for await (const batch of createLogReader(logsDir).read(GROUP, query)) found += batch.length
    if (found !== 1) throw new Error(`${found} lines found instead of one`)
    return performance.now() - from
  }
  try {
    let writing = 0
    const startedAt = performance.now()
    for (let i = 0; i < LINES; i += BATCH) {
      const at = Date.now()
      const from = performance.now()
      for (let n = i; n < i + BATCH; n++) {
        logs.write(
          source,
          STREAM,
          at,
          `00000000-0000-4000-8000-${n}`,
          'INFO',
          `order ${n} of customer ${n % 977} is paid`
        )
      }
      writing += performance.now() - from
      // As the event loop does between events.
      await nextTurn()
      if (i % 50_000 === 0) await logs.flush(GROUP)
    }
    await logs.flush(GROUP)
    const seconds = (performance.now() - startedAt) / 1_000
    const findMs = await timeOf({ requestId: '00000000-0000-4000-8000-1234' })
    const findTextMs = await timeOf({ text: 'order 1234 of' })
    const { storedBytes, droppedLines, storeBytes } = logs.counts()
    return {
      linesPerSecond: (LINES - droppedLines) / seconds,
      writeUs: (writing * 1_000) / LINES,
      droppedLines,
      storeMiB: storeBytes / 1_048_576,
      textMiB: storedBytes / 1_048_576,
      findMs,
      findTextMs
    }
  } finally {
    await logs.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
