import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mount } from '@hearth/sandbox'
import { PATHS } from './job.ts'
import type { Interpreter } from './types.ts'

/** A tool as a sandbox starts it. */
export interface Tool {
  readonly command: string
  readonly mounts: readonly Mount[]
  readonly version: string
}

/** What the builder brings itself: its program, and the Node.js that runs it. */
export const PROGRAM: readonly Mount[] = [
  { source: process.execPath, target: PATHS.node },
  { source: fileURLToPath(new URL('../dist/in-sandbox', import.meta.url)), target: PATHS.program }
]

/**
 * npm: the one that came with the function's Node.js, with the server's, or on `searchPath`.
 *
 * @returns undefined when there is none
 */
export async function findNpm({ command, mounts }: Interpreter, searchPath: string): Promise<Tool | undefined> {
  const own = mounts.find(({ target }) => target === command)?.source ?? command
  const bundled = [own, process.execPath].map((node) =>
    path.join(path.dirname(node), '../lib/node_modules/npm/bin/npm-cli.js')
  )
  const onPath = searchPath.split(':').map((folder) => path.join(folder, 'npm'))
  for (const candidate of [...bundled, ...onPath]) {
    const program = await realpath(candidate).catch(() => undefined)
    if (program === undefined || !/^npm(-cli)?\.(c|m)?js$/.test(path.basename(program))) continue
    const folder = path.dirname(path.dirname(program))
    const version = await versionOf(folder)
    if (version === undefined) continue
    // What is under /usr is in every sandbox.
    if (program.startsWith('/usr/')) return { command: program, mounts: [], version }
    const mount = { source: folder, target: PATHS.npm }
    return { command: path.join(PATHS.npm, path.relative(folder, program)), mounts: [mount], version }
  }
  return undefined
}

/** esbuild's own program: one file without dependencies. */
export function findEsbuild(): Mount | undefined {
  try {
    const esbuild = createRequire(createRequire(import.meta.url).resolve('esbuild'))
    const source = esbuild.resolve(`@esbuild/linux-${process.arch}/bin/esbuild`)
    return existsSync(source) ? { source, target: PATHS.esbuild } : undefined
  } catch {
    return undefined
  }
}

async function versionOf(folder: string): Promise<string | undefined> {
  try {
    const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}
