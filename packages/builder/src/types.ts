import type { Mount } from '@hearth/sandbox'

/** What of this machine runs the function, as a sandbox starts it. */
export interface Interpreter {
  /** E.g. `20.20.2`. */
  readonly version: string
  /** As a path in the sandbox. */
  readonly command: string
  readonly mounts: readonly Mount[]
}

/** An unpacked package. What is in it is untrusted. */
export interface PackageFiles {
  /** Absolute. */
  readonly folder: string
  /** Hex sha256 of the package as it was uploaded. */
  readonly digest: string
  /** Relative paths of its files, links included. */
  readonly files: readonly string[]
  /** The first bytes of a file; empty when it is no plain file. */
  head(file: string, bytes: number): Promise<Buffer>
}

export interface BuilderSettings {
  /** Hosts that a build may reach: `name`, `name:port`, `*.domain`. Undefined: the public registries. */
  readonly hosts: readonly string[] | undefined
  readonly npmRegistry: string | undefined
  readonly pipIndex: string | undefined
  readonly gemSource: string | undefined
  /** How long one build may take. */
  readonly timeoutMs: number
  readonly memoryMiB: number
  readonly diskMiB: number
  /** Dependencies kept for the next deploy, over all functions; 0 keeps none. */
  readonly cacheMiB: number
  /** Builds at the same time. */
  readonly parallel: number
}
