import { matchesParts } from '../wildcard-parts.ts'
import { FilterFault } from './fault.ts'
import { compileRegex } from './linear-regex.ts'

export const OPERATORS = ['!=', '<=', '>=', '=', '<', '>'] as const
export type Operator = (typeof OPERATORS)[number]

export type Literal =
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  /** With `*` for any run of characters. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regex'; readonly source: string }

/** A string, a number, a boolean or null; numbers of a text that has none are texts. */
export type Condition = (value: Scalar) => boolean
export type Scalar = string | number | boolean | null

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** Of what stands there without quotes. */
export function literalOf(text: string): Literal {
  return NUMBER.test(text) ? { kind: 'number', value: Number(text), text } : { kind: 'text', text }
}

/**
 * @param readsNumbers - Whether values are texts of which some are numbers, as in a line; in JSON a text never is one
 * @throws FilterFault for an order of what has none
 */
export function compileCondition(operator: Operator, literal: Literal, readsNumbers: boolean): Condition {
  if (literal.kind === 'number') {
    const compare = comparisonOf(operator, literal.value)
    return (value) => {
      if (typeof value === 'number') return compare(value)
      if (readsNumbers && typeof value === 'string' && NUMBER.test(value)) return compare(Number(value))
      return operator === '!='
    }
  }
  if (operator !== '=' && operator !== '!=') {
    throw new FilterFault(`Invalid filter pattern: ${operator} takes a number`)
  }
  const isText = literal.kind === 'regex' ? compileRegex(literal.source) : matchesParts(literal.text.split(/\*+/))
  return (value) => isText(String(value)) === (operator === '=')
}

function comparisonOf(operator: Operator, wanted: number): (value: number) => boolean {
  switch (operator) {
    case '=':
      return (value) => value === wanted
    case '!=':
      return (value) => value !== wanted
    case '<':
      return (value) => value < wanted
    case '<=':
      return (value) => value <= wanted
    case '>':
      return (value) => value > wanted
    case '>=':
      return (value) => value >= wanted
  }
}
