import { JsonCheck, placeOf } from '../json-check.ts'

/** Why a text is not the JSON that it should be. */
export interface JsonFault {
  readonly message: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

/**
 * Strict JSON in which no key stands twice: a policy whose second `Effect` replaces its first means what its author does
 * not see, and JSON.parse knows no such rule.
 *
 * @param text - Of characters up to U+00FF.
 */
export function parseStrictJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  // One byte a character, so that offsets are the same.
  const bytes = Buffer.from(text, 'latin1')
  const check = new JsonCheck()
  const broken = check.push(bytes)
  const at = broken === -1 ? check.end() : broken
  if (at !== -1) return { fault: { message: 'no valid JSON', ...placeOf(bytes, at) } }
  const again = secondKeyOf(text)
  if (again !== -1) return { fault: { message: 'a key that stands twice', ...placeOf(bytes, again) } }
  return { value: JSON.parse(text) }
}

const TOKEN = /"(?:[^"\\]+|\\.)*"|[{}[\],]/g

/** @param text - Valid JSON. @returns where a key stands that its object had before; -1 when there is none */
function secondKeyOf(text: string): number {
  // The keys of each open container; an array has none.
  const open: (Set<string> | undefined)[] = []
  let isKey = false
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const keys = open.at(-1)
    if (token === '{' || token === '[') {
      isKey = token === '{'
      open.push(isKey ? new Set() : undefined)
    } else if (token === '}' || token === ']') {
      isKey = false
      open.pop()
    } else if (token === ',') {
      isKey = keys !== undefined
    } else if (isKey && keys !== undefined) {
      const key = JSON.parse(token) as string
      if (keys.has(key)) return index
      keys.add(key)
      isKey = false
    }
  }
  return -1
}
