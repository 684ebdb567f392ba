import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { startHearth } from '@hearth/test/helpers/hearth'
import type { Column } from '@hearth/test/runtimes/scenarios/column'
import { type ColdResult, measureCold } from './cold.ts'

/** What serves each column of the scenario table, as the metrics name it. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  node: 'node\\d+',
  python: 'python[\\d.]+',
  ruby: 'ruby[\\d.]+',
  java: 'java\\d+[a-z-]*',
  dotnet: 'mono',
  custom: 'custom'
}
const PRESTARTED = 2

/** Cold starts in every runtime, each on a server of its own, of the function that echoes. */
export async function measureRuntimes(tmpDir: string, count: number): Promise<readonly ColdResult[]> {
  const results: ColdResult[] = []
  for (const [name, interpreter] of Object.entries(INTERPRETERS)) {
    const { column } = (await import(`@hearth/test/runtimes/scenarios/columns/${name}`)) as { column: Column }
    const dir = path.join(tmpDir, `cold-${name}`)
    mkdirSync(dir)
    await column.make(dir)
    const body = execFileSync('tar', ['-cz', '-C', dir, '.'], { maxBuffer: 64 * 1_048_576 })
    const handler = encodeURIComponent(column.handler('echo'))
    const query = `runtime=${column.runtime}&handler=${handler}&memory=256`
    const server = await startHearth({ env: { HEARTH_PRESTARTED: String(PRESTARTED) } })
    try {
      results.push(
        await measureCold(server, column.runtime, count, PRESTARTED, { file: 'cold', body, query, interpreter })
      )
    } finally {
      await server.stop()
    }
  }
  return results
}
