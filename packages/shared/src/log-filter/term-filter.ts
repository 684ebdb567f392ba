import { PatternReader } from './expression.ts'
import { FilterFault } from './fault.ts'
import { compileRegex } from './linear-regex.ts'
import type { LogFilter, LogMatch } from './types.ts'

const WORD = /[\p{L}\p{N}_]+/uy
const WHOLE = /\S+/y
const NO_VALUES: LogMatch = { valueOf: () => undefined, values: () => ({}) }

type Term = (message: string) => boolean

/**
 * `ERROR "timed out" -Exiting`, `?A ?B`. Terms that may be there count only where there are no others.
 *
 * @throws FilterFault
 */
export function compileTermFilter(pattern: string): LogFilter {
  const reader = new PatternReader(pattern)
  const wanted: Term[] = []
  const optional: Term[] = []
  while (!reader.isAtEnd) {
    const sign = reader.peek()
    if (sign === '-' || sign === '?') reader.take(sign)
    const term = readTerm(reader)
    if (sign === '?') optional.push(term)
    else wanted.push(sign === '-' ? (message) => !term(message) : term)
  }
  const matches =
    wanted.length === 0 && optional.length > 0
      ? (message: string) => optional.some((term) => term(message))
      : (message: string) => wanted.every((term) => term(message))
  return { matches, match: (message) => (matches(message) ? NO_VALUES : undefined) }
}

function readTerm(reader: PatternReader): Term {
  const source = reader.takeQuoted('%')
  if (source !== undefined) return compileRegex(source)
  const quoted = reader.takeQuoted('"')
  const text = quoted ?? reader.takeMatch(WORD)
  const rest = reader.takeMatch(WHOLE)
  if (rest !== '') throw new FilterFault(`Invalid character(s) in term '${text}${rest}'`)
  if (quoted === undefined && text === '') throw reader.fault('a term is missing')
  return (message) => message.includes(text)
}
