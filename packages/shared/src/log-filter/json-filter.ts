import { compileCondition, type Scalar } from './condition.ts'
import { PatternReader, readExpression, type Test, takeLiteral, takeOperator } from './expression.ts'
import { FilterFault } from './fault.ts'
import { readSelector, type Selector, select } from './json-selector.ts'
import type { LogFilter, LogMatch } from './types.ts'

const BARE = /[^\s(){}&|,"%]+/y

/** `{ $.level = "ERROR" && ($.ms > 100 || $.user NOT EXISTS) }`. @throws FilterFault */
export function compileJsonFilter(pattern: string): LogFilter {
  const reader = new PatternReader(pattern)
  const named = new Map<string, Selector>()
  reader.take('{')
  const test = readExpression<object>(reader, (at) => readLeaf(at, named))
  if (!reader.take('}')) throw reader.fault("'}' is missing")
  if (!reader.isAtEnd) throw reader.fault("nothing may follow '}'")
  const others = new Map<string, Selector | undefined>()
  const selectorOf = (reference: string): Selector | undefined => {
    const known = named.get(reference)
    if (known !== undefined || others.has(reference)) return known ?? others.get(reference)
    const selector = parseReference(reference)
    others.set(reference, selector)
    return selector
  }
  const match = (message: string): LogMatch | undefined => {
    const root = objectIn(message)
    if (root === undefined || !test(root)) return undefined
    const valueOf = (reference: string): string | undefined => {
      const selector = selectorOf(reference)
      return selector === undefined ? undefined : textOf(select(root, selector)[0])
    }
    return {
      valueOf,
      values() {
        const found = [...named.keys()].map((reference) => [reference, valueOf(reference)] as const)
        return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined))
      }
    }
  }
  return { match, matches: (message) => match(message) !== undefined }
}

/** @returns undefined for a text that is no selector */
function parseReference(reference: string): Selector | undefined {
  try {
    const reader = new PatternReader(reference)
    const selector = readSelector(reader)
    return reader.isAtEnd ? selector : undefined
  } catch (thrown) {
    if (thrown instanceof FilterFault) return undefined
    throw thrown
  }
}

function readLeaf(reader: PatternReader, named: Map<string, Selector>): Test<object> {
  reader.skipBlanks()
  const before = reader.rest
  const selector = readSelector(reader)
  named.set(before.slice(0, before.length - reader.rest.length), selector)
  const some = (test: (value: unknown) => boolean) => (root: object) => select(root, selector).some(test)
  const operator = takeOperator(reader)
  if (operator !== undefined) {
    const condition = compileCondition(operator, takeLiteral(reader, BARE), false)
    return some((value) => isScalar(value) && condition(value))
  }
  if (reader.takeWord('NOT')) {
    if (!reader.takeWord('EXISTS')) throw reader.fault('EXISTS is missing')
    return (root) => select(root, selector).length === 0
  }
  if (reader.takeWord('IS')) {
    if (reader.takeWord('NULL')) return some((value) => value === null)
    if (reader.takeWord('TRUE')) return some((value) => value === true)
    if (reader.takeWord('FALSE')) return some((value) => value === false)
    throw reader.fault('NULL, TRUE or FALSE is missing')
  }
  throw reader.fault('an operator is missing')
}

function objectIn(message: string): object | undefined {
  // Most messages are none, and the parser's exceptions are dear.
  if (!/^\s*\{/.test(message)) return undefined
  try {
    return JSON.parse(message) as object
  } catch {
    return undefined
  }
}

/** What lands on an object or an array never matches. */
function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null
}

function textOf(value: unknown): string | undefined {
  return value === undefined || !isScalar(value) ? undefined : String(value)
}
