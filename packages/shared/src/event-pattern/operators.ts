import { isIP } from 'node:net'
import { parseIpRange } from '../policy/ip-range.ts'
import { PatternFault, type PatternJson } from './json-reader.ts'
import { parseWildcard } from './wildcard.ts'

/** A value without parts, as events have them. */
export type Scalar = string | number | boolean | null

/** Whether a value is one that the pattern wants. */
export type Matcher = (value: Scalar) => boolean

/** What one element of a pattern's array asks for: `absent` is that there is nothing. */
export type Wish = { readonly exact: Scalar } | { readonly matches: Matcher } | 'absent' | 'present'

type Operand = PatternJson
type Operator = (operand: Operand) => Wish

const NUMERIC_LIMIT = 5e9
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b
}

/** By the names that they have in patterns, which are case-sensitive. @see reference: Lambda events §6 */
const OPERATORS: Readonly<Record<string, Operator>> = {
  prefix: (operand) => affix(operand, 'prefix', (value, wanted) => value.startsWith(wanted)),
  suffix: (operand) => affix(operand, 'suffix', (value, wanted) => value.endsWith(wanted)),
  'equals-ignore-case'(operand) {
    const wanted = textOf(operand, 'equals-ignore-case match pattern must be a string').toLowerCase()
    return { matches: (value) => typeof value === 'string' && value.toLowerCase() === wanted }
  },
  wildcard(operand) {
    const text = textOf(operand, 'wildcard match pattern must be a string')
    const matches = parseWildcard(text, operand.at)
    return { matches: (value) => typeof value === 'string' && matches(value) }
  },
  'anything-but': anythingBut,
  numeric,
  cidr(operand) {
    const isIn = parseCidr(textOf(operand, 'prefix match pattern must be a string'), operand.at)
    return { matches: (value) => typeof value === 'string' && isIn(value) }
  },
  exists(operand) {
    if (operand.kind !== 'boolean') {
      throw new PatternFault('exists match pattern must be either true or false.', operand.at)
    }
    return operand.value ? 'present' : 'absent'
  }
}

/** @throws PatternFault */
export function readOperator(expression: Extract<PatternJson, { kind: 'object' }>): Wish {
  const [field, second] = expression.fields
  if (field === undefined) throw new PatternFault('Empty objects are not allowed', expression.end)
  const operator = Object.hasOwn(OPERATORS, field.name) ? OPERATORS[field.name] : undefined
  if (operator === undefined) throw new PatternFault(`Unrecognized match type ${field.name}`, field.value.at)
  const wish = operator(field.value)
  if (second !== undefined) throw new PatternFault('Only one key allowed in match expression', second.value.at)
  return wish
}

export function isOperator(name: string): boolean {
  return Object.hasOwn(OPERATORS, name)
}

function affix(operand: Operand, name: string, test: (value: string, wanted: string) => boolean): Wish {
  if (operand.kind === 'object') {
    const [field, second] = operand.fields
    if (field === undefined || second !== undefined || field.name !== 'equals-ignore-case') {
      throw new PatternFault(`Unsupported ${name} pattern: ${field?.name ?? ''}`, field?.value.at ?? operand.end)
    }
    const wanted = textOf(field.value, 'equals-ignore-case match pattern must be a string').toLowerCase()
    return { matches: (value) => typeof value === 'string' && test(value.toLowerCase(), wanted) }
  }
  const wanted = textOf(operand, `${name} match pattern must be a string`)
  return { matches: (value) => typeof value === 'string' && test(value, wanted) }
}

function numeric(operand: Operand): Wish {
  if (operand.kind !== 'array') throw new PatternFault('Value of numeric must be an array.', operand.at)
  const { items, end } = operand
  if (items.length === 0) throw new PatternFault('Invalid member in numeric match: ]', end)
  const bounds: { readonly operator: string; readonly bound: number }[] = []
  for (let i = 0; i < items.length; i += 2) {
    const item = items[i]!
    if (item.kind !== 'string') throw new PatternFault('Invalid member in numeric match', item.at)
    const operator = item.value
    const first = bounds[0]
    if (!Object.hasOwn(COMPARISONS, operator)) {
      throw new PatternFault(`Unrecognized numeric range operator: ${operator}`, item.at)
    }
    // One bound, or a lower and then an upper one.
    const isUpper = operator[0] === '<'
    if (first !== undefined && (first.operator[0] !== '>' || !isUpper || bounds.length > 1)) {
      throw new PatternFault(`Bad numeric range operator: ${operator}`, item.at)
    }
    const value = items[i + 1]
    if (value?.kind !== 'number') {
      const what = operator === '=' ? 'equals' : operator
      throw new PatternFault(`Value of ${what} must be numeric`, value?.at ?? end)
    }
    if (Math.abs(value.value) > NUMERIC_LIMIT) {
      throw new PatternFault('Value must be between -5.0E9 and 5.0E9, inclusive', value.at)
    }
    if (/\.\d{7}/.test(value.text)) {
      throw new PatternFault('Only values upto 6 decimals are supported', value.at)
    }
    if (first !== undefined && first.bound >= value.value)
      throw new PatternFault('Bottom must be less than top', value.at)
    bounds.push({ operator, bound: value.value })
  }
  const [low, high] = bounds.map(({ operator, bound }) => ({ test: COMPARISONS[operator]!, bound }))
  return {
    matches: (value) =>
      typeof value === 'number' && low!.test(value, low!.bound) && (high === undefined || high.test(value, high.bound))
  }
}

function anythingBut(operand: Operand): Wish {
  if (operand.kind === 'object') return anythingButOperator(operand)
  if (operand.kind === 'string' || operand.kind === 'number') {
    const { value: unwanted } = operand
    return { matches: (value) => value !== unwanted }
  }
  if (operand.kind !== 'array') {
    throw new PatternFault('Value of anything-but must be an array or single string/number value.', operand.at)
  }
  if (operand.items.length === 0) throw new PatternFault('Empty arrays are not allowed', operand.end)
  const unwanted = new Set<Scalar>()
  const first = operand.items[0]!.kind
  for (const item of operand.items) {
    if (item.kind !== 'string' && item.kind !== 'number') {
      throw new PatternFault('Inside anything but list, start|null|boolean is not supported.', item.at)
    }
    if (item.kind !== first) {
      throw new PatternFault(
        'Inside anything but list, either all values are number or string, mixed type is not supported',
        item.at
      )
    }
    unwanted.add(item.value)
  }
  return { matches: (value) => !unwanted.has(value) }
}

/** Each takes a text or a list of texts, and lets pass whatever is no text. */
function anythingButOperator(operand: Extract<Operand, { kind: 'object' }>): Wish {
  const [field, second] = operand.fields
  if (field === undefined) throw new PatternFault('Empty objects are not allowed', operand.end)
  if (second !== undefined) throw new PatternFault('Only one key allowed in match expression', second.value.at)
  const { name, value } = field
  if (name === 'prefix' || name === 'suffix') {
    const texts = textsOf(value, 'prefix/suffix match pattern must be a string', (at) => {
      throw new PatternFault('prefix/suffix match pattern must be a string', at)
    })
    for (const { text, at } of texts) {
      if (text === '') throw new PatternFault('Null prefix/suffix not allowed', at)
    }
    const starts = name === 'prefix'
    return notOneOf(
      texts.map(
        ({ text }) =>
          (one) =>
            starts ? one.startsWith(text) : one.endsWith(text)
      )
    )
  }
  if (name === 'equals-ignore-case') {
    const texts = textsOf(value, 'Value of equals-ignore-case must be an array or single string value.', (at) => {
      throw new PatternFault(
        'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
        at
      )
    })
    const unwanted = new Set(texts.map(({ text }) => text.toLowerCase()))
    return notOneOf([(one) => unwanted.has(one.toLowerCase())])
  }
  if (name === 'wildcard') {
    const texts = textsOf(value, 'wildcard match pattern must be a string', (at) => {
      throw new PatternFault('Inside anything-but/wildcard list, number|start|null|boolean is not supported.', at)
    })
    return notOneOf(texts.map(({ text, at }) => parseWildcard(text, at)))
  }
  throw new PatternFault(`Unsupported anything-but pattern: ${name}`, value.at)
}

function notOneOf(tests: readonly ((value: string) => boolean)[]): Wish {
  return { matches: (value) => typeof value !== 'string' || !tests.some((test) => test(value)) }
}

function textsOf(
  operand: Operand,
  reason: string,
  refuse: (at: number) => never
): readonly { readonly text: string; readonly at: number }[] {
  if (operand.kind === 'string') return [{ text: operand.value, at: operand.at }]
  if (operand.kind !== 'array') throw new PatternFault(reason, operand.at)
  if (operand.items.length === 0) throw new PatternFault('Empty arrays are not allowed', operand.end)
  return operand.items.map((item) => (item.kind === 'string' ? { text: item.value, at: item.at } : refuse(item.at)))
}

function textOf(operand: Operand, reason: string): string {
  if (operand.kind !== 'string') throw new PatternFault(reason, operand.at)
  return operand.value
}

function parseCidr(text: string, at: number): (address: string) => boolean {
  const [address = '', bits, more] = text.split('/')
  if (bits === undefined || more !== undefined) throw new PatternFault("Malformed CIDR, one '/' required", at)
  if (!/^\d+$/.test(bits)) throw new PatternFault('Malformed CIDR, mask bits must be an integer', at)
  const family = isIP(address)
  if (family === 0) throw new PatternFault(`Nonstandard IP address: ${address}`, at)
  const most = family === 4 ? 32 : 128
  if (Number(bits) > most) throw new PatternFault(`IPv${family} mask bits must be < ${most + 1}`, at)
  const isIn = parseIpRange(text)
  if (isIn === undefined) throw new PatternFault(`Nonstandard IP address: ${address}`, at)
  return isIn
}
