/**
 * The usual reason why a package lacks what its handler names: everything in it lies in one folder.
 * @returns a sentence with a space before it, or ''
 */
export function wrappedFolderAdvice(files: readonly string[], handler: string): string {
  const folder = files[0]?.slice(0, files[0].indexOf('/') + 1) ?? ''
  if (folder === '' || !files.every((file) => file.startsWith(folder))) return ''
  return ` Everything in it lies in the folder ${folder}: pack the contents of that folder, or deploy with ?handler=${folder}${handler}`
}
