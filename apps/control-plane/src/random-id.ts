import { randomInt } from 'node:crypto'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Lower-case letters and digits, 5.17 random bits each: with 32 of them (165 bits) it is found by nobody who was not told. */
export function randomId(chars: number): string {
  return Array.from({ length: chars }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
