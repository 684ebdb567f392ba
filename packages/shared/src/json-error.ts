import { type ErrorCode, errorCatalogue, HearthError } from './errors.ts'

/** What a client of AWS's JSON protocol gets for a failure. */
interface JsonError {
  readonly status: number
  readonly body: { readonly __type: string; readonly message: string }
}

/** Where the JSON protocol does not use the REST services' exception. */
const TOLD: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'ValidationException',
  INVALID_PAYLOAD: 'SerializationException',
  LIMIT_EXCEEDED: 'LimitExceededException',
  CAPACITY_EXHAUSTED: 'ThrottlingException',
  INTERNAL: 'InternalFailure'
}

const CATALOGUE = new Map(errorCatalogue().map((entry) => [entry.code, entry]))

/** Total: any thrown value has an answer, and an unknown one never leaks its message. */
export function toJsonError(thrown: unknown): JsonError {
  const known = thrown instanceof HearthError ? thrown : undefined
  const code = known?.code ?? 'INTERNAL'
  const { status, aws } = CATALOGUE.get(code)!
  return {
    // Whatever is the caller's fault is 400: what it is says the type.
    status: status >= 500 || status === 413 ? status : 400,
    body: {
      __type: known?.awsCode ?? TOLD[code] ?? aws,
      message: known?.awsMessage ?? known?.message ?? 'An internal error occurred. Please try again.'
    }
  }
}
