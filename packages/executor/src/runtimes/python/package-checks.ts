import type { Findings, PackageView } from '../runtime.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** The tag in the name of a compiled module says which Python loads it: `.cpython-311-x86_64-linux-gnu.so`. */
const COMPILED = /\.cpython-(\d)(\d+)-[\w-]+\.so$/

/**
 * What a deployer should know at once instead of at the first call.
 *
 * @param version - Of the Python that serves the function, e.g. `3.11.2`
 */
export async function inspectPython(
  { files, opt }: PackageView,
  handler: string,
  version: string | undefined
): Promise<Findings> {
  const module = handler.slice(0, handler.lastIndexOf('.')).replaceAll('.', '/')
  // Layers' folders are searched as the package is.
  const fromLayers = (opt?.files ?? []).flatMap((file) => {
    const inFolder = /^python\/(?:lib\/python3\.\d+\/site-packages\/)?(.+)$/.exec(file)?.[1]
    return inFolder === undefined ? [] : [inFolder]
  })
  const everywhere = [...files, ...fromLayers]
  const present = new Set(everywhere)
  const notices: string[] = []
  const isThere =
    present.has(`${module}.py`) ||
    present.has(`${module}/__init__.py`) ||
    everywhere.some((file) => file.startsWith(`${module}.`) && file.endsWith('.so')) ||
    // A folder without __init__.py is a package too.
    everywhere.some((file) => file.startsWith(`${module}/`))
  if (!isThere) {
    const advice = wrappedFolderAdvice(files, handler)
    notices.push(`The package has no ${module}.py, which the handler ${handler} needs.${advice}`)
  }
  const compiled = new Map<string, string>()
  for (const file of files) {
    const [, major, minor] = COMPILED.exec(file) ?? []
    if (major !== undefined) compiled.set(`${major}.${minor}`, file)
  }
  const own = version?.split('.').slice(0, 2).join('.')
  if (own !== undefined && compiled.size > 0 && !compiled.has(own)) {
    const [[theirs, file] = []] = compiled
    notices.push(`${file} was compiled for Python ${theirs}; the function runs on Python ${own} and cannot load it.`)
  }
  return notices.length === 0 ? {} : { notices }
}
