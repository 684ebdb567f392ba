import { randomBytes, randomInt } from 'node:crypto'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** @param prefix - AKIA a key that lasts, ASIA one of a session. @see reference: IAM §5 */
export function newKeyId(prefix: 'AKIA' | 'ASIA'): string {
  return prefix + letters(16)
}

/** @param prefix - What it is the id of: AIDA a user, AROA a role, ANPA a policy. @see reference: IAM §5 */
export function newUniqueId(prefix: 'AIDA' | 'AROA' | 'ANPA'): string {
  return prefix + letters(17)
}

/** 240 random bits, as 40 characters. */
export function newSecretKey(): string {
  return randomBytes(30).toString('base64')
}

function letters(count: number): string {
  return Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}
