// Bundles what runs inside sandboxes into packages/executor/dist/in-sandbox: single files without dependencies, since
// their start-up is a cold start. Piscina, which only instances with worker threads load, is copied beside them.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const executor = fileURLToPath(new URL('../packages/executor/', import.meta.url))
const target = path.join(executor, 'dist/in-sandbox/node')

await build({
  entryPoints: ['bootstrap', 'worker'].map((name) => path.join(executor, `src/runtimes/node/${name}.ts`)),
  outdir: target,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning'
})

// What a runtime loads before it has a function, so that its loader is warm.
mkdirSync(path.join(target, 'warm'), { recursive: true })
// Without it the nearest package.json above would decide what common.js is.
writeFileSync(path.join(target, 'warm/package.json'), '{}\n')
writeFileSync(path.join(target, 'warm/module.mjs'), 'export const handler = async (event) => event\n')
writeFileSync(path.join(target, 'warm/common.js'), 'exports.handler = async (event) => event\n')

const piscina = path.join(target, 'host/node_modules/piscina')
const source = path.join(createRequire(path.join(executor, 'package.json')).resolve('piscina'), '../..')
rmSync(piscina, { recursive: true, force: true })
mkdirSync(piscina, { recursive: true })
cpSync(path.join(source, 'package.json'), path.join(piscina, 'package.json'))
cpSync(path.join(source, 'LICENSE'), path.join(piscina, 'LICENSE'))
cpSync(path.join(source, 'dist'), path.join(piscina, 'dist'), {
  recursive: true,
  filter: (file) => !/\.(map|ts)$/.test(file)
})
