import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { Platform } from '@hearth/executor'
import t from 'tap'
import { runtimesOfThisMachine, startExecutor } from '../helpers/executor.ts'
import { type Column, SCENARIOS } from './scenarios/column.ts'
import { openRun, TABLE } from './scenarios/table.ts'

// Every runtime in turn, and the machine may be busy.
t.setTimeout(300_000)

const folder = new URL('./scenarios/columns/', import.meta.url)
const columns = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map(async (file) => ((await import(new URL(file, folder).href)) as { column: Column }).column)
)
/** Who every function is to the platform; nobody answers at its door. */
const PLATFORM: Platform = {
  pass: () => ({
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    sessionToken: 'AQoDYXdzEJr+/token=',
    expiresAt: Date.now() + 3_600_000,
    isGood: () => true
  }),
  answer: () => {}
}
/** Scenarios of one runtime that run side by side. */
const JOBS = 4

for (const column of columns) {
  const host = column.host === undefined ? '' : ` on ${column.host}`
  t.test(`${column.runtime}${host}: handlers behave as on AWS`, { skip: column.skip ?? false }, async (t) => {
    const registry = await runtimesOfThisMachine(column.paths)
    t.ok(registry.resolve(column.runtime, column.handler('echo')), 'it is installed')
    const codeDir = path.join(t.testdir({}), 'code')
    mkdirSync(codeDir)
    await column.make(codeDir)
    // What is printed may come after its answer, and so from an instance that would be frozen by then.
    const options = { runtimes: registry, prestarted: 2, freezeAfterMs: Number.POSITIVE_INFINITY, platform: PLATFORM }
    const box = await startExecutor(t, options)
    t.jobs = JOBS
    await Promise.all(
      SCENARIOS.map((scenario) =>
        t.test(scenario, { buffered: true, skip: column.unsupported[scenario] ?? false }, async (t) => {
          await TABLE[scenario](openRun(t, column, scenario, box, codeDir))
        })
      )
    )
  })
}
