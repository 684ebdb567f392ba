import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'

/** The oldest version that has everything which the test functions are written with. */
export const RELEASE = 17
const RUNTIME_JAR = path.join(bundledRuntimesDir(), 'java/runtime.jar')

export interface CompileOptions {
  /** Further folders and jars that the sources need. */
  readonly classPath?: readonly string[]
  /** Whether the sources know Lambda's interfaces of the runtime. */
  readonly withRuntime?: boolean
  readonly release?: number
}

/** Compiles all sources below `sources` into `folder`, as one call of the JDK on PATH. */
export function compileJava(
  sources: string,
  folder: string,
  { classPath = [], withRuntime = true, release = RELEASE }: CompileOptions = {}
): void {
  mkdirSync(folder, { recursive: true })
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.java'))
    .map((name) => path.join(sources, name))
  const visible = [...(withRuntime ? [RUNTIME_JAR] : []), ...classPath, folder].join(':')
  const flags = [
    '--release',
    String(release),
    '-Xlint:-options',
    '-encoding',
    'UTF-8',
    '-g',
    '-cp',
    visible,
    '-d',
    folder
  ]
  execFileSync('javac', [...flags, ...files], { stdio: 'pipe' })
}

/** Compiles all sources below `sources` into the new jar `file`. */
export function makeJar(sources: string, file: string, options: CompileOptions = {}): void {
  const classes = mkdtempSync(path.join(tmpdir(), 'hearth-jar-'))
  try {
    compileJava(sources, classes, options)
    mkdirSync(path.dirname(file), { recursive: true })
    execFileSync('jar', ['cf', file, '-C', classes, '.'], { stdio: 'pipe' })
  } finally {
    rmSync(classes, { recursive: true, force: true })
  }
}
