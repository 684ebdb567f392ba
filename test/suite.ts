/**
 * Runs test files, all or those that are named as arguments, each as a process of its own. tap's own runner would load
 * its hooks into each of them and all that they start, which takes as much CPU again as the tests do.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { NODE, ROOT } from './helpers/hearth.ts'

/** A file that says nothing about its time has this long, in ms. */
const TIMEOUT_MS = 120_000
/** Whatever it says, a file is ended after so many seconds. */
const LIMIT_S = 420
/** Of attacks on one server; their files say less. */
const ATTACKS_TIMEOUT_MS = 600_000
/** What takes longest, and the most of it: begun first, so that none runs on alone at the end. Then folder by folder. */
const LONG = [
  'e2e/alarms',
  'e2e/terraform',
  'e2e/log-pipeline',
  'e2e/metrics',
  'runtimes/scenarios',
  'runtimes/java-values',
  'e2e/triggers',
  'e2e/prometheus',
  'e2e/async-crash',
  'runtimes/java',
  'control-plane/process',
  'control-plane/hostile-builds',
  'control-plane/builds',
  'control-plane/bad-input',
  'control-plane/request-properties',
  'runtimes',
  'e2e',
  'control-plane'
]

// One more than there are cores: files wait for a good part of their time.
t.jobs = Math.max(2, availableParallelism()) + 1
const files = filesToRun()
const attacks = files.filter((file) => file.startsWith('test/dist/security/'))
// They take all that they can get of the machine, so that not even two of them fit.
if (attacks.length > 0) {
  t.test('attacks', { jobs: 1, buffered: true, timeout: attacks.length * ATTACKS_TIMEOUT_MS }, async (t) => {
    for (const file of attacks) await run(t, file)
  })
}
for (const file of files) if (!attacks.includes(file)) void run(t, file)

function run(t: Test, file: string): Promise<unknown> {
  // One that fails may have left something open that keeps it from ending.
  const args = ['--foreground', '--kill-after=10', String(LIMIT_S), ...NODE, '--enable-source-maps', file]
  return t.spawn('timeout', args, { cwd: ROOT, timeout: TIMEOUT_MS }, file)
}

/** Paths from the root of the project. */
function filesToRun(): readonly string[] {
  const named = process.argv.slice(2)
  if (named.length > 0) return named
  const files = readdirSync(path.join(ROOT, 'test/dist'), { recursive: true, encoding: 'utf8' })
  const rank = (file: string) => {
    const first = LONG.findIndex((name) => file === `${name}.test.js` || file.startsWith(`${name}/`))
    return first === -1 ? LONG.length : first
  }
  return files
    .filter((file) => file.endsWith('.test.js'))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((file) => `test/dist/${file}`)
}
