import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { ROOT } from './hearth.ts'

export interface CommandOptions {
  readonly env: NodeJS.ProcessEnv
  /** Default: this process's. */
  readonly cwd?: string
}

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * The AWS CLIs of this machine: Debian's, and the one on PATH. Found at once, so that a file's tests can be made in one
 * go: a file that waits for something between them may be taken to be at its end.
 */
export function awsClis(): string[] {
  const first = awsCliOnPath()
  const files = ['/usr/bin/aws', first].filter((file) => file !== undefined && existsSync(file))
  return [...new Set(files as string[])]
}

/** @returns undefined when there is none */
export function awsCliOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => path.join(folder, 'aws')).find((file) => existsSync(file))
}

/**
 * Runs a command of the AWS CLI at `file`, one after the other, and resolves when it has ended well.
 *
 * @throws Error with `code`, `stdout` and `stderr` when it has not
 */
export async function runAws(file: string, args: readonly string[], options: CommandOptions): Promise<Answer> {
  const python = interpreterOf(file)
  // As it comes from AWS it is no script.
  if (python === undefined) return { code: 0, ...(await promisify(execFile)(file, args, options)) }
  const server = servers.get(file) ?? new CliServer(python)
  servers.set(file, server)
  const answer = await server.run({ args, env: options.env, cwd: options.cwd ?? process.cwd() })
  if (answer.code === 0) return answer
  throw Object.assign(new Error(`aws ${args.join(' ')} ended with ${answer.code}: ${answer.stderr}`), answer)
}

const servers = new Map<string, CliServer>()

/** Of a Python script: what its first line names. */
function interpreterOf(file: string): string | undefined {
  const [, interpreter] = /^#! ?(\S*python\S*)\n/.exec(readFileSync(file).subarray(0, 200).toString('latin1')) ?? []
  return interpreter
}

/** test/fixtures/aws-cli.py, which ends with this process. */
class CliServer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #asked: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []

  constructor(python: string) {
    this.#child = spawn(python, [path.join(ROOT, 'test/fixtures/aws-cli.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#keepsProcess(false)
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#asked.shift()?.resolve(JSON.parse(line) as Answer)
      if (this.#asked.length === 0) this.#keepsProcess(false)
    })
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#asked) reject(new Error(`the AWS CLI's server ended with ${code}`))
    })
  }

  run(command: { args: readonly string[]; env: NodeJS.ProcessEnv; cwd: string }): Promise<Answer> {
    this.#keepsProcess(true)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(command)}\n`)
    })
  }

  /** While nothing is asked, this process may end, and with it the other's input. */
  #keepsProcess(keeps: boolean): void {
    const { stdin, stdout } = this.#child as unknown as Record<'stdin' | 'stdout', { ref(): void; unref(): void }>
    for (const one of [this.#child, stdin, stdout]) {
      if (keeps) one.ref()
      else one.unref()
    }
  }
}
