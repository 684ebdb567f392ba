import { type ErrorCode, errorCatalogue, HearthError } from './errors.ts'

/** What a client of AWS's query protocol (IAM, STS) gets for a failure. */
export interface QueryError {
  readonly status: number
  readonly type: 'Sender' | 'Receiver'
  readonly code: string
  readonly message: string
}

type Told = Partial<Omit<QueryError, 'type'>>

/** Where the query protocol does not use the REST services' exception without its ending. @see reference: IAM §4.1, §6.5 */
const TOLD: Partial<Record<ErrorCode, Told>> = {
  INVALID_REQUEST: { code: 'ValidationError' },
  VALIDATION_FAILED: { code: 'ValidationError' },
  INVALID_PAYLOAD: { code: 'MalformedQueryString' },
  POLICY_NOT_FOUND: { code: 'NoSuchEntity' },
  ROUTE_NOT_FOUND: { code: 'InvalidAction', status: 400 },
  NOT_IMPLEMENTED: { code: 'NotImplemented' },
  PAYLOAD_TOO_LARGE: { code: 'RequestEntityTooLarge' },
  UNAUTHENTICATED: { message: 'Request is missing Authentication Token' },
  INCOMPLETE_SIGNATURE: { status: 400 },
  INVALID_CREDENTIALS: { code: 'InvalidClientTokenId' },
  INVALID_SIGNATURE: { code: 'SignatureDoesNotMatch' },
  CAPACITY_EXHAUSTED: { code: 'Throttling', status: 400 },
  RATE_EXCEEDED: { code: 'Throttling', status: 400 },
  AUTHENTICATION_THROTTLED: { code: 'Throttling', status: 400 },
  INTERNAL: { code: 'ServiceFailure' }
}

const CATALOGUE = new Map(errorCatalogue().map((entry) => [entry.code, entry]))

/** Total: any thrown value has an answer, and an unknown one never leaks its message. */
export function toQueryError(thrown: unknown): QueryError {
  const known = thrown instanceof HearthError ? thrown : undefined
  const code = known?.code ?? 'INTERNAL'
  const entry = CATALOGUE.get(code)!
  const told = TOLD[code]
  // AWS has no 401: a caller that it does not know is 403.
  const status = known?.awsStatus ?? told?.status ?? (entry.status === 401 ? 403 : entry.status)
  return {
    status,
    type: status >= 500 ? 'Receiver' : 'Sender',
    code: known?.awsCode ?? told?.code ?? entry.aws.replace(/Exception$/, ''),
    message: told?.message ?? known?.awsMessage ?? known?.message ?? 'An internal error occurred. Please try again.'
  }
}
