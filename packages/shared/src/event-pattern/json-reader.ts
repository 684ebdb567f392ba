import { JsonCheck } from '../json-check.ts'

/** Something in a pattern that cannot be. */
export class PatternFault extends Error {
  override readonly name = 'PatternFault'
  /** Offset in the text up to which it was read. */
  readonly at: number

  constructor(reason: string, at: number) {
    super(reason)
    this.at = at
  }
}

/** A value of a pattern, with the place that mistakes in it are told at. */
export type PatternJson =
  | { readonly kind: 'object'; readonly at: number; readonly end: number; readonly fields: readonly PatternField[] }
  | { readonly kind: 'array'; readonly at: number; readonly end: number; readonly items: readonly PatternJson[] }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  | { readonly kind: 'number'; readonly at: number; readonly value: number; readonly text: string }
  | { readonly kind: 'boolean'; readonly at: number; readonly value: boolean }
  | { readonly kind: 'null'; readonly at: number }

export interface PatternField {
  readonly name: string
  readonly value: PatternJson
}

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g
const MAX_DEPTH = 64

/**
 * Reads JSON and keeps places. They are those that AWS's reader has reached: after a bracket, a number or a word, and
 * behind the opening quote of a text, which it reads later.
 *
 * @throws PatternFault
 */
export function readPatternJson(text: string): PatternJson {
  const bytes = Buffer.from(text)
  const check = new JsonCheck()
  const broken = check.push(bytes)
  const fault = broken === -1 ? check.end() : broken
  if (fault !== -1) {
    const at = bytes.subarray(0, fault).toString().length
    throw new PatternFault(at >= text.length ? 'Unexpected end-of-input' : `Unexpected character ('${text[at]}')`, at)
  }
  const tokens = [...text.matchAll(TOKEN)]
  let next = 0

  function read(depth: number): PatternJson {
    const { 0: token, index } = tokens[next++]!
    const at = index + (token[0] === '"' ? 1 : token.length)
    if (depth > MAX_DEPTH) throw new PatternFault('The pattern is nested too deeply', at)
    if (token === '{') return readObject(at, depth)
    if (token === '[') return readArray(at, depth)
    if (token[0] === '"') return { kind: 'string', at, value: JSON.parse(token) as string }
    if (token === 'null') return { kind: 'null', at }
    if (token === 'true' || token === 'false') return { kind: 'boolean', at, value: token === 'true' }
    return { kind: 'number', at, value: Number(token), text: token }
  }

  function readObject(at: number, depth: number): PatternJson {
    const fields: PatternField[] = []
    while (tokens[next]![0] !== '}') {
      if (tokens[next]![0] === ',') next++
      const name = JSON.parse(tokens[next]![0]) as string
      next += 2
      fields.push({ name, value: read(depth + 1) })
    }
    return { kind: 'object', at, end: tokens[next++]!.index + 1, fields }
  }

  function readArray(at: number, depth: number): PatternJson {
    const items: PatternJson[] = []
    while (tokens[next]![0] !== ']') {
      if (tokens[next]![0] === ',') next++
      items.push(read(depth + 1))
    }
    return { kind: 'array', at, end: tokens[next++]!.index + 1, items }
  }

  return read(0)
}
