import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Interpreter, Language, OpenLanguage } from '../runtime.ts'
import { nearestVersion } from '../versions.ts'
import { inspectPackage } from './inspect.ts'
import { findJvms, type Jvm } from './jvms.ts'
import { bootPlan, isClosed } from './launch.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['java8.al2', 'java11', 'java17', 'java21', 'java25']
/** Up to this version functions could look into the JDK's own classes, and many of their libraries do. */
const LAST_OPEN = 11

const PART = '[\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}][\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}\\p{Nd}\\p{Mn}\\p{Mc}]*'
const HANDLER = new RegExp(`^${PART}(\\.${PART})*(::${PART})?$`, 'u')

/** Java: the JVMs of this machine, provided that the build found a JDK to make the runtime with. */
export const openLanguage: OpenLanguage = async (machine) => {
  const runtimeDir = machine.bundled('java')
  const isBuilt = existsSync(path.join(runtimeDir, 'runtime.jar'))
  return javaLanguage(isBuilt ? await findJvms(machine) : [], runtimeDir)
}

/**
 * The Java runtimes that these JVMs make.
 * @param jvms - Of two with the same major version the first counts
 * @param runtimeDir - Folder that the build made, absolute
 */
export function javaLanguage(jvms: readonly Jvm[], runtimeDir: string): Language {
  const byMajor = new Map<number, { strict: Interpreter; open: Interpreter }>()
  for (const jvm of jvms) {
    if (byMajor.has(jvm.major)) continue
    const strict = interpreter(jvm, runtimeDir, false)
    byMajor.set(jvm.major, { strict, open: isClosed(jvm) ? interpreter(jvm, runtimeDir, true) : strict })
  }
  const serving = (identifier: string) => nearestVersion(versionOf(identifier), [...byMajor.keys()])
  return {
    name: 'java',
    identifiers: IDENTIFIERS,
    interpreters: [...new Set([...byMajor.values()].flatMap(({ strict, open }) => [strict, open]))],
    serve(identifier) {
      const wanted = versionOf(identifier)
      const major = serving(identifier)
      const found = major === undefined ? undefined : byMajor.get(major)
      if (found === undefined) return undefined
      return {
        interpreter: wanted <= LAST_OPEN ? found.open : found.strict,
        // As of a runtime that a shell script starts, which Lambda's is.
        served: { exact: major === wanted, environment: { PWD: '/var/task', SHLVL: '0' } }
      }
    },
    remedy: (identifier) => {
      const version = versionOf(identifier)
      return `install a JDK of Java ${version} or newer (openjdk-${version}-jdk-headless on Debian and Ubuntu) and run npm run build:server`
    },
    defaultHandler: 'example.Hello::handleRequest',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A Java handler names a class, and a method unless the class implements one of Lambda's interfaces, as in example.Handler or example.Handler::handle; ${JSON.stringify(handler)} does not.`,
    inspect(view, handler, identifier) {
      const major = serving(identifier)
      const title = major === undefined ? undefined : byMajor.get(major)?.strict.title
      const jvm = major === undefined || title === undefined ? undefined : { major, title }
      return inspectPackage(view, handler, { identifier, wanted: versionOf(identifier), jvm })
    },
    guess({ files }) {
      // Which of several classes is the handler only the JVM could tell.
      const classes = files.filter((file) => file.endsWith('.class') && !file.includes('$'))
      return classes.length === 1 ? classes[0]?.slice(0, -'.class'.length).replaceAll('/', '.') : undefined
    },
    sources: []
  }
}

function interpreter(jvm: Jvm, runtimeDir: string, open: boolean): Interpreter {
  return {
    name: `java${jvm.major}${open ? '-open' : ''}`,
    title: `Java ${jvm.version}`,
    version: jvm.version,
    runtimeVersion: `java:${jvm.version}`,
    // Each answer goes out before the next event begins, so that the channel itself tells how far events have come.
    presends: true,
    boot: (memoryMiB) => bootPlan(jvm, runtimeDir, open, memoryMiB)
  }
}

function versionOf(identifier: string): number {
  return Number.parseInt(identifier.replace('java', ''), 10)
}
