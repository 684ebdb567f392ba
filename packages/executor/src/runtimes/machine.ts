import { execFile } from 'node:child_process'
import { access, constants, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Answers } from './answers.ts'

/** Looked at before PATH: what the system brings is in every sandbox, and stays when somebody's own versions change. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin']
const PROBE_MS = 10_000
/** In place of a path: what is installed is left alone. */
const NONE = 'none'

/** An interpreter of this machine: its absolute path and version, e.g. `20.20.2`. */
export interface Binary {
  readonly execPath: string
  readonly version: string
}

/** What languages ask of the machine when they look for their interpreters. */
export interface Machine {
  /** The Node.js that the server itself runs on. */
  readonly node: Binary
  /** Processor as Lambda names it. */
  readonly architecture: 'x86_64' | 'arm64'
  /** Folder with what the build made for `language`: its bootstrap. Absolute. */
  bundled(language: string): string
  /** Whether interpreters of `language` are looked for: the configuration may want those that it names, or none. */
  searches(language: string): boolean
  /**
   * Interpreters to try: those configured for `language` first, then `commands` as found in the usual folders and on
   * PATH where they are looked for. Absolute real paths, each once; only files that can be executed.
   */
  candidates(language: string, commands: readonly string[]): Promise<readonly string[]>
  /**
   * What a command prints (stdout, then stderr), or undefined when it fails or takes longer than 10 s. The answer may be
   * an earlier one of the same file.
   */
  ask(execPath: string, args: readonly string[]): Promise<string | undefined>
  /** The same for what does not depend on the file alone: it is asked each time. */
  askAnew(execPath: string, args: readonly string[]): Promise<string | undefined>
}

export interface MachineOptions {
  readonly node: Binary
  /** Folder of the bundled runtimes, absolute. */
  readonly bundledDir: string
  /** Absolute paths of further interpreters, by language; `none` among them: only those. */
  readonly configured: Readonly<Record<string, readonly string[]>>
  /** Of the server: where commands are looked for. */
  readonly path: string
  /** What was answered at earlier starts. */
  readonly answers: Answers
}

/** Looks at this machine; nothing is started before a language asks. */
export function openMachine({ node, bundledDir, configured, path: searchPath, answers }: MachineOptions): Machine {
  const fromPath = searchPath.split(':').filter((folder) => path.isAbsolute(folder))
  const folders = [...new Set([...USUAL_FOLDERS, ...fromPath])]
  const searches = (language: string): boolean => configured[language]?.includes(NONE) !== true
  return {
    node,
    searches,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    bundled: (language) => path.join(bundledDir, language),
    async candidates(language, commands) {
      const found = searches(language)
        ? commands.flatMap((command) => folders.map((folder) => path.join(folder, command)))
        : []
      const wanted = [...(configured[language] ?? []).filter((file) => file !== NONE), ...found]
      const real = await Promise.all(wanted.map(executable))
      return [...new Set(real.filter((file) => file !== undefined))]
    },
    async ask(execPath, args) {
      const known = await answers.recall(execPath, args)
      if (known !== undefined) return known.text
      const text = await askAnew(execPath, args)
      await answers.learn(execPath, args, text)
      return text
    },
    askAnew
  }
}

function askAnew(execPath: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { PATH: USUAL_FOLDERS.join(':'), LANG: 'C.UTF-8' }
    execFile(execPath, args, { timeout: PROBE_MS, env, cwd: '/' }, (error, stdout, stderr) => {
      resolve(error === null ? stdout + stderr : undefined)
    })
  })
}

async function executable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK)
    return await realpath(file)
  } catch {
    return undefined
  }
}
