// Bundles the Node.js runtime into single files without dependencies, since their start-up is a cold start. Piscina,
// which only instances with worker threads load, is copied beside them.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build as bundle } from 'esbuild'

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see at /var/runtime */
export async function build({ source, target }) {
  await bundle({
    entryPoints: ['bootstrap', 'worker'].map((name) => path.join(source, `${name}.ts`)),
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

  const copy = path.join(target, 'host/node_modules/piscina')
  const original = path.join(createRequire(path.join(source, '../../../package.json')).resolve('piscina'), '../..')
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  cpSync(path.join(original, 'package.json'), path.join(copy, 'package.json'))
  cpSync(path.join(original, 'LICENSE'), path.join(copy, 'LICENSE'))
  cpSync(path.join(original, 'dist'), path.join(copy, 'dist'), {
    recursive: true,
    filter: (file) => !/\.(map|ts)$/.test(file)
  })
}
