/**
 * Runs test files, all or those that are named as arguments, each as a process of its own. tap's own runner would load
 * its hooks into each of them and all that they start, which takes as much CPU again as the tests do.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { NODE, ROOT } from './helpers/hearth.ts'

/** A file that says nothing about its time has this long, in ms. */
const TIMEOUT_MS = 120_000
/** Folders whose files take longest: begun first, so that they do not run on alone at the end. */
const LONG = ['security', 'e2e', 'runtimes']

t.jobs = Math.max(2, availableParallelism())
const [command, ...args] = NODE
for (const file of filesToRun())
  t.spawn(command, [...args, '--enable-source-maps', file], { cwd: ROOT, timeout: TIMEOUT_MS }, file)

/** Paths from the root of the project. */
function filesToRun(): readonly string[] {
  const named = process.argv.slice(2)
  if (named.length > 0) return named
  const files = readdirSync(path.join(ROOT, 'test/dist'), { recursive: true, encoding: 'utf8' })
  const rank = (file: string) => (LONG.indexOf(file.split('/')[0]!) + LONG.length + 1) % (LONG.length + 1)
  return files
    .filter((file) => file.endsWith('.test.js'))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((file) => `test/dist/${file}`)
}
