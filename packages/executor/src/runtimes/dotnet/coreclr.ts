import { readdirSync } from 'node:fs'
import type { Mount } from '@hearth/sandbox'
import { runtimeApiBoot } from '../custom/runtime-api.ts'
import type { Machine } from '../machine.ts'
import type { Interpreter } from '../runtime.ts'
import type { Framework } from './frameworks.ts'

/** As seen inside; the host lies where Lambda has it. */
const RUNTIME_DIR = '/var/runtime'
export const DOTNET_ROOT = '/var/lang/bin'
const HOST = `${DOTNET_ROOT}/dotnet`
const CONFIG = `${RUNTIME_DIR}/bootstrap.runtimeconfig.json`

/** Part of a function's memory for objects; the rest is code, stacks and the runtime. As .NET takes of a container's. */
const HEAP_SHARE = 0.75
const MIN_HEAP_MIB = 48
const MIB = 1_048_576

/** Without one of these .NET ends at once, unless it is told to do without cultures. */
const ICU_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

/** How one version of .NET is started: for class libraries, and for programs that speak the Runtime API themselves. */
export function coreclrInterpreters(
  machine: Machine,
  framework: Framework,
  runtimeDir: string
): { readonly library: Interpreter; readonly program: Interpreter } {
  const { version, major, root, web } = framework
  const common = { title: `.NET ${version}`, version, runtimeVersion: `dotnet:${version}` }
  const mounts: Mount[] = [
    { source: root, target: DOTNET_ROOT },
    { source: runtimeDir, target: RUNTIME_DIR }
  ]
  const webFolder = web === undefined ? [] : [`${DOTNET_ROOT}/shared/Microsoft.AspNetCore.App/${web}`]
  const settings = hostSettings(hasIcu())
  const library: Interpreter = {
    ...common,
    name: `dotnet${major}`,
    boot: (memoryMiB) => ({
      command: [
        ...[HOST, 'exec', '--fx-version', version, '--runtimeconfig', CONFIG],
        ...[`${RUNTIME_DIR}/bootstrap.exe`, ...webFolder]
      ],
      env: {
        PATH: `${DOTNET_ROOT}:/usr/local/bin:/usr/bin:/bin`,
        LANG: 'C.UTF-8',
        TZ: ':UTC',
        HOME: '/tmp',
        DOTNET_ROOT,
        ...settings,
        DOTNET_GCHeapHardLimit: heapLimit(memoryMiB)
      },
      mounts
    })
  }
  const program: Interpreter = {
    ...common,
    name: `dotnet${major}-program`,
    hasExtensions: true,
    boot: (memoryMiB) => {
      const given = Object.entries({ ...settings, DOTNET_GCHeapHardLimit: heapLimit(memoryMiB) })
      const assignments = given.map(([name, value]) => `${name}=${value}`)
      const start = ['/bin/sh', `${RUNTIME_DIR}/program.sh`, '{task}/{handler}', HOST, version, CONFIG]
      return runtimeApiBoot({ machine, command: [...start, ...assignments], mounts })
    }
  }
  return { library, program }
}

/** What .NET reads when it starts, whatever the function is. */
function hostSettings(icu: boolean): Record<string, string> {
  return {
    // No sockets and pipes for debuggers and profilers in the function's /tmp, and no thread that listens there.
    DOTNET_EnableDiagnostics: '0',
    // One collector without a thread of its own: an instance has one event at a time, and often less than a CPU.
    DOTNET_gcServer: '0',
    DOTNET_gcConcurrent: '0',
    // Compiled quickly first, and better once it is used much; counting what code does costs more than most instances
    // live to gain.
    DOTNET_TieredCompilation: '1',
    DOTNET_TieredPGO: '0',
    // Pages of compiled code mapped twice are memory and time; what a function may run is no boundary, the sandbox is.
    DOTNET_EnableWriteXorExecute: '0',
    DOTNET_NOLOGO: '1',
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    ...(icu ? {} : { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' })
  }
}

/** In bytes, hexadecimal, as .NET reads numbers of its settings. Beyond it there is an OutOfMemoryException. */
function heapLimit(memoryMiB: number): string {
  return `0x${(Math.max(MIN_HEAP_MIB, Math.floor(memoryMiB * HEAP_SHARE)) * MIB).toString(16)}`
}

function hasIcu(): boolean {
  return ICU_FOLDERS.some((folder) => {
    try {
      return readdirSync(folder).some((file) => file.startsWith('libicuuc.so.'))
    } catch {
      return false
    }
  })
}
