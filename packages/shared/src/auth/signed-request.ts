import { HearthError } from '../errors.ts'

/** What of an HTTP request is needed to know who sent it. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as they came on the wire. */
  readonly rawUrl: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values as they came, one after the other: a header that came twice is two here. Default: `headers`. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Undefined: no body. */
  readonly body: Buffer | undefined
}

export function headerValue({ headers }: Pick<SignedRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

export function invalidSignature(message: string): HearthError {
  return new HearthError('INVALID_SIGNATURE', message)
}

export function signatureMismatch(): HearthError {
  return invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
  )
}
