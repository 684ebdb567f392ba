/** Who has to act: the caller, the function's author, or the operator of this server. */
export type Fault = 'caller' | 'function' | 'platform'

interface Entry {
  readonly status: number
  readonly fault: Fault
  readonly retryable: boolean
  /** The exception that AWS clients know for this failure (api.md §1: `x-amzn-ErrorType`). */
  readonly aws: string
}

/**
 * Every failure that Hearth reports on purpose, and the only place where an HTTP status is chosen.
 * Codes are public API: add freely, never rename or reuse.
 */
const CATALOG = {
  INVALID_REQUEST: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** A value that breaks the API model: AWS's constraint layer, which speaks before the service does. */
  VALIDATION_FAILED: { status: 400, fault: 'caller', retryable: false, aws: 'ValidationException' },
  INVALID_PAYLOAD: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidRequestContentException' },
  INVALID_IDEMPOTENCY_KEY: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** The key came before, with another request. */
  IDEMPOTENCY_KEY_REUSED: { status: 422, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  IDEMPOTENCY_KEY_IN_FLIGHT: { status: 409, fault: 'caller', retryable: true, aws: 'ResourceConflictException' },
  /** The request was taken up before, and there is no answer to give again. */
  IDEMPOTENCY_ANSWER_MISSING: { status: 409, fault: 'platform', retryable: false, aws: 'ResourceConflictException' },
  INVALID_ARCHIVE: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** The package is sound as an archive, and cannot work in the runtime that it is for. */
  INVALID_PACKAGE: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  INVALID_HANDLER: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** The package's dependencies or sources cannot be built; the problem has the log. */
  BUILD_FAILED: { status: 422, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** A build was asked for, and the operator has not allowed any. */
  BUILDS_OFF: { status: 403, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** What a build needs (npm, pip, bundler) is not on this machine. */
  BUILD_UNAVAILABLE: { status: 501, fault: 'platform', retryable: false, aws: 'ServiceException' },
  INVALID_SOURCE: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  UNSUPPORTED_RUNTIME: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  UNSUPPORTED_FEATURE: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  /** The function's code signing config refuses packages that nobody it trusts has signed. */
  CODE_NOT_SIGNED: { status: 400, fault: 'caller', retryable: false, aws: 'CodeVerificationFailedException' },
  INCOMPLETE_SIGNATURE: { status: 403, fault: 'caller', retryable: false, aws: 'IncompleteSignatureException' },
  UNAUTHENTICATED: { status: 401, fault: 'caller', retryable: false, aws: 'MissingAuthenticationTokenException' },
  INVALID_CREDENTIALS: { status: 401, fault: 'caller', retryable: false, aws: 'UnrecognizedClientException' },
  EXPIRED_CREDENTIALS: { status: 403, fault: 'caller', retryable: false, aws: 'ExpiredTokenException' },
  INVALID_SIGNATURE: { status: 403, fault: 'caller', retryable: false, aws: 'InvalidSignatureException' },
  /** Of a webhook: a signature that is none, or is too old. */
  INVALID_WEBHOOK_SIGNATURE: { status: 401, fault: 'caller', retryable: false, aws: 'InvalidSignatureException' },
  ACCESS_DENIED: { status: 403, fault: 'caller', retryable: false, aws: 'AccessDeniedException' },
  ROUTE_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'UnknownOperationException' },
  FUNCTION_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  ALIAS_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  ALARM_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  RELEASE_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  /** Anything else that has an ARN. */
  RESOURCE_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  CODE_SIGNING_CONFIG_NOT_FOUND: {
    status: 404,
    fault: 'caller',
    retryable: false,
    aws: 'CodeSigningConfigNotFoundException'
  },
  RESOURCE_IN_USE: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  METHOD_NOT_ALLOWED: { status: 405, fault: 'caller', retryable: false, aws: 'UnknownOperationException' },
  FUNCTION_URL_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  /** Nothing is configured for events of this version or alias: the defaults hold. */
  EVENT_CONFIG_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  DOMAIN_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  FUNCTION_URL_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  FUNCTION_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  ALIAS_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  /** An alias or a release still needs this version. */
  VERSION_IN_USE: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  /** A release moves this alias; it alone may change it. */
  RELEASE_UNDER_WAY: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  /** The release is not in a state in which this can be done. */
  RELEASE_STATE: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  NOTHING_TO_ROLL_BACK: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  /** More concurrency than the account has left, or than the function's reservation. */
  CONCURRENCY_EXCEEDED: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  PROVISIONED_CONCURRENCY_NOT_FOUND: {
    status: 404,
    fault: 'caller',
    retryable: false,
    aws: 'ProvisionedConcurrencyConfigNotFoundException'
  },
  /** A version is provisioned through an alias or by itself, not both. */
  ALREADY_PROVISIONED: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  LAYER_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  /** The place of the mistake is named. */
  INVALID_EVENT_PATTERN: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidEventPatternException' },
  /** A filter pattern of logs that does not follow the grammar. */
  INVALID_LOG_FILTER: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterException' },
  LOG_GROUP_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  LOG_GROUP_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceAlreadyExistsException' },
  INVALID_SCHEDULE: { status: 400, fault: 'caller', retryable: false, aws: 'ValidationException' },
  RESOURCE_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceAlreadyExistsException' },
  /** Nothing of the kind can be done to a replay that is in this state. */
  REPLAY_STATE: { status: 409, fault: 'caller', retryable: false, aws: 'IllegalStatusException' },
  /** A policy document that does not follow the grammar; the place is named. */
  MALFORMED_POLICY: { status: 400, fault: 'caller', retryable: false, aws: 'MalformedPolicyDocumentException' },
  POLICY_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  /** What IAM keeps, told by name. */
  USER_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'NoSuchEntity' },
  ROLE_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'NoSuchEntity' },
  KEY_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'NoSuchEntity' },
  USER_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'EntityAlreadyExists' },
  ROLE_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'EntityAlreadyExists' },
  POLICY_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'EntityAlreadyExists' },
  /** Something still hangs on what is to be deleted. */
  DELETE_CONFLICT: { status: 409, fault: 'caller', retryable: false, aws: 'DeleteConflict' },
  /** One of IAM's quotas: policies of a role, versions of a policy, keys of a user, sizes of documents. */
  LIMIT_EXCEEDED: { status: 409, fault: 'caller', retryable: false, aws: 'LimitExceeded' },
  /** A secret, or a version of one. */
  SECRET_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  SECRET_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceExistsException' },
  /** The secret waits for its end, or has no value yet. */
  SECRET_STATE: { status: 409, fault: 'caller', retryable: false, aws: 'InvalidRequestException' },
  INVALID_SECRET: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterException' },
  /** A variable of a function stands for a secret that is not there, or that the function's role may not read. */
  INVALID_SECRET_REFERENCE: { status: 400, fault: 'caller', retryable: false, aws: 'InvalidParameterValueException' },
  PARAMETER_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ParameterNotFound' },
  PARAMETER_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ParameterAlreadyExists' },
  /** The master key is not this server's to change: it comes from the configuration. */
  MASTER_KEY_CONFIGURED: { status: 409, fault: 'caller', retryable: false, aws: 'InvalidRequestException' },
  STATEMENT_EXISTS: { status: 409, fault: 'caller', retryable: false, aws: 'ResourceConflictException' },
  UPDATE_IN_PROGRESS: { status: 409, fault: 'caller', retryable: true, aws: 'ResourceConflictException' },
  POLICY_TOO_LARGE: { status: 400, fault: 'caller', retryable: false, aws: 'PolicyLengthExceededException' },
  REVISION_MISMATCH: { status: 412, fault: 'caller', retryable: false, aws: 'PreconditionFailedException' },
  PAYLOAD_TOO_LARGE: { status: 413, fault: 'caller', retryable: false, aws: 'RequestEntityTooLargeException' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, fault: 'caller', retryable: false, aws: 'UnsupportedMediaTypeException' },
  REQUEST_TIMEOUT: { status: 408, fault: 'caller', retryable: true, aws: 'RequestTimeoutException' },
  /** One key asks for more than it may in a second. */
  RATE_EXCEEDED: { status: 429, fault: 'caller', retryable: true, aws: 'TooManyRequestsException' },
  /** One address has sent too many wrong keys. */
  AUTHENTICATION_THROTTLED: { status: 429, fault: 'caller', retryable: true, aws: 'TooManyRequestsException' },
  CAPACITY_EXHAUSTED: { status: 429, fault: 'platform', retryable: true, aws: 'TooManyRequestsException' },
  /** The function has called itself too often in one chain of calls. */
  RECURSION_STOPPED: { status: 400, fault: 'caller', retryable: false, aws: 'RecursiveInvocationException' },
  /** The place where code was to be fetched from does not answer as it should. */
  CODE_SOURCE_UNAVAILABLE: { status: 502, fault: 'platform', retryable: true, aws: 'ServiceException' },
  FUNCTION_FAILED: { status: 502, fault: 'function', retryable: false, aws: 'InvalidResponse' },
  FUNCTION_TIMED_OUT: { status: 504, fault: 'function', retryable: false, aws: 'InvalidResponse' },
  /** A client of a WebSocket API that is not connected, or not any more. */
  CONNECTION_GONE: { status: 410, fault: 'caller', retryable: false, aws: 'GoneException' },
  /** It does not read what was sent to it before. */
  CONNECTION_BACKLOGGED: { status: 429, fault: 'caller', retryable: true, aws: 'LimitExceededException' },
  NOT_IMPLEMENTED: { status: 501, fault: 'platform', retryable: false, aws: 'NotImplementedException' },
  CONTROL_PLANE_UNAVAILABLE: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  /** The gateway, which counts what functions use, does not answer. */
  GATEWAY_UNAVAILABLE: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  SANDBOX_UNAVAILABLE: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  /** The queue of events cannot be written: the disk is full, or something else holds the file. Nothing was accepted. */
  QUEUE_UNAVAILABLE: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  /** A trigger that is paused, or that nobody may or can have anything of now. Senders come again. */
  TRIGGER_UNAVAILABLE: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  INVOCATION_NOT_FOUND: { status: 404, fault: 'caller', retryable: false, aws: 'ResourceNotFoundException' },
  SHUTTING_DOWN: { status: 503, fault: 'platform', retryable: true, aws: 'ServiceException' },
  INTERNAL: { status: 500, fault: 'platform', retryable: false, aws: 'ServiceException' }
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof CATALOG

export interface ErrorDetail {
  /** Where in the request the problem is, e.g. `query.memory` or `body.Timeout`. */
  readonly path: string
  readonly message: string
}

export interface HearthErrorOptions {
  readonly cause?: unknown
  readonly errors?: readonly ErrorDetail[]
  /** AWS's `Reason` member of TooManyRequestsException. */
  readonly reason?: string
  /** Where AWS uses another exception than the catalogue's for this very case. */
  readonly awsCode?: string
  /** HTTP status on AWS paths where it differs from the catalogue's (AWS answers 403 where /v1 says 401). */
  readonly awsStatus?: number
  readonly awsMessage?: string
  /** When to try again: what Retry-After says. */
  readonly retryAfterS?: number
  /** Of a build that failed: its end, for the caller. */
  readonly log?: string
  /** A few of AWS's messages come without the `Type` member. */
  readonly awsUntyped?: boolean
}

export class HearthError extends Error {
  override readonly name = 'HearthError'
  readonly code: ErrorCode
  readonly errors: readonly ErrorDetail[]
  readonly reason: string | undefined
  readonly awsCode: string | undefined
  readonly awsStatus: number | undefined
  readonly awsMessage: string | undefined
  readonly retryAfterS: number | undefined
  readonly log: string | undefined
  readonly awsUntyped: boolean

  /** @param message - Shown to the caller: no paths of this machine, SQL or user code in it. Put those in `cause`. */
  constructor(code: ErrorCode, message: string, options: HearthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.errors = options.errors ?? []
    this.reason = options.reason
    this.awsCode = options.awsCode
    this.awsStatus = options.awsStatus
    this.awsMessage = options.awsMessage
    this.retryAfterS = options.retryAfterS
    this.log = options.log
    this.awsUntyped = options.awsUntyped === true
  }
}

/** RFC 9457 problem details, plus what a client branches on. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly fault: Fault
  readonly retryable: boolean
  readonly reason?: string
  readonly errors?: readonly ErrorDetail[]
  readonly log?: string
}

/** `FUNCTION_NOT_FOUND` → `Function not found`. */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words[0]!.toUpperCase() + words.slice(1)
}

/** Total: any thrown value has an answer, and an unknown one never leaks its message. */
export function toProblem(thrown: unknown): Problem {
  const known = thrown instanceof HearthError ? thrown : undefined
  const code = known?.code ?? 'INTERNAL'
  const { status, fault, retryable } = CATALOG[code]
  return {
    type: `urn:hearth:error:${code.toLowerCase()}`,
    title: titleOf(code),
    status,
    detail: known?.message ?? 'Something went wrong inside Hearth. The server log has the cause under this request id.',
    code,
    fault,
    retryable,
    ...(known?.reason === undefined ? {} : { reason: known.reason }),
    ...(known === undefined || known.errors.length === 0 ? {} : { errors: known.errors }),
    ...(known?.log === undefined ? {} : { log: known.log })
  }
}

/** What an AWS client gets for a failure: status, `x-amzn-ErrorType`, JSON body. */
export interface AwsError {
  readonly status: number
  readonly type: string
  readonly body: Readonly<Record<string, string>>
}

/** Exceptions whose message member has a capital M on the wire (api.md §1). */
const CAPITAL_MESSAGE = new Set([
  'ResourceNotFoundException',
  'CodeSigningConfigNotFoundException',
  'AccessDeniedException',
  'ServiceException',
  'RequestEntityTooLargeException'
])

/**
 * @see reference: Lambda control API §1 (two spellings of the message member; `Type` is `User` or `Service`)
 */
export function toAwsError(thrown: unknown): AwsError {
  const known = thrown instanceof HearthError ? thrown : undefined
  const entry: Entry = CATALOG[known?.code ?? 'INTERNAL']
  const type = known?.awsCode ?? entry.aws
  // AWS has no 401: a caller that it does not know is 403.
  const status = known?.awsStatus ?? (entry.status === 401 ? 403 : entry.status)
  const message = known?.awsMessage ?? known?.message ?? 'An internal error occurred. Please try again.'
  const body: Record<string, string> = {}
  if (type !== 'ValidationException' && known?.awsUntyped !== true) body['Type'] = status >= 500 ? 'Service' : 'User'
  body[CAPITAL_MESSAGE.has(type) ? 'Message' : 'message'] = message
  if (known?.reason !== undefined) body['Reason'] = known.reason
  return { status, type, body }
}

/** Every code with its status and fault, for the documentation and for OpenAPI. */
export function errorCatalogue(): readonly ({ code: ErrorCode } & Entry)[] {
  return Object.entries(CATALOG).map(([code, entry]) => ({ code: code as ErrorCode, ...entry }))
}
