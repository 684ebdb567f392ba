import type { Findings, PackageView } from '../runtime.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** What will run the package. */
export interface Host {
  /** For people, e.g. `.NET 8.0.11`. */
  readonly title: string
  /** Major version of .NET; undefined for Mono. */
  readonly major: number | undefined
}

/** Enough of `App.runtimeconfig.json` to find what it was built for. */
const CONFIG_BYTES = 4_096

/**
 * Whether the assembly is there, and whether what runs it is what it was built for.
 * @param host - Undefined where there is none: then only the package counts
 */
export async function inspectPackage(view: PackageView, handler: string, host: Host | undefined): Promise<Findings> {
  const problem = missing(view, handler, host)
  if (problem !== undefined) return { problem }
  const notice = host === undefined ? undefined : await foreign(view, handler, host)
  return notice === undefined ? {} : { notices: [notice] }
}

function missing({ files, opt }: PackageView, handler: string, host: Host | undefined): string | undefined {
  const [assembly = ''] = handler.split('::')
  const isProgram = !handler.includes('::')
  const wanted = isProgram ? programs(assembly, host) : [`${assembly}.dll`, `${assembly}.exe`]
  if (wanted.some((file) => files.includes(file))) return undefined
  // A program is started from the package's folder; a library is looked for in layers too.
  const inLayers =
    !isProgram && wanted.some((file) => ['dotnet', 'lib'].some((at) => opt?.files.includes(`${at}/${file}`)))
  if (inLayers) return undefined
  const assemblies = files.filter((file) => /^[^/]+\.(dll|exe)$/.test(file))
  const has = assemblies.length === 0 ? 'no assembly at its top' : assemblies.slice(0, 10).join(', ')
  const built =
    isProgram && host?.major === undefined && assemblies.includes(`${assembly}.dll`)
      ? ' Programs for .NET Core and newer need the dotnet host: install .NET.'
      : ''
  return `The package has no ${wanted.join(' or ')}, which the handler ${handler} needs; it has ${has}.${built}${wrappedFolderAdvice(files, handler)}`
}

/** Files that a handler without `::` may mean. */
function programs(name: string, host: Host | undefined): string[] {
  // The last one is a program that was compiled ahead of time.
  return host?.major === undefined ? [`${name}.exe`] : [`${name}.dll`, `${name}.exe`, name]
}

/** @returns a notice when the package says that it was built for something newer */
async function foreign(view: PackageView, handler: string, { title, major }: Host): Promise<string | undefined> {
  const [assembly = ''] = handler.split('::')
  const file = `${assembly}.runtimeconfig.json`
  if (!view.files.includes(file)) return undefined
  const text = (await view.head(file, CONFIG_BYTES)).toString()
  const built = Number(/"tfm"\s*:\s*"net(?:coreapp)?(\d{1,3})\.\d/.exec(text)?.[1])
  if (!Number.isInteger(built) || (major !== undefined && built <= major)) return undefined
  const remedy = `apt-get install dotnet-runtime-${built}.0`
  return `${file} says that ${assembly} was built for .NET ${built}, and ${title} runs it: what it uses of .NET ${built} may not be there. Install .NET ${built} (${remedy}).`
}
