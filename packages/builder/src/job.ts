/** What the builder asks of the program in the sandbox: one line of JSON on the channel. */
export type Job = InstallJob | AssembleJob

/** Installs dependencies and sends back what the tool put there, as a zip relative to the package's root. */
export interface InstallJob {
  readonly step: 'install'
  readonly tool: 'npm' | 'pip' | 'bundler'
  /** The function's interpreter, as a path in the sandbox. */
  readonly interpreter: string
  /** npm's command line program, as a path in the sandbox; '' for the others. */
  readonly npm: string
  /** Files of /var/task that the tool sees; undefined: all of them. */
  readonly inputs: readonly string[] | undefined
  /** Base URL of the registry, index or gem source; undefined: the tool's own, or what the package says. */
  readonly registry: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly limits: Limits
}

/** Puts a package together: what was uploaded, over it what esbuild made, below it what was installed in /var/deps. */
export interface AssembleJob {
  readonly step: 'assemble'
  readonly hasDependencies: boolean
  readonly typescript: TypeScriptEntry | undefined
  readonly limits: Limits
}

export interface TypeScriptEntry {
  /** Relative path of the file that the handler names. */
  readonly entry: string
  readonly format: 'esm' | 'cjs'
}

/** What a package may be, unpacked. */
export interface Limits {
  readonly bytes: number
  readonly entries: number
}

/**
 * The program's first line on the channel. After an `ok` the bytes of a zip follow, to the end of the stream. `missing`
 * is what this machine lacks: nobody's fault but the operator's.
 */
export type Reply =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly missing?: string; readonly code?: 'TooLarge' }

/** Paths in the sandbox. */
export const PATHS = {
  task: '/var/task',
  deps: '/var/deps',
  node: '/var/build/node',
  program: '/var/build/lib',
  esbuild: '/var/build/esbuild',
  npm: '/var/build/npm',
  proxy: '/var/build/proxy'
} as const
