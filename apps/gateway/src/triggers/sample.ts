import { HearthError } from '@hearth/shared'
/** What a test event has; what is not said is made up. */
export interface Sample {
  readonly source: string
  readonly detailType: string
  readonly detail: object
}

/** The members of a request's body, which is JSON or nothing. @throws HearthError INVALID_PAYLOAD */
export function membersOf(body: Buffer): Partial<Record<string, unknown>> {
  if (body.length === 0) return {}
  try {
    return (JSON.parse(body.toString()) ?? {}) as Partial<Record<string, unknown>>
  } catch (cause) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not JSON.', { cause })
  }
}

/** @param path - Of the member that is wrong */
export function wrongSample(message: string, path = 'body'): HearthError {
  return new HearthError('INVALID_REQUEST', `body: ${message}`, { errors: [{ path, message }] })
}
