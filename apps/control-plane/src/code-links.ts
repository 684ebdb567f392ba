import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import { LATEST } from '@hearth/store'

/** Links to the package of a function or a layer version that work without a key for a while, as AWS's presigned ones do. */
export interface CodeLinks {
  /** @returns path and query */
  sign(name: string, version: string): string
  /** @throws HearthError INVALID_SIGNATURE when it is wrong or too old */
  verify(name: string, version: string, expires: string, signature: string): void
  /** @returns path and query */
  signLayer(name: string, version: number): string
  /** @throws HearthError INVALID_SIGNATURE when it is wrong or too old */
  verifyLayer(name: string, version: number, expires: string, signature: string): void
}

/** Source: Lambda GetFunction, `Code.Location` is valid for 10 minutes. */
const VALID_S = 600

export function createCodeLinks(masterKey: Buffer, now: () => Date): CodeLinks {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/code-link', 32))
  const mac = (subject: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${subject}\n${expires}`).digest()
  const query = (subject: string): string => {
    const expires = String(Math.floor(now().getTime() / 1_000) + VALID_S)
    return `expires=${expires}&signature=${mac(subject, expires).toString('base64url')}`
  }
  const verify = (subject: string, expires: string, signature: string): void => {
    const given = Buffer.from(signature, 'base64url')
    const expected = mac(subject, expires)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new HearthError('INVALID_SIGNATURE', 'This link is not one that the server gave out.')
    }
    if (Number(expires) * 1_000 < now().getTime())
      throw new HearthError('INVALID_SIGNATURE', 'This link has expired: ask for the function or layer again.')
  }
  // No function's name has a slash in it, so that no link to one can be one to the other.
  const code = (name: string, version: string) => `${name}:${version}`
  const layer = (name: string, version: number) => `layers/${name}/${version}`
  return {
    sign: (name, version) =>
      `/v1/functions/${name}/code?${version === LATEST ? '' : `qualifier=${version}&`}${query(code(name, version))}`,
    verify: (name, version, expires, signature) => {
      verify(code(name, version), expires, signature)
    },
    signLayer: (name, version) => `/v1/layers/${name}/versions/${version}/content?${query(layer(name, version))}`,
    verifyLayer: (name, version, expires, signature) => {
      verify(layer(name, version), expires, signature)
    }
  }
}
