// npm run bench: sets up what is missing, then measures. Arguments: see bench/run.ts.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runScript, setup } from './setup.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

await runScript(() => {
  setup({ forBench: true })
  const { status } = spawnSync(process.execPath, [path.join(root, 'bench/dist/run.js'), ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit']
  })
  process.exitCode = status ?? 1
})
