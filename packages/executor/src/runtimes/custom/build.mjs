// Bundles the server of the Runtime API into one file without dependencies.
import path from 'node:path'
import { build as bundle } from 'esbuild'

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see */
export async function build({ source, target }) {
  await bundle({
    entryPoints: { server: path.join(source, 'server/main.ts') },
    outdir: target,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning'
  })
}
