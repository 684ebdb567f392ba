import { HearthError, toQueryError } from '@hearth/shared'

/** CloudWatch's own codes, as the query protocol has them, and the exceptions of its newer protocols. @see reference: monitoring §4 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  InvalidParameterValue: 'InvalidParameterValueException',
  InvalidParameterCombination: 'InvalidParameterCombinationException',
  MissingParameter: 'MissingRequiredParameterException',
  LimitExceeded: 'LimitExceededException',
  ValidationError: 'ValidationException',
  InvalidNextToken: 'InvalidNextToken',
  InvalidFormat: 'InvalidFormatFault',
  ResourceNotFound: 'ResourceNotFound',
  ServiceFailure: 'InternalServiceFault',
  InternalServiceError: 'InternalServiceFault',
  AccessDenied: 'AccessDeniedException',
  Throttling: 'ThrottlingException',
  InvalidAction: 'UnknownOperationException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  ExpiredToken: 'ExpiredTokenException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  IncompleteSignature: 'IncompleteSignatureException',
  MalformedQueryString: 'SerializationException',
  NotImplemented: 'NotImplementedException'
}

export type MonitoringCode =
  | 'InvalidParameterValue'
  | 'InvalidParameterCombination'
  | 'MissingParameter'
  | 'LimitExceeded'
  | 'InvalidNextToken'
  | 'InvalidFormat'
  | 'ResourceNotFound'
  | 'ValidationError'

/** @param code - As the query protocol has it; the other protocols have their exception for it */
export function monitoringError(code: MonitoringCode, message: string): HearthError {
  if (code === 'ResourceNotFound') return new HearthError('RESOURCE_NOT_FOUND', message, { awsCode: code })
  if (code === 'LimitExceeded') {
    return new HearthError('LIMIT_EXCEEDED', message, { awsCode: code, awsStatus: 400 })
  }
  return new HearthError(code === 'ValidationError' ? 'VALIDATION_FAILED' : 'INVALID_REQUEST', message, {
    awsCode: code
  })
}

/** What a token of another question is answered with. */
export function badToken(): HearthError {
  return monitoringError('InvalidNextToken', 'The NextToken is not one that this server gave out.')
}

/** A failure as clients of JSON and CBOR get it. */
export interface MonitoringFailure {
  readonly status: number
  /** `<code>;<Sender or Receiver>`: what the header `x-amzn-query-error` says. */
  readonly queryError: string
  readonly body: { readonly __type: string; readonly message: string }
}

/** Total: any thrown value has an answer, and an unknown one never leaks its message. */
export function toMonitoringFailure(thrown: unknown): MonitoringFailure {
  const { status, type, code, message } = toQueryError(thrown)
  return {
    status,
    queryError: `${code};${type}`,
    body: { __type: `com.amazonaws.cloudwatch.v2010_08_01#${EXCEPTIONS[code] ?? `${code}Exception`}`, message }
  }
}
