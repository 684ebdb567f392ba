/** What Node.js runtimes try after a handler's file name, in their order. */
const NODE_EXTENSIONS = ['', '.js', '.mjs', '.cjs']

/**
 * Tells a deployer at once what the first call would tell: that the file which the handler names is not there.
 *
 * @param handler - E.g. `dir/index.handler`.
 * @param files - Relative paths of what is in the package.
 */
export function missingHandlerNotice(runtime: string, handler: string, files: readonly string[]): string | undefined {
  if (!runtime.startsWith('nodejs')) return undefined
  const slash = handler.lastIndexOf('/') + 1
  const dot = handler.indexOf('.', slash)
  const module = dot < 0 ? handler : handler.slice(0, dot)
  const present = new Set(files)
  if (NODE_EXTENSIONS.some((extension) => present.has(module + extension))) return undefined
  const folder = files[0]?.slice(0, files[0].indexOf('/') + 1) ?? ''
  const isWrapped = folder !== '' && files.every((file) => file.startsWith(folder))
  const advice = isWrapped
    ? ` Everything in it lies in the folder ${folder}: pack the contents of that folder, or deploy with ?handler=${folder}${handler}`
    : ''
  return `The package has no ${module}.js, ${module}.mjs or ${module}.cjs, which the handler ${handler} needs.${advice}`
}
