import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Outcome, openRuntimeRegistry } from '@hearth/executor'
import type { Test } from 'tap'
import { type LogLine, startExecutor, type TestExecutor, valueOf } from '../helpers/executor.ts'
import { CACHE_DIR, eventually } from '../helpers/hearth.ts'
import { compileJava, makeJar } from './java-classes.ts'

const SOURCES = path.resolve('test/fixtures/functions/java')

/** The identifiers that a JVM of exactly their version serves here; the tests are written for Java 17 and newer. */
export async function javaRuntimes(): Promise<string[]> {
  const registry = await openRuntimeRegistry({
    node: { execPath: process.execPath, version: process.versions.node },
    configured: {},
    cacheDir: CACHE_DIR,
    path: process.env['PATH'] ?? ''
  })
  return registry
    .list()
    .filter(({ runtime, exact }) => /^java(?!8|11)/.test(runtime) && exact)
    .map(({ runtime }) => runtime)
}

/** The folders of the test functions, compiled. */
export interface Packages {
  /** Classes, a file and lib/*.jar. */
  readonly main: string
  /** To be shown at /opt. */
  readonly layer: string
  /** A package with its own copy of Lambda's interfaces, in a jar. */
  readonly ownCore: string
  /** A package with a class of Lambda's library of events. */
  readonly events: string
}

/** Compiles them into a new folder, which goes with `t`. */
export function makePackages(t: Test): Packages {
  const root = mkdtempSync(path.join(tmpdir(), 'hearth-java-functions-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  chmodSync(root, 0o755)
  const packages = {
    main: path.join(root, 'main'),
    layer: path.join(root, 'layer'),
    ownCore: path.join(root, 'own-core'),
    events: path.join(root, 'events')
  }
  compileJava(path.join(SOURCES, 'main'), packages.main)
  writeFileSync(path.join(packages.main, 'data.txt'), 'content')
  makeJar(path.join(SOURCES, 'jar'), path.join(packages.main, 'lib/places.jar'))
  makeJar(path.join(SOURCES, 'layer'), path.join(packages.layer, 'java/lib/layer.jar'))
  makeJar(path.join(SOURCES, 'own-core'), path.join(packages.ownCore, 'lib/all.jar'), { withRuntime: false })
  compileJava(path.join(SOURCES, 'events'), packages.events)
  return packages
}

type Spec = Parameters<TestExecutor['pool']>[0]

export interface JavaFunctions extends TestExecutor {
  /** A function of the main package, or of another that `spec` names. */
  readonly java: (handler: string, spec?: Partial<Spec>) => ReturnType<TestExecutor['pool']>
  /** Its first answer, once its log is complete. */
  readonly call: (handler: string, payload?: unknown, spec?: Partial<Spec>) => Promise<Outcome>
  /** Its first answer, as a value. */
  readonly value: (handler: string, payload?: unknown, spec?: Partial<Spec>) => Promise<unknown>
}

/** An executor for functions of `runtime`. */
export async function startJava(t: Test, runtime: string, packages: Packages): Promise<JavaFunctions> {
  const executor = await startExecutor(t)
  const java: JavaFunctions['java'] = (handler, spec = {}) =>
    executor.pool({ codeDir: packages.main, runtime, handler, ...spec })
  const call: JavaFunctions['call'] = async (handler, payload, spec) => {
    const pool = java(handler, spec)
    const requestId = randomUUID()
    const outcome = await executor.invoke(pool, payload, { requestId })
    // What was printed comes on another socket than the answer; its lines are complete when the platform's own follow.
    const isReport = (line: LogLine) => line.requestId === requestId && /^REPORT |"platform\.report"/.test(line.text)
    if (outcome.status !== 'init_error') await eventually(() => executor.lines.some(isReport))
    pool.retire()
    return outcome
  }
  return { ...executor, java, call, value: async (...given) => valueOf(await call(...given)) }
}
