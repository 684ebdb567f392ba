import { fromCursor, toCursor } from '../http/cursor.ts'
import type { XmlValue } from '../query/xml.ts'

interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems: number
}

/** Where a list goes on: after this key. */
export function startOf({ Marker }: PageInput): string {
  return Marker === undefined ? '' : fromCursor(Marker, 'Marker', /^[^\u0000-\u001f]{1,4096}$/u)
}

/**
 * Members of an answer with a part of a list.
 *
 * @param found - What comes after the last page, one more than belongs on this one if there is more.
 */
export function pageMembers<Item>(
  name: string,
  found: readonly Item[],
  { MaxItems }: PageInput,
  keyOf: (item: Item) => string,
  view: (item: Item) => XmlValue
): Readonly<Record<string, XmlValue>> {
  const page = found.slice(0, MaxItems)
  const last = found.length > MaxItems ? page.at(-1) : undefined
  return { [name]: page.map(view), ...markOf(last === undefined ? undefined : keyOf(last)) }
}

export function markOf(last: string | undefined): Readonly<Record<string, XmlValue>> {
  return { IsTruncated: last !== undefined, Marker: last === undefined ? undefined : toCursor(last) }
}

/** {@link pageMembers} of a list that is short enough to be there as a whole, in any order. */
export function pageOfAll<Item>(
  name: string,
  all: readonly Item[],
  input: PageInput,
  keyOf: (item: Item) => string,
  view: (item: Item) => XmlValue
): Readonly<Record<string, XmlValue>> {
  const start = startOf(input)
  const at = start === '' ? 0 : all.findIndex((item) => keyOf(item) === start) + 1
  return pageMembers(name, all.slice(at), input, keyOf, view)
}
