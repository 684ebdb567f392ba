// npm test: sets up what is missing, then runs the tests, or the files that are named. Options go to tap.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { runScript, setup } from './setup.mjs'

const SUITE = 'test/dist/suite.js'
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

await runScript(() => {
  setup({ forTests: true })
  const given = process.argv.slice(2)
  const options = given.filter((arg) => arg.startsWith('-'))
  const files = given.filter((arg) => !arg.startsWith('-')).map((file) => `--test-arg=${file}`)
  // Files have limits of their own: test/suite.ts.
  process.exitCode = tap(['--timeout=0', ...options, ...files, SUITE], 'inherit').status ?? 1
  // Piped output is TAP, megabytes of it: what failed is said once more where one looks first, at the end.
  if (process.exitCode !== 0 && !process.stdout.isTTY) {
    process.stdout.write(`\nWhat failed:\n${failures(tap(['replay', '--reporter=terse', SUITE], 'pipe').stdout)}`)
  }
})

/** @param {'inherit' | 'pipe'} output */
function tap(args, output) {
  const bin = path.join(root, 'node_modules', '.bin', 'tap')
  return spawnSync(bin, args, {
    cwd: root,
    stdio: ['ignore', output, 'inherit'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024
  })
}

/** The reporter's text without its running count. */
function failures(text) {
  const lines = stripVTControlCharacters(text ?? '').split('\n')
  return `${lines.filter((line) => line.trim() !== '' && !/^(Asserts|Suites):/.test(line)).join('\n')}\n`
}
