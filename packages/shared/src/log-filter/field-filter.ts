import { compileCondition } from './condition.ts'
import { PatternReader, readExpression, type Test, takeLiteral, takeOperator } from './expression.ts'
import type { LogFilter, LogMatch } from './types.ts'

const NAME = /[A-Za-z_][\w-]*/y
const BARE = /[^\s()[\]&|,"%]+/y
const TOKEN = /\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|\S+/g

interface Field {
  readonly name: string | undefined
  readonly test: Test<string> | undefined
}

/** `[ip, user, ..., status = 4*, bytes > 1000]`. @throws FilterFault */
export function compileFieldFilter(pattern: string): LogFilter {
  const { before, after } = readFields(pattern)
  const match = (message: string): LogMatch | undefined => {
    const tokens = tokensOf(message)
    const least = before.length + (after?.length ?? 0)
    if (after === undefined ? tokens.length !== least : tokens.length < least) return undefined
    const tail = tokens.length - (after?.length ?? 0)
    const fits = (field: Field, at: number): boolean => field.test?.(tokens[at]!) !== false
    if (!before.every((field, i) => fits(field, i))) return undefined
    if (after?.every((field, i) => fits(field, tail + i)) === false) return undefined
    const nameOf = (i: number): string => {
      const field = i < before.length ? before[i] : after?.[i - tail]
      return `$${field?.name ?? i + 1}`
    }
    return {
      valueOf(reference) {
        const at = tokens.findIndex((_, i) => nameOf(i) === reference)
        return tokens[at]
      },
      values: () => Object.fromEntries(tokens.map((token, i) => [nameOf(i), token]))
    }
  }
  return { match, matches: (message) => match(message) !== undefined }
}

/** @returns `after`: those behind `...`; undefined without one */
function readFields(pattern: string): {
  readonly before: readonly Field[]
  readonly after: readonly Field[] | undefined
} {
  const reader = new PatternReader(pattern)
  reader.take('[')
  const before: Field[] = []
  let after: Field[] | undefined
  do {
    if (reader.take('...')) {
      if (after !== undefined) throw reader.fault("'...' a second time")
      after = []
    } else (after ?? before).push(readField(reader))
  } while (reader.take(','))
  if (!reader.take(']')) throw reader.fault("',' or ']' is missing")
  if (!reader.isAtEnd) throw reader.fault("nothing may follow ']'")
  return { before, after }
}

function readField(reader: PatternReader): Field {
  reader.skipBlanks()
  if (reader.peek() === ',' || reader.peek() === ']') return { name: undefined, test: undefined }
  let name: string | undefined
  let hasTest = false
  const test = readExpression<string>(reader, () => {
    reader.skipBlanks()
    const own = reader.takeMatch(NAME)
    if (own === '') throw reader.fault("a field's name is missing")
    if (name !== undefined && own !== name) throw reader.fault(`a field has one name, not ${name} and ${own}`)
    name = own
    const operator = takeOperator(reader)
    if (operator === undefined) return () => true
    hasTest = true
    return compileCondition(operator, takeLiteral(reader, BARE), true)
  })
  return { name, test: hasTest ? test : undefined }
}

/** What is between blanks; what is in brackets or quotes is one, without them. */
function tokensOf(message: string): readonly string[] {
  return Array.from(message.matchAll(TOKEN), ([whole, bracketed, quoted]) => bracketed ?? quoted ?? whole)
}
