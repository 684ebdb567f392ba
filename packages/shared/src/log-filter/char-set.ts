import { FilterFault } from './fault.ts'

/** Characters by code unit: one entry for each of the first 256, the last one for all others. */
export type CharSet = Uint8Array

export const OTHERS = 256

const DIGITS = setOf((code) => code >= 48 && code <= 57)
const WORD = setOf((code) => /\w/.test(String.fromCharCode(code)))
const BLANKS = setOf((code) => code === 32 || (code >= 9 && code <= 13))
export const ANY = setOf((code) => code !== 10)

/** What stands for itself without a backslash. */
const PLAIN = /[A-Za-z0-9_#=@/;,\-:]/
const ESCAPABLE = /[^A-Za-z0-9]/

export function single(character: string): CharSet {
  if (!PLAIN.test(character)) {
    throw new FilterFault(
      `Invalid filter pattern: the character '${character}' must be escaped in a regular expression`
    )
  }
  return setOf((code) => code === character.charCodeAt(0))
}

/** @param at - Of the character behind the backslash */
export function escaped(text: string, at: number): { readonly set: CharSet; readonly end: number } {
  const letter = text[at] ?? ''
  const known = classOf(letter)
  if (known !== undefined) return { set: known, end: at + 1 }
  if (letter === 'x') {
    const digits = text.slice(at + 1, at + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) {
      throw new FilterFault('Invalid filter pattern: \\x takes two hexadecimal digits')
    }
    const wanted = Number.parseInt(digits, 16)
    return { set: setOf((code) => code === wanted), end: at + 3 }
  }
  if (letter === '' || !ESCAPABLE.test(letter) || letter.charCodeAt(0) >= OTHERS) {
    throw new FilterFault(`Invalid filter pattern: unknown escape '\\${letter}' in a regular expression`)
  }
  return { set: setOf((code) => code === letter.charCodeAt(0)), end: at + 1 }
}

/** `[a-z_]`, `[^0-9]`. @param at - Of the character behind the bracket */
export function bracketed(text: string, at: number): { readonly set: CharSet; readonly end: number } {
  const isNegated = text[at] === '^'
  const set = new Uint8Array(OTHERS + 1)
  let i = isNegated ? at + 1 : at
  for (const first = i; text[i] !== ']' || i === first; ) {
    const member = readMember(text, i)
    i = member.end
    if (text[i] === '-' && text[i + 1] !== ']' && text[i + 1] !== undefined) {
      const last = readMember(text, i + 1)
      i = last.end
      addRange(set, member.set, last.set)
    } else for (let code = 0; code <= OTHERS; code++) set[code]! |= member.set[code]!
  }
  return { set: isNegated ? inverse(set) : set, end: i + 1 }
}

function readMember(text: string, at: number): { readonly set: CharSet; readonly end: number } {
  const character = text[at]
  if (character === undefined) throw new FilterFault("Invalid filter pattern: '[' without ']' in a regular expression")
  if (character === '\\') return escaped(text, at + 1)
  if (character.charCodeAt(0) >= 128)
    throw new FilterFault('Invalid filter pattern: multi-byte characters in a regular expression')
  return { set: setOf((code) => code === character.charCodeAt(0)), end: at + 1 }
}

function addRange(set: CharSet, from: CharSet, to: CharSet): void {
  const isOne = (chars: CharSet): boolean => chars.indexOf(1) === chars.lastIndexOf(1)
  const [low, high] = [from.indexOf(1), to.indexOf(1)]
  if (!isOne(from) || !isOne(to) || low > high) {
    throw new FilterFault('Invalid filter pattern: a range of characters goes from the lower to the higher one')
  }
  set.fill(1, low, high + 1)
}

function classOf(letter: string): CharSet | undefined {
  switch (letter) {
    case 'd':
      return DIGITS
    case 'D':
      return inverse(DIGITS)
    case 'w':
      return WORD
    case 'W':
      return inverse(WORD)
    case 's':
      return BLANKS
    case 'S':
      return inverse(BLANKS)
    default:
      return undefined
  }
}

function setOf(has: (code: number) => boolean): CharSet {
  return Uint8Array.from({ length: OTHERS + 1 }, (_, code) => Number(has(code)))
}

function inverse(set: CharSet): CharSet {
  return set.map((has) => 1 - has)
}
