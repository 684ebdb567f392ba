import { foreignCode, type PackageView } from '@hearth/executor/runtimes'
import { HearthError } from '@hearth/shared'
import type { Runtimes } from '../functions/runtimes.ts'

/**
 * Looks at a package as its runtime will.
 *
 * @param opt - What its layers bring
 * @returns what the deployer ought to know
 * @throws HearthError INVALID_PACKAGE when it cannot work
 */
export async function inspectPackage(
  runtimes: Runtimes,
  view: PackageView,
  { runtime, handler }: { readonly runtime: string; readonly handler: string },
  opt?: PackageView
): Promise<readonly string[]> {
  const { problem, notices = [] } =
    (await runtimes.languageOf(runtime)?.inspect(opt === undefined ? view : { ...view, opt }, handler, runtime)) ?? {}
  if (problem !== undefined) throw new HearthError('INVALID_PACKAGE', problem)
  return [...notices, ...(await foreignCode(view, process.arch === 'arm64' ? 'arm64' : 'x86_64'))]
}
