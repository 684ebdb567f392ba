// npm test: sets up what is missing, then runs the tests. Arguments go to tap.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runScript, setup } from './setup.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

await runScript(() => {
  setup({ forTests: true })
  const tap = path.join(root, 'node_modules', '.bin', 'tap')
  const { status } = spawnSync(tap, process.argv.slice(2), { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  process.exitCode = status ?? 1
})
