import { type Literal, literalOf, OPERATORS, type Operator } from './condition.ts'
import { FilterFault } from './fault.ts'

export type Test<Subject> = (subject: Subject) => boolean

/** Parentheses within each other: a pattern has 1,024 characters, and each level is a call. */
const MOST_LEVELS = 50
const BLANK = /\s/

/** Reads a pattern from left to right. */
export class PatternReader {
  readonly #text: string
  #at: number

  constructor(text: string, at = 0) {
    this.#text = text
    this.#at = at
  }

  get isAtEnd(): boolean {
    this.skipBlanks()
    return this.#at >= this.#text.length
  }

  /** What was not read yet. */
  get rest(): string {
    return this.#text.slice(this.#at)
  }

  skipBlanks(): void {
    while (this.#at < this.#text.length && BLANK.test(this.#text[this.#at]!)) this.#at++
  }

  peek(): string {
    return this.#text[this.#at] ?? ''
  }

  /** Whether this comes next, which is then behind. Blanks before it do not count. */
  take(token: string): boolean {
    this.skipBlanks()
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  /** Like {@link take}, in capitals or not, and not as the beginning of a longer word. */
  takeWord(word: string): boolean {
    this.skipBlanks()
    const end = this.#at + word.length
    if (this.#text.slice(this.#at, end).toUpperCase() !== word || /\w/.test(this.#text[end] ?? '')) return false
    this.#at = end
    return true
  }

  /** @returns what matches here, which is behind then; '' for nothing. @param pattern - Sticky */
  takeMatch(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  /** What is between two of these, which may itself have them behind a backslash. @throws FilterFault without the second */
  takeQuoted(quote: string): string | undefined {
    if (this.peek() !== quote) return undefined
    let text = ''
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const character = this.#text[i]!
      if (character === quote) {
        this.#at = i + 1
        return text
      }
      const isEscape =
        character === '\\' && (this.#text[i + 1] === quote || (quote === '"' && this.#text[i + 1] === '\\'))
      text += isEscape ? this.#text[++i]! : character
    }
    throw this.fault(`${quote} without a second one`)
  }

  fault(what: string): FilterFault {
    return new FilterFault(`Invalid filter pattern: ${what} at character ${Math.min(this.#at, this.#text.length) + 1}`)
  }
}

/**
 * `a && (b || c)`; `&&` goes before `||`.
 *
 * @param readLeaf - Reads what is between
 * @throws FilterFault
 */
export function readExpression<Subject>(
  reader: PatternReader,
  readLeaf: (reader: PatternReader) => Test<Subject>,
  level = 0
): Test<Subject> {
  if (level > MOST_LEVELS) throw reader.fault('too many parentheses')
  const readPart = (): Test<Subject> => {
    if (!reader.take('(')) return readLeaf(reader)
    const inner = readExpression(reader, readLeaf, level + 1)
    if (!reader.take(')')) throw reader.fault("')' is missing")
    return inner
  }
  const readAll = (): Test<Subject> => {
    const parts = [readPart()]
    while (reader.take('&&')) parts.push(readPart())
    return parts.length === 1 ? parts[0]! : (subject) => parts.every((part) => part(subject))
  }
  const ways = [readAll()]
  while (reader.take('||')) ways.push(readAll())
  return ways.length === 1 ? ways[0]! : (subject) => ways.some((way) => way(subject))
}

export function takeOperator(reader: PatternReader): Operator | undefined {
  return OPERATORS.find((operator) => reader.take(operator))
}

/** @param bare - What a value without quotes consists of; sticky. @throws FilterFault when there is none */
export function takeLiteral(reader: PatternReader, bare: RegExp): Literal {
  reader.skipBlanks()
  const quoted = reader.takeQuoted('"')
  if (quoted !== undefined) return { kind: 'text', text: quoted }
  const source = reader.takeQuoted('%')
  if (source !== undefined) return { kind: 'regex', source }
  const text = reader.takeMatch(bare)
  if (text === '') throw reader.fault('a value is missing')
  return literalOf(text)
}
