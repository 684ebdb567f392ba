/**
 * Whether a text is these parts in their order with anything, or nothing, between each two. Linear in the text's length
 * for each part.
 */
export function matchesParts(parts: readonly string[]): (value: string) => boolean {
  const first = parts[0]!
  if (parts.length === 1) return (value) => value === first
  const last = parts.at(-1)!
  const middle = parts.slice(1, -1)
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false
    const end = value.length - last.length
    let from = first.length
    for (const part of middle) {
      const found = value.indexOf(part, from)
      if (found === -1 || found + part.length > end) return false
      from = found + part.length
    }
    return true
  }
}
