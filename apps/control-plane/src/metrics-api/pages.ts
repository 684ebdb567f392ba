import { createHash } from 'node:crypto'

/**
 * One page of a list that is made anew for each.
 *
 * @param query - What was asked: a token of one question is none of another
 * @returns undefined for a token that is none
 */
export function pageOf<Item>(
  items: readonly Item[],
  token: string | undefined,
  query: string,
  size: number
): { readonly items: readonly Item[]; readonly next: string | undefined } | undefined {
  const mark = markOf(query)
  const [, start, of] = token === undefined ? ['', '0', mark] : (/^(\d{1,9})\.([\w-]{16})$/.exec(token) ?? [])
  if (of !== mark) return undefined
  const from = Number(start)
  const next = from + size
  return { items: items.slice(from, next), next: next < items.length ? `${next}.${mark}` : undefined }
}

/** Tells one question's tokens from another's. */
export function markOf(query: string): string {
  return createHash('sha256').update(query).digest('base64url').slice(0, 16)
}
