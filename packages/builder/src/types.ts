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
