// Makes what runs inside sandboxes: in packages/executor/dist/in-sandbox, as each runtime's folder says in build.mjs, and
// in packages/builder/dist/in-sandbox.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build as buildBuilder } from '../packages/builder/build.mjs'

const executor = fileURLToPath(new URL('../packages/executor/', import.meta.url))
const sources = path.join(executor, 'src/runtimes')

for (const name of readdirSync(sources)) {
  const source = path.join(sources, name)
  const script = path.join(source, 'build.mjs')
  if (!existsSync(script)) continue
  const target = path.join(executor, 'dist/in-sandbox', name)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  const { build } = await import(pathToFileURL(script).href)
  await build({ source, target })
}

await buildBuilder()
