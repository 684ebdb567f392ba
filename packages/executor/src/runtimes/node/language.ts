import type { Binary } from '../machine.ts'
import type { Interpreter, Language, OpenLanguage } from '../runtime.ts'
import { nearestVersion } from '../versions.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['nodejs20.x', 'nodejs22.x', 'nodejs24.x']

/** What the bootstrap is compiled for. */
const OLDEST_MAJOR = 20

const INTERPRETER = '/var/lang/bin/node'
const RUNTIME_DIR = '/var/runtime'

/** Part of a function's memory for V8's old generation, and what Node needs besides its heap: measured. */
const HEAP_SHARE = 0.9
const OUTSIDE_HEAP_MIB = 30
const MIN_HEAP_MIB = 64
/** Short-lived objects of each event; larger wastes memory of small functions, smaller collects too often. */
const SEMI_SPACE_SHARE = 0.05
const MAX_SEMI_SPACE_MIB = 16

/** What Node.js runtimes try after a handler's file name, in their order. */
const EXTENSIONS = ['', '.js', '.mjs', '.cjs']
/** Lambda allows a `.` only between file and export; `..` is refused by the runtime too. */
const HANDLER = /^(?!.*\.\.)[^\s.][^\s]*\.[^\s.]+$/

/** Node.js: the server's own, and those configured. */
export const openLanguage: OpenLanguage = async (machine) => {
  const others = await Promise.all(
    (await machine.candidates('node', ['node'])).map(async (execPath): Promise<Binary | undefined> => {
      const version = /^v(\d+\.\d+\.\d+)\s*$/.exec((await machine.ask(execPath, ['--version'])) ?? '')?.[1]
      return version === undefined || majorOf(version) < OLDEST_MAJOR ? undefined : { execPath, version }
    })
  )
  return nodeLanguage([machine.node, ...others.filter((other) => other !== undefined)], machine.bundled('node'))
}

/**
 * The Node.js runtimes that these binaries make.
 * @param binaries - The gateway's own Node first; of two with the same major version the first counts
 * @param runtimeDir - Folder with the bundled bootstrap, absolute
 */
export function nodeLanguage(binaries: readonly Binary[], runtimeDir: string): Language {
  const byMajor = new Map<number, Interpreter>()
  for (const binary of binaries) {
    const major = majorOf(binary.version)
    if (!byMajor.has(major)) byMajor.set(major, nodeInterpreter(binary, runtimeDir))
  }
  return {
    name: 'node',
    identifiers: IDENTIFIERS,
    interpreters: [...byMajor.values()],
    serve(identifier) {
      const wanted = majorOf(identifier.replace('nodejs', ''))
      const major = nearestVersion(wanted, [...byMajor.keys()])
      const interpreter = major === undefined ? undefined : byMajor.get(major)
      if (interpreter === undefined) return undefined
      return { interpreter, served: { exact: major === wanted, environment: { NODE_PATH: nodePath(wanted) } } }
    },
    remedy: (identifier) => `install Node.js ${majorOf(identifier.replace('nodejs', ''))}`,
    defaultHandler: 'index.handler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A Node.js handler names a file and one of its exports, as in index.handler or src/app.handler; ${JSON.stringify(handler)} does not.`,
    async inspect({ files, opt }, handler) {
      const notice = missingFile(handler, files, opt?.files ?? [])
      return notice === undefined ? {} : { notices: [notice] }
    },
    guess: ({ files }) =>
      EXTENSIONS.slice(1).some((extension) => files.includes(`index${extension}`)) ? 'index.handler' : undefined,
    // Parsing JavaScript and TypeScript takes a compiler: the control plane has it.
    sources: []
  }
}

/** Tells a deployer at once what the first call would tell: that the file which the handler names is not there. */
function missingFile(handler: string, files: readonly string[], opt: readonly string[]): string | undefined {
  const slash = handler.lastIndexOf('/') + 1
  const dot = handler.indexOf('.', slash)
  const module = dot < 0 ? handler : handler.slice(0, dot)
  // A layer's handler is named from the root, or from the package's folder: ../../opt/nodejs/handler.
  const inOpt = /^(?:(?:\.\.\/)*|\/)opt\/(.+)$/.exec(module)?.[1]
  const present = new Set(files)
  if (inOpt !== undefined && EXTENSIONS.some((extension) => opt.includes(inOpt + extension))) return undefined
  if (EXTENSIONS.some((extension) => present.has(module + extension))) return undefined
  const advice = wrappedFolderAdvice(files, handler)
  return `The package has no ${module}.js, ${module}.mjs or ${module}.cjs, which the handler ${handler} needs.${advice}`
}

/** How one Node.js is started in a sandbox. */
function nodeInterpreter({ execPath, version }: Binary, runtimeDir: string): Interpreter {
  return {
    name: `node${majorOf(version)}`,
    title: `Node.js ${version}`,
    version,
    runtimeVersion: `nodejs:${version}`,
    presends: true,
    concurrent: true,
    boot: (memoryMiB) => ({
      command: [INTERPRETER, ...heapFlags(memoryMiB), `${RUNTIME_DIR}/bootstrap.cjs`],
      // Of no function yet; INIT replaces all of it.
      env: { PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: ':UTC' },
      mounts: [
        { source: execPath, target: INTERPRETER },
        { source: runtimeDir, target: RUNTIME_DIR }
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

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}
