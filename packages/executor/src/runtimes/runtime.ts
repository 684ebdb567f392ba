import type { BootPlan } from '../boot.ts'
import type { Machine } from './machine.ts'

/** How one of AWS's identifiers is served by an interpreter of this machine. */
export interface Served {
  /** Whether the interpreter is of the version that the identifier names, or the nearest to it. */
  readonly exact: boolean
  /** What the function finds in its environment besides Lambda's own variables; `undefined` takes one of those away. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** One interpreter of this machine, and how it is started in a sandbox. */
export interface Interpreter {
  /** Unique, e.g. `node20`: sandboxes are kept ready by this name. */
  readonly name: string
  /** For people, e.g. `Node.js 20.20.2`. */
  readonly title: string
  /** E.g. `20.20.2`. */
  readonly version: string
  /** As the first line of an instance's log names it, e.g. `nodejs:20.20.2`. */
  readonly runtimeVersion: string
  /**
   * Whether events may be sent to it before it is done with the one before: it notes in its progress page how far it has
   * come, and gives back what a long event would hold up.
   */
  readonly presends?: boolean
  /** Whether extensions find their APIs in its sandbox without further ado. */
  readonly hasExtensions?: boolean
  /** Whether one instance can serve several events at once. */
  readonly concurrent?: boolean
  /** What a sandbox for a function of this memory runs: the generic part, before a function is known. */
  boot(memoryMiB: number): BootPlan
}

/** A package that was unpacked, as a language sees it at deploy time. What is in it is untrusted. */
export interface PackageView {
  /** Relative paths of its files, links included. */
  readonly files: readonly string[]
  /** Whether the owner may execute it. */
  isExecutable(file: string): boolean
  /** The first bytes of a file; empty when it is no plain file. Never follows a link out of the package. */
  head(file: string, bytes: number): Promise<Buffer>
  /** What its layers bring to /opt; absent without layers. */
  readonly opt?: PackageView
}

/** What a deploy is told about its package. A problem refuses it; a notice comes with the answer. */
export interface Findings {
  readonly problem?: string
  readonly notices?: readonly string[]
}

/** How a single source file becomes a package. */
export interface SourceRule {
  /** With its dot, e.g. `.py`; `''` for files without one. */
  readonly extension: string
  /** Whether text that came without a file name looks like this language. */
  recognises(text: string): boolean
  /** The package that it makes. */
  pack(text: string): {
    readonly file: string
    readonly executable?: boolean
    /** The handler to use when none is given. */
    readonly handler: string
    readonly notices: readonly string[]
  }
}

/**
 * A language: AWS's identifiers for it, the interpreters of this machine, which of them serves which identifier, and
 * the rules for its handlers and packages. Each has a folder of its own here: `language.ts` exports `openLanguage`,
 * `build.mjs` makes what runs inside the sandbox, and nothing else knows that it exists.
 */
export interface Language {
  /** E.g. `python`. */
  readonly name: string
  /** Every identifier that Hearth knows of this language, oldest first. */
  readonly identifiers: readonly string[]
  readonly interpreters: readonly Interpreter[]
  /**
   * @param handler - As the function names it: some languages start differently by its form
   * @returns undefined when no interpreter of this machine can serve it
   */
  serve(identifier: string, handler: string): { readonly interpreter: Interpreter; readonly served: Served } | undefined
  /** What to install for `identifier`, as an order: `install Python 3.13 (…)`. */
  remedy(identifier: string): string
  /** The handler of a function that names none. */
  readonly defaultHandler: string
  /** @returns what is wrong with the form of this handler, for the deployer, or undefined */
  handlerProblem(handler: string, identifier: string): string | undefined
  /** Looks at an unpacked package: missing files, wrong layout, wrong architecture. */
  inspect(view: PackageView, handler: string, identifier: string): Promise<Findings>
  /** The handler of a package that was deployed without runtime and handler, or undefined when it isn't this language's. */
  guess(view: PackageView): string | undefined
  readonly sources: readonly SourceRule[]
}

/** What `language.ts` of each runtime's folder exports as `openLanguage`. */
export type OpenLanguage = (machine: Machine) => Promise<Language>
