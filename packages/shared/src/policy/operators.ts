import { matchesArn, parseArnPattern } from './arn-pattern.ts'
import { matchesGlob } from './glob.ts'
import { parseIpRange } from './ip-range.ts'
import type { ContextKeys } from './request.ts'
import { globOf, parseTemplate, textOf } from './template.ts'

/** Whether a value of the request is what a value of the policy says. */
export type Test = (value: string, keys: ContextKeys) => boolean

export interface Operator {
  /** `StringNotEquals` is `StringEquals`, negated. */
  readonly negated: boolean
  /** @returns undefined when the policy's value is not of the operator's type */
  compile(value: string, hasVariables: boolean): Test | undefined
}

/** By name, as policies spell them. `Null` is none: it asks about the key, not its values (condition.ts). */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...pair('StringEquals', 'StringNotEquals', stringEquals),
  ...pair('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', stringEqualsIgnoreCase),
  ...pair('StringLike', 'StringNotLike', stringLike),
  ...pair(
    'NumericEquals',
    'NumericNotEquals',
    compared(numberOf, (a, b) => a === b)
  ),
  ...alone(
    'NumericLessThan',
    compared(numberOf, (a, b) => a < b)
  ),
  ...alone(
    'NumericLessThanEquals',
    compared(numberOf, (a, b) => a <= b)
  ),
  ...alone(
    'NumericGreaterThan',
    compared(numberOf, (a, b) => a > b)
  ),
  ...alone(
    'NumericGreaterThanEquals',
    compared(numberOf, (a, b) => a >= b)
  ),
  ...pair(
    'DateEquals',
    'DateNotEquals',
    compared(timeOf, (a, b) => a === b)
  ),
  ...alone(
    'DateLessThan',
    compared(timeOf, (a, b) => a < b)
  ),
  ...alone(
    'DateLessThanEquals',
    compared(timeOf, (a, b) => a <= b)
  ),
  ...alone(
    'DateGreaterThan',
    compared(timeOf, (a, b) => a > b)
  ),
  ...alone(
    'DateGreaterThanEquals',
    compared(timeOf, (a, b) => a >= b)
  ),
  ...alone('Bool', bool),
  ...alone('BinaryEquals', binaryEquals),
  ...pair('IpAddress', 'NotIpAddress', parseIpRange),
  ...pair('ArnEquals', 'ArnNotEquals', arnLike),
  ...pair('ArnLike', 'ArnNotLike', arnLike)
])

type Compile = Operator['compile']

function alone(name: string, compile: Compile): [string, Operator][] {
  return [[name, { negated: false, compile }]]
}

function pair(name: string, negatedName: string, compile: Compile): [string, Operator][] {
  return [...alone(name, compile), [negatedName, { negated: true, compile }]]
}

function stringEquals(text: string, hasVariables: boolean): Test {
  const template = parseTemplate(text, hasVariables)
  return (value, keys) => textOf(template, keys) === value
}

function stringEqualsIgnoreCase(text: string, hasVariables: boolean): Test {
  const template = parseTemplate(text, hasVariables)
  return (value, keys) => textOf(template, keys)?.toLowerCase() === value.toLowerCase()
}

function stringLike(text: string, hasVariables: boolean): Test {
  const template = parseTemplate(text, hasVariables)
  return (value, keys) => {
    const glob = globOf(template, keys)
    return glob !== undefined && matchesGlob(glob, value)
  }
}

function arnLike(text: string, hasVariables: boolean): Test {
  const pattern = parseArnPattern(text, hasVariables)
  // AWS takes what is no ARN, and it never matches.
  return pattern === undefined ? () => false : (value, keys) => matchesArn(pattern, value, keys)
}

function compared(read: (text: string) => number | undefined, holds: (a: number, b: number) => boolean): Compile {
  return (text) => {
    const limit = read(text)
    if (limit === undefined) return undefined
    return (value) => {
      const given = read(value)
      return given !== undefined && holds(given, limit)
    }
  }
}

function numberOf(text: string): number | undefined {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : undefined
}

const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** ISO 8601 or seconds of the epoch. @returns milliseconds */
function timeOf(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  if (!ISO_DATE.test(text)) return undefined
  // A time without a zone is UTC, not this machine's.
  const time = Date.parse(text.includes('T') && !/(Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text)
  return Number.isNaN(time) ? undefined : time
}

function bool(text: string, hasVariables: boolean): Test | undefined {
  if (!/^(true|false)$/i.test(text) && !(hasVariables && text.includes('${'))) return undefined
  return stringEqualsIgnoreCase(text, hasVariables)
}

function binaryEquals(text: string): Test | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return (value) => bytes.equals(Buffer.from(value, 'base64'))
}
