import { createHash } from 'node:crypto'
import type { LogPosition } from '@hearth/store'
import { invalid } from './refusals.ts'

/** How long a page's token is good for. */
const TOKEN_MS = 24 * 3_600_000

interface Token {
  /** What it was given out for. */
  readonly of: string
  /** Unix time in ms. */
  readonly at: number
  readonly after: readonly (string | number)[]
}

/**
 * Where the next page of a query begins. Opaque, and good for this query alone.
 *
 * @param query - All that says which items there are, and in which order
 */
export function toToken(query: readonly unknown[], after: Token['after'], now: number): string {
  return Buffer.from(JSON.stringify({ of: digestOf(query), at: now, after } satisfies Token)).toString('base64url')
}

/** @throws HearthError VALIDATION_FAILED for one of another query, an old one, or none at all */
export function fromToken(token: string, query: readonly unknown[], now: number): Token['after'] {
  const found = parse(token)
  if (found?.of !== digestOf(query) || !Array.isArray(found.after) || !(now - Number(found.at) < TOKEN_MS)) {
    throw badToken()
  }
  return found.after as Token['after']
}

export function badToken(): Error {
  return invalid('The specified nextToken is invalid.')
}

function parse(token: string): Partial<Token> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function digestOf(query: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(query, (_, value: unknown) => value ?? null))
    .digest('base64url')
    .slice(0, 22)
}

/** Before everything: segments count from 1. */
export const BEGINNING: LogPosition = { segment: 0, offset: 0 }
const [CHECK, SEGMENT, OFFSET] = [16, 12, 16]

/** Tokens of GetLogEvents: `f/<digits>/s` goes on behind a position, `b/<digits>/s` before it. */
export function toStreamToken(direction: 'f' | 'b', of: string, { segment, offset }: LogPosition): string {
  const place = `${String(segment).padStart(SEGMENT, '0')}${String(offset).padStart(OFFSET, '0')}`
  return `${direction}/${checkOf(of, place)}${place}/s`
}

/** @throws HearthError VALIDATION_FAILED for one of another stream, or none at all */
export function fromStreamToken(
  token: string,
  of: string
): { readonly direction: 'f' | 'b'; readonly at: LogPosition } {
  const [, direction, digits = ''] = /^([fb])\/(\d+)\/s$/.exec(token) ?? []
  const place = digits.slice(CHECK)
  if (direction === undefined || place.length !== SEGMENT + OFFSET || digits.slice(0, CHECK) !== checkOf(of, place)) {
    throw badToken()
  }
  return {
    direction: direction as 'f' | 'b',
    at: { segment: Number(place.slice(0, SEGMENT)), offset: Number(place.slice(SEGMENT)) }
  }
}

function checkOf(of: string, place: string): string {
  const hash = createHash('sha256').update(`${of}\n${place}`).digest().readBigUInt64BE()
  return String(hash % 10n ** BigInt(CHECK)).padStart(CHECK, '0')
}
