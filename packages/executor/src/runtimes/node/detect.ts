import path from 'node:path'
import type { Interpreter, Language } from '../runtime.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['nodejs20.x', 'nodejs22.x', 'nodejs24.x']

const INTERPRETER = '/var/lang/bin/node'
const RUNTIME_DIR = '/var/runtime'

/** Part of a function's memory for V8's old generation, and what Node needs besides its heap: measured. */
const HEAP_SHARE = 0.9
const OUTSIDE_HEAP_MIB = 30
const MIN_HEAP_MIB = 64
/** Short-lived objects of each event; larger wastes memory of small functions, smaller collects too often. */
const SEMI_SPACE_SHARE = 0.05
const MAX_SEMI_SPACE_MIB = 16

/** A Node.js on this machine: its absolute path and version, e.g. `20.20.2`. */
export interface NodeBinary {
  readonly execPath: string
  readonly version: string
}

/**
 * The Node.js runtimes that these binaries make.
 * @param binaries - The gateway's own Node first; of two with the same major version the first counts
 * @param runtimesDir - Folder of the bundled runtimes, absolute
 */
export function nodeLanguage(binaries: readonly NodeBinary[], runtimesDir: string): Language {
  const byMajor = new Map<number, Interpreter>()
  for (const binary of binaries) {
    const major = majorOf(binary.version)
    if (!byMajor.has(major)) byMajor.set(major, nodeInterpreter(binary, runtimesDir))
  }
  return {
    identifiers: IDENTIFIERS,
    interpreters: [...byMajor.values()],
    serve(identifier) {
      const wanted = majorOf(identifier.replace('nodejs', ''))
      const major = nearest(wanted, [...byMajor.keys()])
      const interpreter = major === undefined ? undefined : byMajor.get(major)
      if (interpreter === undefined) return undefined
      return { interpreter, served: { exact: major === wanted, environment: { NODE_PATH: nodePath(wanted) } } }
    },
    remedy: (identifier) => `install Node.js ${majorOf(identifier.replace('nodejs', ''))}`
  }
}

/** How one Node.js is started in a sandbox. */
function nodeInterpreter({ execPath, version }: NodeBinary, runtimesDir: string): Interpreter {
  return {
    name: `node${majorOf(version)}`,
    version,
    runtimeVersion: `nodejs:${version}`,
    boot: (memoryMiB) => ({
      command: [INTERPRETER, ...heapFlags(memoryMiB), `${RUNTIME_DIR}/bootstrap.cjs`],
      // Of no function yet; INIT replaces all of it.
      env: { PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: ':UTC' },
      mounts: [
        { source: execPath, target: INTERPRETER },
        { source: path.join(runtimesDir, 'node'), target: RUNTIME_DIR }
      ]
    })
  }
}

/**
 * V8 must know its limit when it starts: without one it lets garbage grow until the sandbox's memory limit kills it.
 * @param memoryMiB - The function's memory
 */
export function heapFlags(memoryMiB: number): string[] {
  const oldSpace = Math.max(MIN_HEAP_MIB, Math.floor(memoryMiB * HEAP_SHARE) - OUTSIDE_HEAP_MIB)
  const semiSpace = Math.min(MAX_SEMI_SPACE_MIB, Math.max(1, Math.floor(memoryMiB * SEMI_SPACE_SHARE)))
  return [`--max-old-space-size=${oldSpace}`, `--max-semi-space-size=${semiSpace}`]
}

/** Lambda's NODE_PATH: layers, then the runtime, then the code. */
function nodePath(major: number): string {
  return `/opt/nodejs/node${major}/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task`
}

/** The same, or else the next newer, or else the newest. */
function nearest(wanted: number, majors: readonly number[]): number | undefined {
  const sorted = [...majors].sort((a, b) => a - b)
  return sorted.find((major) => major >= wanted) ?? sorted.at(-1)
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}
