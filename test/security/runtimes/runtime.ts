/** Runtimes that are attacked beside Node.js, each in a sandbox as only it has. */
export type RuntimeName = 'python' | 'ruby' | 'java' | 'dotnet' | 'provided'

/** A file of a package, and whether it may be executed. */
export interface PackageFile {
  readonly content: Buffer
  readonly mode?: number
}

/**
 * How attacks are written and deployed in one language. The body of an attack finds `facts`, a map of texts;
 * `attempt(name, act)`, which notes as loot what comes back true and as refused what fails; `struck()`, which reads
 * what the native library `strike.so` has got; and `send(hex)`, which writes bytes to the channel. It may return a text
 * that is then the whole answer.
 */
export interface RuntimeUnderAttack {
  readonly name: RuntimeName
  /** As deployed. */
  readonly identifier: string
  /** Of its functions, unless an attack says otherwise. */
  readonly memoryMiB: number
  /** Hands `facts.facts` to the program of `facts.node`, and answers what that prints. */
  readonly carrier: string
  /** Makes one package of all bodies. `dir` is an empty folder to work in. */
  build(bodies: readonly string[], dir: string): Readonly<Record<string, PackageFile>>
  /** The handler of the n-th body. */
  handlerOf(n: number): string
}

/** Whether a body's last statement returns or never ends: some compilers want nothing behind it. */
export function endsItself(body: string): boolean {
  return /(return [^;]+|for \(;;\)[^;]*);$/.test(body.trim())
}

/** Indents all lines of a body, for languages that care. */
export function indent(body: string, spaces: number): string {
  return body.trim().replaceAll('\n', `\n${' '.repeat(spaces)}`)
}

export function text(content: string, mode?: number): PackageFile {
  return { content: Buffer.from(content), ...(mode === undefined ? {} : { mode }) }
}
