import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { type AssembleJob, PATHS, type TypeScriptEntry } from '../job.ts'
import { BuildError } from './build-error.ts'
import { command } from './command.ts'
import { addTree, type Tree, type Zip, zipTree } from './zip-tree.ts'

const OUT = '/tmp/out'

/** @throws BuildError */
export async function assemble({ hasDependencies, typescript, limits }: AssembleJob): Promise<Zip> {
  const tree: Tree = new Map()
  if (hasDependencies) addTree(tree, PATHS.deps)
  const installed = new Set([...tree.keys()].flatMap((name) => /^(.*?\/)?node_modules\//.exec(name)?.[0] ?? []))
  // npm ci replaces whole folders of modules; a file of the package's own otherwise wins.
  addTree(tree, PATHS.task, (name) => ![...installed].some((folder) => name.startsWith(folder)))
  if (typescript !== undefined) {
    await translate(typescript)
    addTree(tree, OUT)
  }
  return zipTree(tree, limits)
}

/**
 * The project's own files become one file where the handler's was. Packages stay outside of it, in node_modules: what
 * loads files or native code beside itself goes on working.
 */
async function translate({ entry, format }: TypeScriptEntry): Promise<void> {
  mkdirSync(OUT)
  const { dir, name } = path.parse(entry)
  const outfile = path.join(OUT, dir, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`)
  const options = [
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--packages=external',
    `--format=${format}`,
    '--sourcemap=inline',
    '--sources-content=false',
    '--log-limit=20',
    '--color=false',
    `--outfile=${outfile}`
  ]
  const status = await command([PATHS.esbuild, `./${entry}`, ...options], { cwd: PATHS.task, env: {} })
  if (status !== 0) throw new BuildError('The TypeScript sources cannot be built.')
}
