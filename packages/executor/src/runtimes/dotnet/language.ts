import { existsSync } from 'node:fs'
import path from 'node:path'
import { runtimeApiBoot } from '../custom/runtime-api.ts'
import type { Machine } from '../machine.ts'
import type { Findings, Interpreter, Language, OpenLanguage, PackageView } from '../runtime.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['dotnet6', 'dotnet8', 'dotnet10']
const RUNTIME_DIR = '/var/runtime'
/** `Assembly::Namespace.Class::Method`, or the name of an assembly that starts by itself. */
const HANDLER = /^[^\s:]+(::[^\s:]+::[^\s:]+)?$/
/** Part of a function's memory for objects; the rest is code, stacks and the runtime. */
const HEAP_SHARE = 0.75
const MIN_HEAP_MIB = 48

/** Mono, which runs assemblies for .NET Framework and .NET Standard. */
export const openLanguage: OpenLanguage = async (machine) => {
  for (const execPath of await machine.candidates('dotnet', ['mono'])) {
    const version = /^Mono JIT compiler version (\d+\.\d+\.\d+)/.exec(
      (await machine.ask(execPath, ['--version'])) ?? ''
    )?.[1]
    if (version !== undefined) return dotnetLanguage(machine, { execPath, version })
  }
  return dotnetLanguage(machine, undefined)
}

/** @param mono - Undefined where there is none */
export function dotnetLanguage(
  machine: Machine,
  mono: { readonly execPath: string; readonly version: string } | undefined
): Language {
  const runtimeDir = machine.bundled('dotnet')
  const isBuilt = existsSync(path.join(runtimeDir, 'bootstrap.exe'))
  const hosts = mono === undefined || !isBuilt ? undefined : monoInterpreters(machine, mono, runtimeDir)
  const [library, program] = hosts ?? []
  return {
    name: 'dotnet',
    identifiers: IDENTIFIERS,
    interpreters: hosts ?? [],
    serve(_identifier, handler) {
      const interpreter = handler.includes('::') ? library : program
      if (interpreter === undefined) return undefined
      return { interpreter, served: { exact: false, environment: { DOTNET_ROOT: '/var/lang/bin' } } }
    },
    remedy: () =>
      mono === undefined
        ? 'install Mono (apt-get install mono-runtime mono-mcs) and start again'
        : 'install its compiler (apt-get install mono-mcs), then `npm run build:server`',
    defaultHandler: 'Function::Function.Function::FunctionHandler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A .NET handler is Assembly::Namespace.Class::Method, or the name of an assembly that starts by itself; ${JSON.stringify(handler)} is neither.`,
    inspect: async (view, handler) => inspect(view, handler),
    guess: () => undefined,
    sources: []
  }
}

/** One host for class libraries, and one for programs that speak the Runtime API themselves. */
function monoInterpreters(
  machine: Machine,
  { execPath, version }: { readonly execPath: string; readonly version: string },
  runtimeDir: string
): readonly [Interpreter, Interpreter] {
  const common = { title: `Mono ${version}`, version, runtimeVersion: `mono:${version}` }
  const prefix = path.dirname(path.dirname(execPath))
  const mounts = prefix === '/usr' || prefix.startsWith('/usr/') ? [] : [{ source: prefix, target: prefix }]
  const heap = (memoryMiB: number) =>
    `max-heap-size=${Math.max(MIN_HEAP_MIB, Math.floor(memoryMiB * HEAP_SHARE))}m,nursery-size=1m`
  const library: Interpreter = {
    ...common,
    name: 'mono',
    boot: (memoryMiB) => ({
      command: [execPath, `${RUNTIME_DIR}/bootstrap.exe`],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'C.UTF-8',
        TZ: ':UTC',
        HOME: '/tmp',
        MONO_GC_PARAMS: heap(memoryMiB)
      },
      mounts: [...mounts, { source: runtimeDir, target: RUNTIME_DIR }]
    })
  }
  const program: Interpreter = {
    ...common,
    name: 'mono-program',
    hasExtensions: true,
    boot: () => runtimeApiBoot({ machine, command: [execPath, '{task}/{handler}.exe'], mounts })
  }
  return [library, program]
}

/** Whether the assembly is there, and for what it was built. */
function inspect({ files, opt }: PackageView, handler: string): Findings {
  const [assembly = ''] = handler.split('::')
  const isProgram = !handler.includes('::')
  const wanted = isProgram ? [`${assembly}.exe`] : [`${assembly}.dll`, `${assembly}.exe`]
  if (wanted.some((file) => files.includes(file))) return {}
  // A program is started from the package's folder; a library is looked for in layers too.
  const inLayers =
    !isProgram && wanted.some((file) => ['dotnet', 'lib'].some((at) => opt?.files.includes(`${at}/${file}`)))
  if (inLayers) return {}
  const assemblies = files.filter((file) => /^[^/]+\.(dll|exe)$/.test(file))
  const has = assemblies.length === 0 ? 'no assembly at its top' : assemblies.slice(0, 10).join(', ')
  return {
    problem: `The package has no ${wanted.join(' or ')}, which the handler ${handler} needs; it has ${has}.${wrappedFolderAdvice(files, handler)}`
  }
}
