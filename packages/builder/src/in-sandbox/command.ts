import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Its output is no part of the log. */
  readonly quiet?: boolean
}

/** Runs a program to its end. @returns its exit status; a signal counts as -1, a program that is not there as 127 */
export function command([file = '', ...args]: readonly string[], { cwd, env, quiet }: CommandOptions): Promise<number> {
  return new Promise((resolve) => {
    const output = quiet === true ? 'ignore' : 'inherit'
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', output, output] })
    child.on('error', () => resolve(127))
    child.on('exit', (code) => resolve(code ?? -1))
  })
}
