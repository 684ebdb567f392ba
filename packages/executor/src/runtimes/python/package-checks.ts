import type { Findings, PackageView } from '../runtime.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** What a deployer should know at once instead of at the first call. */
export async function inspectPython({ files, opt }: PackageView, handler: string): Promise<Findings> {
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
  return notices.length === 0 ? {} : { notices }
}
