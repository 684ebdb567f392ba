// Words that the messages of AWS's models have in common, whichever protocol they come by.

/** Zod keeps a pattern as it was written, with the delimiters and anchors that the model's text does not have. */
export function patternText(pattern: string | undefined): string {
  const bare = (pattern ?? '').replace(/^\/|\/[a-z]*$/g, '').replaceAll('\\/', '/')
  return /^\^\(\?:(.*)\)\$$/s.exec(bare)?.[1] ?? bare.replace(/^\^|\$$/g, '')
}

/** What of a value is bounded. @param origin - Zod's name of its type */
export function measure(origin: string): string {
  return origin === 'number' || origin === 'int' ? 'value' : 'length'
}

/** Members in the order in which they are nested, each with a small letter first, as AWS writes them. */
export function joinMembers(members: readonly string[]): string {
  return members.map((member) => (member[0] ?? '').toLowerCase() + member.slice(1)).join('.')
}

/** @returns undefined when there is nothing */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[part]
  }
  return value
}
