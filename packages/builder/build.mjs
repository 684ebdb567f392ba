// Bundles the program that runs in a build's sandbox into one file without dependencies.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'

const root = path.dirname(fileURLToPath(import.meta.url))

/** Makes dist/in-sandbox. */
export async function build() {
  await bundle({
    entryPoints: { build: path.join(root, 'src/in-sandbox/main.ts') },
    outdir: path.join(root, 'dist/in-sandbox'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning'
  })
}
