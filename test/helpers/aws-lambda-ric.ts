import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { ROOT } from './hearth.ts'

const NAME = 'aws-lambda-ric'
const BUILD_MS = 300_000

/**
 * AWS's runtime interface client for Node.js, with its native part: the folder of the package, to be copied into a
 * function's node_modules. Its installation compiles a client in C++, which nobody but these tests needs, so
 * npm does not run it; the first call does, and keeps what it made.
 *
 * @throws Error with the compiler's words when it cannot be built
 */
export function builtLambdaRic(): string {
  const source = path.join(ROOT, 'node_modules', NAME)
  const { version } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as { version: string }
  const cache = path.join(ROOT, 'node_modules/.cache/hearth')
  const target = path.join(cache, `${NAME}-${version}`)
  if (existsSync(path.join(target, 'rapid-client.node'))) return target
  mkdirSync(cache, { recursive: true })
  // Not under a folder node_modules: only there does its installation delete what it was made from.
  const work = mkdtempSync(path.join(cache, 'building-'))
  try {
    cpSync(source, work, { recursive: true })
    // Where this Node brought its headers; else node-gyp fetches them.
    const prefix = path.dirname(path.dirname(process.execPath))
    const nodedir = existsSync(path.join(prefix, 'include/node')) ? { npm_config_nodedir: prefix } : {}
    const env = { ...process.env, ...nodedir, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
    const run = (file: string, args: readonly string[], cwd: string) =>
      execFileSync(file, args, { cwd, env, stdio: 'pipe', timeout: BUILD_MS })
    buildLibraries(path.join(work, 'deps'), run)
    run(path.join(work, 'scripts/postinstall.sh'), [], work)
    for (const rest of ['deps', 'src', 'node_modules']) rmSync(path.join(work, rest), { recursive: true, force: true })
    // Functions run as somebody else, who must be able to read it.
    chmodSync(work, 0o755)
    rmSync(target, { recursive: true, force: true })
    renameSync(work, target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return target
}

/**
 * What the package's preinstall script makes, with the system's curl in place of one from source: that alone takes
 * longer than all other tests of the package's runtime.
 */
function buildLibraries(deps: string, run: (file: string, args: readonly string[], cwd: string) => void): void {
  const artifacts = path.join(deps, 'artifacts')
  const source = path.join(deps, 'aws-lambda-cpp')
  const jobs = String(availableParallelism())
  mkdirSync(source)
  run('tar', ['xJf', '../aws-lambda-cpp.tar.xz', '--no-same-owner'], source)
  run('cmake', ['-B', 'build', '-DCMAKE_CXX_FLAGS=-fPIC', `-DCMAKE_INSTALL_PREFIX=${artifacts}`, '.'], source)
  run('cmake', ['--build', 'build', '--target', 'install', '--parallel', jobs], source)
  // The linker takes a script under the name of a library.
  writeFileSync(path.join(artifacts, 'lib/libcurl.a'), 'INPUT(-lcurl)\n')
}
