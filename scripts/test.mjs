// npm test: sets up what is missing, then runs the tests. Arguments go to tap.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runScript, setup } from './setup.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

await runScript(() => {
  setup({ forTests: true })
  const args = process.argv.slice(2)
  const status = tap(args)
  process.exitCode = status
  // Piped output is TAP, megabytes of it: what failed is said once more where one looks first, at the end.
  if (status !== 0 && !process.stdout.isTTY) {
    process.stdout.write('\n# What failed:\n')
    tap(['replay', '--reporter=terse', ...args.filter((arg) => !arg.startsWith('-'))])
  }
})

/** @returns {number} its exit code */
function tap(args) {
  const bin = path.join(root, 'node_modules', '.bin', 'tap')
  return spawnSync(bin, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
}
