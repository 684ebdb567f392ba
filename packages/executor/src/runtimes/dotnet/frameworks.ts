import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { Machine } from '../machine.ts'

/** One version of .NET that a `dotnet` host of this machine can run. */
export interface Framework {
  /** Folder of the host and its frameworks, e.g. `/usr/share/dotnet`: absolute, a real path. */
  readonly root: string
  /** E.g. `8.0.11`. */
  readonly version: string
  readonly major: number
  /** Version of ASP.NET Core beside it; undefined where there is none of this major version. */
  readonly web: string | undefined
}

const BASE = 'Microsoft.NETCore.App'
const WEB = 'Microsoft.AspNetCore.App'
/** Where Microsoft's and the distributions' packages put it; PATH may lead to a script that starts it. */
const USUAL_HOSTS = ['/usr/share/dotnet/dotnet', '/usr/lib/dotnet/dotnet', '/usr/lib64/dotnet/dotnet']
const LISTED = /^(\S+) (\d+)\.(\d+)\.(\d+)(\S*) \[(\/.+)\]$/

interface Listed {
  readonly name: string
  readonly root: string
  readonly version: string
  readonly major: number
  /** Orders versions of one major version; one before a release comes before it. */
  readonly rank: readonly [number, number, number]
}

/** The newest of each major version, those of hosts that are configured or found first before others. */
export async function findFrameworks(machine: Machine): Promise<readonly Framework[]> {
  const usual = machine.searches('dotnet') ? USUAL_HOSTS.filter((file) => existsSync(file)) : []
  const hosts = [...new Set([...(await machine.candidates('dotnet', ['dotnet'])), ...usual])]
  const listings = await Promise.all(hosts.map((host) => machine.askAnew(host, ['--list-runtimes'])))
  const listed = listings.flatMap((text) => parseListing(text ?? ''))
  const byMajor = new Map<number, Framework>()
  for (const root of new Set(listed.map((one) => one.root))) {
    const here = listed.filter((one) => one.root === root)
    for (const { name, major, version } of newestFirst(here)) {
      if (name !== BASE || byMajor.has(major)) continue
      const web = newestFirst(here).find((one) => one.name === WEB && one.major === major)?.version
      byMajor.set(major, { root, version, major, web })
    }
  }
  return [...byMajor.values()]
}

/** What `dotnet --list-runtimes` prints: `Microsoft.NETCore.App 8.0.11 [/usr/share/dotnet/shared/Microsoft.NETCore.App]`. */
function parseListing(text: string): Listed[] {
  return text.split('\n').flatMap((line): Listed[] => {
    const [, name = '', major = '', minor = '', patch = '', suffix = '', folder = ''] = LISTED.exec(line.trim()) ?? []
    if (path.basename(folder) !== name || path.basename(path.dirname(folder)) !== 'shared') return []
    const version = `${major}.${minor}.${patch}${suffix}`
    const rank = [Number(minor), Number(patch), suffix === '' ? 1 : 0] as const
    const root = rootOf(path.dirname(path.dirname(folder)))
    return root === undefined ? [] : [{ name, root, version, major: Number(major), rank }]
  })
}

function newestFirst(listed: readonly Listed[]): Listed[] {
  return [...listed].sort((a, b) => {
    const at = a.rank.findIndex((value, i) => value !== b.rank[i])
    return at < 0 ? b.version.localeCompare(a.version) : b.rank[at]! - a.rank[at]!
  })
}

/** Whatever answered, a script of a version manager perhaps: what is started is the host beside the frameworks. */
function rootOf(folder: string): string | undefined {
  return existsSync(path.join(folder, 'dotnet')) ? realpathSync(folder) : undefined
}
