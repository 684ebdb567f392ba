import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** What the server reads at run time, beside node_modules. */
const PARTS = [
  'apps/control-plane/dist',
  'apps/gateway/dist',
  'packages/builder/dist',
  'packages/executor/dist',
  'packages/sandbox/dist',
  'packages/sandbox/launcher',
  'packages/shared/dist',
  'packages/store/dist',
  'migrations',
  'scripts',
  'test/dist/helpers',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.base.json'
]

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Copies the built server with what it depends on to `target`, readable for everybody: an ordinary user cannot run it
 * where root has cloned it below a folder of root's own.
 */
export function relocateTree(root: string, target: string): void {
  const take = (relative: string) => {
    const from = path.join(root, relative)
    if (existsSync(from)) cpSync(from, path.join(target, relative), { recursive: true, preserveTimestamps: true })
  }
  mkdirSync(target, { recursive: true })
  for (const part of PARTS) take(part)
  const pending: string[] = []
  for (const kind of ['apps', 'packages']) {
    for (const name of readdirSync(path.join(root, kind))) {
      take(`${kind}/${name}/package.json`)
      pending.push(`${kind}/${name}`)
    }
  }
  cpSync(path.join(root, 'node_modules/@hearth'), path.join(target, 'node_modules/@hearth'), {
    recursive: true,
    verbatimSymlinks: true
  })
  const taken = new Set(pending)
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Manifest
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      const found = name.startsWith('@hearth/') ? undefined : resolve(root, folder, name)
      if (found === undefined || taken.has(found)) continue
      taken.add(found)
      pending.push(found)
      take(found)
    }
  }
  // So that `npm start` finds nothing to install or build: it could not write here.
  for (const stamp of ['.hearth-installed', '.hearth-build-server']) take(`node_modules/${stamp}`)
  writeFileSync(path.join(target, 'node_modules/.hearth-build-server'), String(Number.MAX_SAFE_INTEGER))
  openToAll(target)
}

/** Node's own search: the nearest node_modules upwards. @returns a path relative to `root` */
function resolve(root: string, folder: string, name: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name)
    if (existsSync(path.join(root, candidate, 'package.json'))) return candidate
    if (at === '.') return undefined
  }
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) openToAll(file)
    else if (entry.isFile()) chmodSync(file, (statSync(file).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}
