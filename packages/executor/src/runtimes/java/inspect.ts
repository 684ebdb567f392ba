import type { Findings, PackageView } from '../runtime.ts'
import { classVersion, readJarEntry } from './jar.ts'

/** More than any package holds: the whole of a jar. */
const WHOLE = 262_144_000
const CLASS_HEAD_BYTES = 8

/** Who will run the class. */
export interface Target {
  /** AWS's identifier, and the Java version that it names. */
  readonly identifier: string
  readonly wanted: number
  /** What this machine serves it with, e.g. 17 and `Java 17.0.15`; undefined when it does not. */
  readonly jvm: { readonly major: number; readonly title: string } | undefined
}

/** The class of a handler: `example.Handler::handle` is in `example.Handler`. */
export function classOf(handler: string): string {
  const colons = handler.lastIndexOf('::')
  return colons < 0 ? handler : handler.slice(0, colons)
}

/** Looks for the handler's class in the package, as it is or in its lib/*.jar, and at the Java version that it needs. */
export async function inspectPackage(view: PackageView, handler: string, target: Target): Promise<Findings> {
  const name = classOf(handler)
  const file = `${name.replaceAll('.', '/')}.class`
  const head = await findClass(view, file)
  if (head === undefined) {
    const broken = await brokenJar(view)
    const why = broken === undefined ? '' : ` ${broken} is no jar: it does not begin as a zip archive does.`
    return { problem: missing(view.files, name, file) + why }
  }
  const needed = classVersion(head)
  if (needed === undefined) return { problem: `${file} in the package is not a Java class file.` }
  if (target.jvm !== undefined && needed > target.jvm.major) {
    return {
      problem: `The class ${name} was compiled for Java ${needed}, and ${target.identifier} runs on ${target.jvm.title} here: compile it with --release ${Math.min(target.wanted, target.jvm.major)}.`
    }
  }
  if (needed > target.wanted) {
    return {
      notices: [
        `The class ${name} was compiled for Java ${needed}. It runs here, but AWS's ${target.identifier} could not load it.`
      ]
    }
  }
  return {}
}

async function findClass(view: PackageView, file: string): Promise<Buffer | undefined> {
  if (view.files.includes(file)) return view.head(file, CLASS_HEAD_BYTES)
  return (
    (await inJars(view, /^lib\/[^/]+\.jar$/, file)) ?? (view.opt && inJars(view.opt, /^java\/lib\/[^/]+\.jar$/, file))
  )
}

async function inJars(view: PackageView, jars: RegExp, file: string): Promise<Buffer | undefined> {
  // One after the other: they can be large.
  for (const jar of view.files.filter((name) => jars.test(name))) {
    const found = readJarEntry(await view.head(jar, WHOLE), file)
    if (found !== undefined) return found
  }
  return undefined
}

/** The first jar in lib/ that cannot be read. */
async function brokenJar(view: PackageView): Promise<string | undefined> {
  for (const jar of view.files.filter((name) => /^lib\/[^/]+\.jar$/.test(name))) {
    if ((await view.head(jar, 2)).toString('latin1') !== 'PK') return jar
  }
  return undefined
}

function missing(files: readonly string[], name: string, file: string): string {
  const problem = `The package has no class ${name}: neither ${file} nor a jar in lib/ that holds it.`
  const wrapped = files.find((other) => other.endsWith(`/${file}`))
  if (wrapped !== undefined) {
    const folder = wrapped.slice(0, -file.length)
    return `${problem} It lies in ${folder}: pack the contents of that folder.`
  }
  const simple = file.slice(file.lastIndexOf('/') + 1)
  const namesake = files.find((other) => other === simple || other.endsWith(`/${simple}`))
  if (namesake !== undefined) {
    return `${problem} Is the handler ${namesake.slice(0, -'.class'.length).replaceAll('/', '.')}?`
  }
  const jars = files.filter((other) => other.endsWith('.jar') && !/^lib\/[^/]+$/.test(other))
  if (jars.length > 0) return `${problem} Jars count only in lib/; ${jars.slice(0, 3).join(', ')} lies elsewhere.`
  if (files.some((other) => other.endsWith('.java'))) return `${problem} Sources must be compiled first.`
  return problem
}
