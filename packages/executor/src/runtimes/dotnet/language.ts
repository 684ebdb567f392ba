import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Machine } from '../machine.ts'
import type { Language, OpenLanguage } from '../runtime.ts'
import { coreclrInterpreters, DOTNET_ROOT } from './coreclr.ts'
import { type Framework, findFrameworks } from './frameworks.ts'
import { findMono, type Mono, monoInterpreters } from './mono.ts'
import { inspectPackage } from './package-checks.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['dotnet6', 'dotnet8', 'dotnet10']
/** `Assembly::Namespace.Class::Method`, or the name of an assembly that starts by itself. */
const HANDLER = /^[^\s:]+(::[^\s:]+::[^\s:]+)?$/

/** inotify is refused in sandboxes, and programs that watch their settings would end when they start. */
const POLLING = { DOTNET_USE_POLLING_FILE_WATCHER: '1' }

/** .NET on its own host, and on Mono where there is no other. */
export const openLanguage: OpenLanguage = async (machine) => {
  const [frameworks, mono] = await Promise.all([findFrameworks(machine), findMono(machine)])
  return dotnetLanguage(machine, frameworks, mono)
}

/**
 * @param frameworks - Of two with the same major version the first counts
 * @param mono - Undefined where there is none
 */
export function dotnetLanguage(machine: Machine, frameworks: readonly Framework[], mono: Mono | undefined): Language {
  const runtimeDir = machine.bundled('dotnet')
  const isBuilt = existsSync(path.join(runtimeDir, 'bootstrap.exe'))
  const hosts = isBuilt
    ? frameworks.map((framework) => ({
        major: framework.major,
        ...coreclrInterpreters(machine, framework, runtimeDir)
      }))
    : []
  hosts.sort((a, b) => a.major - b.major)
  const fallback = isBuilt && mono !== undefined ? monoInterpreters(machine, mono, runtimeDir) : undefined
  // Assemblies name the version of .NET that they need at least: an older one does not even load them.
  const serving = (identifier: string) => hosts.find(({ major }) => major >= versionOf(identifier))
  return {
    name: 'dotnet',
    identifiers: IDENTIFIERS,
    interpreters: [...hosts, ...(fallback === undefined ? [] : [fallback])].flatMap((host) => [
      host.library,
      host.program
    ]),
    serve(identifier, handler) {
      const host = serving(identifier)
      const found = host ?? fallback
      if (found === undefined) return undefined
      return {
        interpreter: handler.includes('::') ? found.library : found.program,
        served: {
          exact: host?.major === versionOf(identifier),
          environment: { DOTNET_ROOT, LAMBDA_RUNTIME_NAME: identifier, ...(host === undefined ? {} : POLLING) }
        }
      }
    },
    remedy: (identifier) => remedy(versionOf(identifier), isBuilt, mono !== undefined || frameworks.length > 0),
    defaultHandler: 'Function::Function.Function::FunctionHandler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A .NET handler is Assembly::Namespace.Class::Method, or the name of an assembly that starts by itself; ${JSON.stringify(handler)} is neither.`,
    inspect(view, handler, identifier) {
      const host = serving(identifier)
      const title = (host ?? fallback)?.library.title
      return inspectPackage(view, handler, title === undefined ? undefined : { title, major: host?.major })
    },
    guess: () => undefined,
    sources: []
  }
}

function remedy(version: number, isBuilt: boolean, hasHost: boolean): string {
  if (!isBuilt && hasHost) return "install Mono's compiler (apt-get install mono-mcs), then `npm run build:server`"
  const dotnet = `install .NET ${version} or newer (apt-get install dotnet-runtime-${version}.0), or name one in HEARTH_RUNTIME_PATHS=dotnet=/path/to/dotnet`
  const mono =
    'install Mono for assemblies for .NET Framework and .NET Standard (apt-get install mono-runtime mono-mcs)'
  return `${dotnet}, or ${mono}, and start again`
}

function versionOf(identifier: string): number {
  return Number.parseInt(identifier.replace('dotnet', ''), 10)
}
