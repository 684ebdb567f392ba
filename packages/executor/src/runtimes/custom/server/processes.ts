import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync, openSync, readSync } from 'node:fs'

/** How a process ended, in the words of the platform: `exit status 1`, `signal: killed`. */
export interface Ending {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** ELF's number of this machine's processor. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

/** Why this file cannot be executed, or undefined. The words are the kernel's, as Go prints them. */
export function executionProblem(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : 'permission denied'
  }
  let head: Buffer
  try {
    head = headOf(file)
  } catch {
    // A program that may be executed need not be readable.
    return undefined
  }
  const script = /^#!\s*(\S+)/.exec(head.toString('latin1'))
  if (script !== null) return existsSync(script[1] ?? '') ? undefined : 'no such file or directory'
  const isElf = head.toString('latin1', 0, 4) === '\x7fELF'
  // Left to itself, execvp would have a shell try it.
  return isElf && head.readUInt16LE(18) === MACHINES[process.arch] ? undefined : 'exec format error'
}

/** Starts a program with the given environment and nothing else; tells its end once. */
export function start(
  file: string,
  args: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>
    readonly cwd: string
    /** Whether its output comes here instead of going where this process's goes. */
    readonly piped: boolean
    /** Whether it gets a channel as descriptor 3. */
    readonly channel?: boolean
  },
  onEnd: (ending: Ending) => void
): ChildProcess {
  const output = options.piped ? 'pipe' : 'inherit'
  const child = spawn(file, args, {
    env: options.env,
    cwd: options.cwd,
    stdio: ['ignore', output, output, ...(options.channel === true ? (['pipe'] as const) : [])]
  })
  child.once('error', () => {
    onEnd({ code: 127, signal: undefined })
  })
  child.once('exit', (code, signal) => {
    onEnd({ code: code ?? undefined, signal: signal ?? undefined })
  })
  return child
}

/** Ends this process as that one ended, so that the platform sees it as if there were none in between. */
export function endAs({ code, signal }: Ending): never {
  if (signal !== undefined) {
    // As a shell would; the platform reads it back as the signal.
    process.exit(128 + (SIGNAL_NUMBERS[signal] ?? 0))
  }
  process.exit(code ?? 0)
}

export function endingText({ code, signal }: Ending): string {
  if (signal !== undefined) return `signal: ${SIGNAL_WORDS[signal] ?? signal}`
  return `exit status ${code ?? 0}`
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGSYS: 31
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated'
}

function headOf(file: string): Buffer {
  const bytes = Buffer.alloc(256)
  const fd = openSync(file, 'r')
  try {
    readSync(fd, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(fd)
  }
  return bytes
}
