import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import { ROOT } from '../helpers/hearth.ts'

/** The oldest version that has everything which the test functions are written with. */
export const RELEASE = 17
/** Classes by what they were made from: javac takes seconds, and sources seldom change from one run to the next. */
const KEPT = path.join(ROOT, 'node_modules/.cache/hearth/classes')
/** For a JVM that ends before its second compiler and its parallel collector would pay. */
export const SHORT_LIVED = ['-J-XX:TieredStopAtLevel=1', '-J-XX:+UseSerialGC']
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
  const visible = [...(withRuntime ? [RUNTIME_JAR] : []), ...classPath, folder]
  const kept = path.join(KEPT, hashOf(`${release} ${jdk()}`, [sources, ...visible]))
  if (!existsSync(kept)) {
    mkdirSync(KEPT, { recursive: true })
    const building = mkdtempSync(path.join(KEPT, 'building-'))
    try {
      const flags = ['--release', String(release), '-Xlint:-options', '-encoding', 'UTF-8', '-g']
      const paths = ['-cp', visible.join(':'), '-d', building]
      const files = filesBelow(sources).filter((name) => name.endsWith('.java'))
      execFileSync('javac', [...SHORT_LIVED, ...flags, ...paths, ...files], { stdio: 'pipe' })
      renameSync(building, kept)
    } catch (thrown) {
      // Another file's tests may have been first: theirs are the same.
      if (!existsSync(kept)) throw thrown
    } finally {
      rmSync(building, { recursive: true, force: true })
    }
  }
  cpSync(kept, folder, { recursive: true })
}

/** Of `text` and of all files below the paths, names and content. */
function hashOf(text: string, paths: readonly string[]): string {
  const hash = createHash('sha256').update(text)
  for (const [index, top] of paths.entries()) {
    for (const file of filesBelow(top)) {
      hash
        .update(`\0${index} ${path.relative(top, file)}\0`)
        .update(createHash('sha256').update(readFileSync(file)).digest())
    }
  }
  return hash.digest('hex')
}

/** The path itself when it is a file. */
function filesBelow(top: string): string[] {
  if (statSync(top).isFile()) return [top]
  const entries = readdirSync(top, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

/** Where the JDK on PATH lies, which names its version. */
function jdk(): string {
  const files = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'javac'))
  const file = files.find((one) => existsSync(one))
  return file === undefined ? '' : `${realpathSync(file)} ${statSync(file).mtimeMs}`
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
