import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { HearthError } from '@hearth/shared'

/** Links to a function's package that work without a key for a while, as AWS's presigned ones do. */
export interface CodeLinks {
  /** @returns path and query */
  sign(name: string): string
  /** @throws HearthError INVALID_SIGNATURE when it is wrong or too old */
  verify(name: string, expires: string, signature: string): void
}

/** Source: Lambda GetFunction, `Code.Location` is valid for 10 minutes. */
const VALID_S = 600

export function createCodeLinks(masterKey: Buffer, now: () => Date): CodeLinks {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/code-link', 32))
  const mac = (name: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${name}\n${expires}`).digest()
  return {
    sign(name) {
      const expires = String(Math.floor(now().getTime() / 1_000) + VALID_S)
      return `/v1/functions/${name}/code?expires=${expires}&signature=${mac(name, expires).toString('base64url')}`
    },
    verify(name, expires, signature) {
      const given = Buffer.from(signature, 'base64url')
      const expected = mac(name, expires)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new HearthError('INVALID_SIGNATURE', 'This link is not one that the server gave out.')
      }
      if (Number(expires) * 1_000 < now().getTime())
        throw new HearthError('INVALID_SIGNATURE', 'This link has expired: ask for the function again.')
    }
  }
}
