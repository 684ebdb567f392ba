/** Any run of characters, also an empty one. */
export const ANY = -1
/** One character. */
export const ONE = -2

/** Code units, with {@link ANY} and {@link ONE} between them. */
export type Glob = readonly number[]

/** @param text - With `*` and `?` as wildcards; they cannot be escaped here (see template.ts). */
export function parseGlob(text: string): Glob {
  return Array.from({ length: text.length }, (_, i) => tokenOf(text.charCodeAt(i)))
}

export function tokenOf(code: number): number {
  return code === 42 ? ANY : code === 63 ? ONE : code
}

/**
 * Whether the whole text matches. Takes at most pattern × text steps: patterns come from callers, and a regular
 * expression made of one can be made to run for hours.
 *
 * @param from - Where the text begins.
 * @param to - Behind its last character.
 */
export function matchesGlob(glob: Glob, text: string, from = 0, to = text.length): boolean {
  let at = 0
  let i = from
  let star = -1
  let resumeAt = 0
  while (i < to) {
    const token = at < glob.length ? glob[at] : undefined
    if (token === ANY) {
      star = at++
      resumeAt = i
    } else if (token !== undefined && (token === ONE || token === text.charCodeAt(i))) {
      at++
      i++
    } else if (star !== -1) {
      at = star + 1
      i = ++resumeAt
    } else {
      return false
    }
  }
  while (at < glob.length && glob[at] === ANY) at++
  return at === glob.length
}
