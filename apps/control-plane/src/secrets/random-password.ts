import { randomInt } from 'node:crypto'
import { HearthError } from '@hearth/shared'

export interface PasswordRules {
  readonly length: number
  /** Characters that it must not have. */
  readonly exclude: string
  readonly excludeNumbers: boolean
  readonly excludePunctuation: boolean
  readonly excludeUppercase: boolean
  readonly excludeLowercase: boolean
  readonly includeSpace: boolean
  /** At least one character of each kind that is not left out. */
  readonly requireEach: boolean
}

/** @throws HearthError INVALID_SECRET when no password can be so */
export function randomPassword(rules: PasswordRules): string {
  const kinds = [
    rules.excludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    rules.excludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    rules.excludeNumbers ? '' : '0123456789',
    rules.excludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    rules.includeSpace ? ' ' : ''
  ]
    .map((kind) => [...kind].filter((char) => !rules.exclude.includes(char)))
    .filter((kind) => kind.length > 0)
  const all = kinds.flat()
  const required = rules.requireEach ? kinds : []
  if (all.length === 0 || required.length > rules.length) {
    throw new HearthError('INVALID_SECRET', 'No password of this length can be made of the characters that are left.')
  }
  const chars = [...required, ...Array.from({ length: rules.length - required.length }, () => all)].map(
    (from) => from[randomInt(from.length)]!
  )
  for (let i = chars.length - 1; i > 0; i--) {
    const j = randomInt(i + 1)
    ;[chars[i], chars[j]] = [chars[j]!, chars[i]!]
  }
  return chars.join('')
}
