import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import { LATEST } from '@hearth/store'

/** Links to a function's package that work without a key for a while, as AWS's presigned ones do. */
export interface CodeLinks {
  /** @returns path and query */
  sign(name: string, version: string): string
  /** @throws HearthError INVALID_SIGNATURE when it is wrong or too old */
  verify(name: string, version: string, expires: string, signature: string): void
}

/** Source: Lambda GetFunction, `Code.Location` is valid for 10 minutes. */
const VALID_S = 600

export function createCodeLinks(masterKey: Buffer, now: () => Date): CodeLinks {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/code-link', 32))
  const mac = (name: string, version: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${name}\n${version}\n${expires}`).digest()
  return {
    sign(name, version) {
      const expires = String(Math.floor(now().getTime() / 1_000) + VALID_S)
      const signature = mac(name, version, expires).toString('base64url')
      const qualifier = version === LATEST ? '' : `qualifier=${version}&`
      return `/v1/functions/${name}/code?${qualifier}expires=${expires}&signature=${signature}`
    },
    verify(name, version, expires, signature) {
      const given = Buffer.from(signature, 'base64url')
      const expected = mac(name, version, expires)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new HearthError('INVALID_SIGNATURE', 'This link is not one that the server gave out.')
      }
      if (Number(expires) * 1_000 < now().getTime())
        throw new HearthError('INVALID_SIGNATURE', 'This link has expired: ask for the function again.')
    }
  }
}
