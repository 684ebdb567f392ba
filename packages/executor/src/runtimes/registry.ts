import { fileURLToPath } from 'node:url'
import type { BootPlan } from '../stock.ts'
import type { RuntimeInfo } from '../types.ts'
import type { Interpreter, Language, Served } from './runtime.ts'

/** What serves an identifier. */
export type Resolved = Pick<Interpreter, 'name' | 'version' | 'runtimeVersion'> & Served

/** All runtimes of this machine. */
export interface RuntimeRegistry {
  /** The interpreter for a function that names none, and the first to be kept ready. */
  readonly default: Interpreter
  /** @returns undefined when nothing on this machine serves the identifier */
  resolve(identifier: string): Resolved | undefined
  /**
   * How to start interpreter `name` for functions of this memory.
   * @throws Error if there is no such interpreter
   */
  boot(name: string, memoryMiB: number): BootPlan
  /** Every identifier that Hearth knows, and whether this machine can run it. */
  list(): readonly RuntimeInfo[]
}

/** @throws Error if no language has an interpreter: there would be nothing to run */
export function createRegistry(languages: readonly Language[]): RuntimeRegistry {
  const interpreters = new Map<string, Interpreter>()
  const resolved = new Map<string, Resolved>()
  const infos: RuntimeInfo[] = []
  for (const language of languages) {
    for (const interpreter of language.interpreters) interpreters.set(interpreter.name, interpreter)
    for (const identifier of language.identifiers) {
      const found = language.serve(identifier)
      if (found !== undefined) {
        const { name, version, runtimeVersion } = found.interpreter
        resolved.set(identifier, { name, version, runtimeVersion, ...found.served })
      }
      infos.push({
        runtime: identifier,
        interpreter: found?.interpreter.version,
        exact: found?.served.exact ?? false,
        remedy: found === undefined ? language.remedy(identifier) : undefined
      })
    }
  }
  const [first] = interpreters.values()
  if (first === undefined) throw new Error('no interpreter for any runtime was found')
  return {
    default: first,
    resolve: (identifier) => resolved.get(identifier),
    boot(name, memoryMiB) {
      const interpreter = interpreters.get(name)
      if (interpreter === undefined) throw new Error(`no interpreter is named ${name}`)
      return interpreter.boot(memoryMiB)
    },
    list: () => infos
  }
}

/** Where the build puts what runs inside sandboxes: one folder for each language. */
export function bundledRuntimesDir(): string {
  return fileURLToPath(new URL('../../dist/in-sandbox/', import.meta.url))
}
