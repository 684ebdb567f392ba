import { access, constants, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Mount } from '@hearth/sandbox'
import type { Machine } from '../machine.ts'

/** A JVM of this machine. */
export interface Jvm {
  /** Its home, e.g. `/usr/lib/jvm/java-17-openjdk-amd64`: absolute, a real path. */
  readonly home: string
  /** E.g. `17.0.15`; of Java 8 `8.0.392`. */
  readonly version: string
  readonly major: number
  /** Folders of /etc that links in its home lead to, to be seen at their own paths. */
  readonly etc: readonly Mount[]
}

/** Where Debian, Fedora and others put JVMs beside each other. */
const JVM_FOLDER = '/usr/lib/jvm'
/** What the bootstrap is compiled for. */
export const OLDEST_MAJOR = 8
const CONFIGURATION = ['conf', 'lib', 'lib/security', 'conf/security', 'conf/management']

/** Every JVM: those configured first, then those on PATH, then the others; each home once. */
export async function findJvms(machine: Machine): Promise<readonly Jvm[]> {
  const installed = machine.searches('java') ? await readdir(JVM_FOLDER).catch((): string[] => []) : []
  const others = installed.sort().map((name) => path.join(JVM_FOLDER, name, 'bin/java'))
  const files = await Promise.all([...(await machine.candidates('java', ['java'])), ...others].map(executable))
  const candidates = [...new Set(files.filter((file) => file !== undefined))]
  const jvms = await Promise.all(candidates.map((file) => examine(file, machine)))
  const byHome = new Map(jvms.filter((jvm) => jvm !== undefined).map((jvm) => [jvm.home, jvm] as const))
  return [...byHome.values()].filter(({ major }) => major >= OLDEST_MAJOR)
}

/** `1.8.0_392` is 8.0.392 by today's count; suffixes as in `25-ea` are left out. */
export function parseVersion(text: string): { version: string; major: number } | undefined {
  const version = /^(?:1\.(?=[1-8]\b))?(\d+(?:[._]\d+)*)/.exec(text)?.[1]?.replaceAll('_', '.')
  return version === undefined ? undefined : { version, major: Number.parseInt(version, 10) }
}

async function examine(execPath: string, machine: Machine): Promise<Jvm | undefined> {
  const folder = path.dirname(path.dirname(execPath))
  // The file tells in no time what starting a JVM tells in 50 ms. A JRE within a JDK 8 has it one folder further up.
  const isHome = (
    await Promise.all(['lib/modules', 'lib/rt.jar'].map((file) => exists(path.join(folder, file))))
  ).includes(true)
  const release = isHome
    ? ((await text(path.join(folder, 'release'))) ?? (await text(path.join(folder, '../release'))))
    : undefined
  const named = /^JAVA_VERSION="(.*)"$/m.exec(release ?? '')?.[1]
  if (named !== undefined) return jvm(folder, named)
  // A script that starts the real one, or a JVM without the file.
  const properties = await machine.ask(execPath, ['-XshowSettings:properties', '-version'])
  const home = /^\s*java\.home = (.+)$/m.exec(properties ?? '')?.[1]
  const version = /^\s*java\.version = (.+)$/m.exec(properties ?? '')?.[1]
  return home === undefined || version === undefined ? undefined : jvm(await realpath(home), version)
}

async function jvm(home: string, versionText: string): Promise<Jvm | undefined> {
  const parsed = parseVersion(versionText)
  return parsed === undefined ? undefined : { home, ...parsed, etc: await etcFolders(home) }
}

/** Debian keeps a JVM's configuration in /etc, and even lists its kinds of VM there. */
async function etcFolders(home: string): Promise<Mount[]> {
  const folders = new Set<string>()
  for (const name of CONFIGURATION) {
    const folder = path.join(home, name)
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.filter((one) => one.isSymbolicLink())) {
      const target = /^\/etc\/java[^/]*/.exec(await readlink(path.join(folder, entry.name)))?.[0]
      if (target !== undefined) folders.add(target)
    }
  }
  const mounts: Mount[] = []
  for (const target of folders) if (await exists(target)) mounts.push({ source: target, target })
  return mounts
}

async function executable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK)
    return await realpath(file)
  } catch {
    return undefined
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false
  )
}

async function text(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
