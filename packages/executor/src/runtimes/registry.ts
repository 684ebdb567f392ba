import type { BootPlan } from '../boot.ts'
import type { Interpreter, Language, Served } from './runtime.ts'

/** What serves an identifier. */
export type Resolved = Omit<Interpreter, 'boot'> & Served

/** One of AWS's identifiers on this machine. */
export interface RuntimeInfo {
  /** E.g. `nodejs20.x`. */
  readonly runtime: string
  /** E.g. `node`. */
  readonly language: string
  /** Name of what serves it, as its sandboxes are kept ready by; undefined when there is none on this machine. */
  readonly name: string | undefined
  /** What serves it, for people, e.g. `Node.js 20.20.2`; undefined when there is none on this machine. */
  readonly interpreter: string | undefined
  /** Whether the interpreter is the one that the identifier names, or the nearest to it. */
  readonly exact: boolean
  /** What to install, when there is none. */
  readonly remedy: string | undefined
}

/** All runtimes of this machine. */
export interface RuntimeRegistry {
  /** The interpreter for a function that names none, and the first to be kept ready. */
  readonly default: Interpreter
  /** In the order of their names, Node.js first. */
  readonly languages: readonly Language[]
  /** @returns undefined when nothing on this machine serves the identifier */
  resolve(identifier: string, handler: string): Resolved | undefined
  /** The language that an identifier belongs to, installed or not. */
  languageOf(identifier: string): Language | undefined
  /**
   * How to start interpreter `name` for functions of this memory.
   * @throws Error if there is no such interpreter
   */
  boot(name: string, memoryMiB: number): BootPlan
  /** Every identifier that Hearth knows, and whether this machine can run it. */
  list(): readonly RuntimeInfo[]
}

/**
 * Where libraries of functions and layers lie. The loader reads it when a program starts, which is before the function
 * is known; the folders are filled by then.
 */
const LIBRARIES = { LD_LIBRARY_PATH: '/var/task:/var/task/lib:/opt/lib' }

/** Behind an interpreter's name: the same with the Extensions and Telemetry APIs beside it. */
export const WITH_EXTENSIONS = '+extensions'

/** @throws Error if no language has an interpreter: there would be nothing to run */
export function createRegistry(
  languages: readonly Language[],
  extend: (plan: BootPlan) => BootPlan = (plan) => plan
): RuntimeRegistry {
  const interpreters = new Map<string, Interpreter>()
  const byIdentifier = new Map<string, Language>()
  for (const language of languages) {
    for (const interpreter of language.interpreters) interpreters.set(interpreter.name, interpreter)
    for (const identifier of language.identifiers) byIdentifier.set(identifier, language)
  }
  const [first] = interpreters.values()
  if (first === undefined) throw new Error('no interpreter for any runtime was found')

  const infos = languages.flatMap((language) =>
    language.identifiers.map((runtime): RuntimeInfo => {
      const found = language.serve(runtime, language.defaultHandler)
      return {
        runtime,
        language: language.name,
        name: found?.interpreter.name,
        interpreter: found?.interpreter.title,
        exact: found?.served.exact ?? false,
        remedy: found === undefined ? language.remedy(runtime) : undefined
      }
    })
  )

  return {
    default: first,
    languages,
    resolve(identifier, handler) {
      const found = byIdentifier.get(identifier)?.serve(identifier, handler)
      if (found === undefined) return undefined
      const { name, title, version, runtimeVersion, presends = false, concurrent = false } = found.interpreter
      return { name, title, version, runtimeVersion, presends, concurrent, ...found.served }
    },
    languageOf: (identifier) => byIdentifier.get(identifier),
    boot(name, memoryMiB) {
      const isExtended = name.endsWith(WITH_EXTENSIONS)
      const interpreter = interpreters.get(isExtended ? name.slice(0, -WITH_EXTENSIONS.length) : name)
      if (interpreter === undefined) throw new Error(`no interpreter is named ${name}`)
      const own = interpreter.boot(memoryMiB)
      const plan = { ...own, env: { ...LIBRARIES, ...own.env } }
      // A custom runtime has all of it anyway.
      return isExtended && interpreter.hasExtensions !== true ? extend(plan) : plan
    },
    list: () => infos
  }
}
