/** What an element may hold: a text, elements by name in their order, or a list. Undefined: the element is left out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | StringMap
  | { readonly [name: string]: XmlValue }

/** A map of the API model, which has other names in each answer: not a structure. */
export class StringMap {
  readonly entries: readonly (readonly [key: string, value: string | number])[]

  constructor(entries: readonly (readonly [key: string, value: string | number])[]) {
    this.entries = entries
  }

  /** As the other protocols have it. */
  toJSON(): Record<string, string | number> {
    return Object.fromEntries(this.entries)
  }
}

/**
 * One element as AWS's query protocol writes it: lists as `member` elements, an empty list or structure as an empty one.
 *
 * @see reference: IAM §4.1
 */
export function element(name: string, value: XmlValue, attributes = ''): string {
  const content = contentOf(value)
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`
}

function contentOf(value: XmlValue): string {
  if (value === undefined) return ''
  if (typeof value !== 'object') return escapeText(String(value))
  if (Array.isArray(value)) return value.map((item: XmlValue) => element('member', item)).join('')
  if (value instanceof StringMap) {
    return value.entries.map(([key, inner]) => element('entry', { key, value: inner })).join('')
  }
  return Object.entries(value)
    .map(([name, inner]) => (inner === undefined ? '' : element(name, inner)))
    .join('')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;'
}

/** Characters that XML has no way to write become U+FFFD. */
function escapeText(text: string): string {
  return text
    .replace(/[&<>"\r]/g, (char) => ESCAPES[char] ?? char)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu, '\ufffd')
}
