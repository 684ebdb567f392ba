import type { BootPlan } from '../stock.ts'

/** How one of AWS's identifiers is served by an interpreter of this machine. */
export interface Served {
  /** Whether the interpreter is of the version that the identifier names, or the nearest to it. */
  readonly exact: boolean
  /** What the function finds in its environment besides Lambda's own variables. */
  readonly environment: Readonly<Record<string, string>>
}

/** One interpreter of this machine, and how it is started in a sandbox. */
export interface Interpreter {
  /** Unique, e.g. `node20`: sandboxes are kept ready by this name. */
  readonly name: string
  /** E.g. `20.20.2`. */
  readonly version: string
  /** As the first line of an instance's log names it, e.g. `nodejs:20.20.2`. */
  readonly runtimeVersion: string
  /** What a sandbox for a function of this memory runs: the generic part, before a function is known. */
  boot(memoryMiB: number): BootPlan
}

/**
 * A language: AWS's identifiers for it, the interpreters of this machine, and which of them serves which identifier.
 * Each language has a folder of its own here, with this as its face and the bootstrap that runs in the sandbox.
 */
export interface Language {
  /** Every identifier that Hearth knows of this language, oldest first. */
  readonly identifiers: readonly string[]
  readonly interpreters: readonly Interpreter[]
  /** @returns undefined when no interpreter of this machine can serve it */
  serve(identifier: string): { readonly interpreter: Interpreter; readonly served: Served } | undefined
  /** What to install for `identifier`. */
  remedy(identifier: string): string
}
