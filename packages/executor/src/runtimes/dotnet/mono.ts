import path from 'node:path'
import { runtimeApiBoot } from '../custom/runtime-api.ts'
import type { Machine } from '../machine.ts'
import type { Interpreter } from '../runtime.ts'

const RUNTIME_DIR = '/var/runtime'
/** Part of a function's memory for objects; the rest is code, stacks and the runtime. */
const HEAP_SHARE = 0.75
const MIN_HEAP_MIB = 48

/** Mono, which runs assemblies for .NET Framework and .NET Standard. */
export interface Mono {
  readonly execPath: string
  /** E.g. `6.8.0`. */
  readonly version: string
}

/** The first that answers as Mono does. */
export async function findMono(machine: Machine): Promise<Mono | undefined> {
  for (const execPath of await machine.candidates('dotnet', ['mono'])) {
    const answer = await machine.ask(execPath, ['--version'])
    const version = /^Mono JIT compiler version (\d+\.\d+\.\d+)/.exec(answer ?? '')?.[1]
    if (version !== undefined) return { execPath, version }
  }
  return undefined
}

/** One host for class libraries, and one for programs that speak the Runtime API themselves. */
export function monoInterpreters(
  machine: Machine,
  { execPath, version }: Mono,
  runtimeDir: string
): { readonly library: Interpreter; readonly program: Interpreter } {
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
  return { library, program }
}
