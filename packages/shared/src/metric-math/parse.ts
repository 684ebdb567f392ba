import { FUNCTIONS } from './functions.ts'
import { MathError } from './math-error.ts'
import { type Token, tokensOf } from './tokens.ts'

/** A metric math expression, read. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly text: string }
  /** Another metric or expression of the same request. */
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'operation'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'negative'; readonly operand: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }

/** Deeper ones are no one's. */
const MAX_DEPTH = 64
const MAX_LENGTH = 2_048

/** Each line binds more tightly than the one before it. */
const LEVELS: readonly (readonly string[])[] = [
  ['OR', '||'],
  ['AND', '&&'],
  ['==', '!=', '<>', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
  ['^']
]

/**
 * Reads a metric math expression: numbers, ids (a small letter first), `+ - * / ^ ( )`, comparisons, AND, OR, and the
 * functions in functions.ts.
 *
 * @throws MathError
 */
export function parseMath(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new MathError(`an expression may have ${MAX_LENGTH} characters`)
  return new Parser(tokensOf(text)).whole()
}

/** Ids that an expression names. `METRICS()` names none: it means all. */
export function idsOf(expression: Expression): Set<string> {
  const ids = new Set<string>()
  const visit = (node: Expression): void => {
    if (node.kind === 'id') ids.add(node.id)
    else if (node.kind === 'list') node.items.forEach(visit)
    else if (node.kind === 'call') node.args.forEach(visit)
    else if (node.kind === 'negative') visit(node.operand)
    else if (node.kind === 'operation') {
      visit(node.left)
      visit(node.right)
    }
  }
  visit(expression)
  return ids
}

class Parser {
  readonly #tokens: readonly Token[]
  #position = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression {
    const expression = this.#level(0)
    if (this.#token.kind !== 'end') throw this.#unexpected()
    return expression
  }

  get #token(): Token {
    return this.#tokens[this.#position]!
  }

  #level(level: number): Expression {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#unary()
    let left = this.#level(level + 1)
    for (;;) {
      const operator = this.#takeOne(operators)
      if (operator === undefined) return left
      left = { kind: 'operation', operator, left, right: this.#level(level + 1) }
    }
  }

  #unary(): Expression {
    if (this.#takeOne(['-']) !== undefined) return { kind: 'negative', operand: this.#deeper(() => this.#unary()) }
    if (this.#takeOne(['+']) !== undefined) return this.#deeper(() => this.#unary())
    return this.#primary()
  }

  #primary(): Expression {
    const token = this.#token
    this.#position++
    switch (token.kind) {
      case 'number':
        return { kind: 'number', value: token.value }
      case 'text':
        return { kind: 'text', text: token.text }
      case 'name':
        return this.#named(token.text)
      case 'sign':
        if (token.text === '(') {
          const inner = this.#deeper(() => this.#level(0))
          this.#expect(')')
          return inner
        }
        if (token.text === '[') return { kind: 'list', items: this.#list(']') }
        break
      case 'end':
        break
    }
    this.#position--
    throw this.#unexpected()
  }

  #named(name: string): Expression {
    if (this.#takeOne(['(']) !== undefined) {
      const definition = FUNCTIONS[name]
      if (definition === undefined) throw new MathError(`there is no function ${name}`)
      const args = this.#list(')')
      const { min, max } = definition
      if (args.length < min || args.length > max) {
        throw new MathError(`${name} takes ${min === max ? min : `${min} to ${max}`} arguments`)
      }
      return { kind: 'call', name, args }
    }
    if (/^[a-z]/.test(name)) return { kind: 'id', id: name }
    // FILL(m1, REPEAT), TIME_SERIES and the like.
    return { kind: 'text', text: name }
  }

  #list(end: string): Expression[] {
    if (this.#takeOne([end]) !== undefined) return []
    const items: Expression[] = []
    do items.push(this.#deeper(() => this.#level(0)))
    while (this.#takeOne([',']) !== undefined)
    this.#expect(end)
    return items
  }

  #deeper<T>(step: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new MathError('the expression is nested too deeply')
    const result = step()
    this.#depth--
    return result
  }

  #takeOne(signs: readonly string[]): string | undefined {
    const token = this.#token
    if ((token.kind !== 'sign' && token.kind !== 'name') || !signs.includes(token.text)) return undefined
    this.#position++
    return token.text
  }

  #expect(sign: string): void {
    if (this.#takeOne([sign]) === undefined) throw this.#unexpected()
  }

  #unexpected(): MathError {
    const token = this.#token
    if (token.kind === 'end') return new MathError('the expression ends too early')
    const what = token.kind === 'number' ? String(token.value) : token.text
    return new MathError(`at character ${token.at + 1}: ${what} is not expected here`)
  }
}
