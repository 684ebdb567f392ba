import type { Findings, PackageView } from '../runtime.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** What a deployer should know at once instead of at the first call. */
export async function inspectPython({ files }: PackageView, handler: string): Promise<Findings> {
  const module = handler.slice(0, handler.lastIndexOf('.')).replaceAll('.', '/')
  const present = new Set(files)
  const notices: string[] = []
  const isThere =
    present.has(`${module}.py`) ||
    present.has(`${module}/__init__.py`) ||
    files.some((file) => file.startsWith(`${module}.`) && file.endsWith('.so')) ||
    // A folder without __init__.py is a package too.
    files.some((file) => file.startsWith(`${module}/`))
  if (!isThere) {
    const advice = wrappedFolderAdvice(files, handler)
    notices.push(`The package has no ${module}.py, which the handler ${handler} needs.${advice}`)
  }
  return notices.length === 0 ? {} : { notices }
}
