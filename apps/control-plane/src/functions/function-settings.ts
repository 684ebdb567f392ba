import { type ErrorDetail, type FunctionRecord, HearthError, LIMITS } from '@hearth/shared'

/** What of a function its owner chooses. A member that is present and undefined goes back to the server's default. */
export type FunctionSettings = Pick<
  FunctionRecord,
  | 'runtime'
  | 'handler'
  | 'role'
  | 'description'
  | 'memoryMiB'
  | 'timeoutS'
  | 'ephemeralMiB'
  | 'environment'
  | 'network'
  | 'concurrency'
  | 'instances'
  | 'invokeMode'
  | 'tags'
  | 'tracing'
  | 'logging'
  | 'snapStart'
  | 'deadLetterTarget'
  | 'layers'
>

export type SettingsChange = Partial<FunctionSettings>

/** Names that Lambda keeps for itself. Source: Lambda developer guide, defined runtime environment variables. */
const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR'
])

/** Source: Lambda service model, type EnvironmentVariableName. */
export const VARIABLE_NAME = /^[a-zA-Z]([a-zA-Z0-9_])+$/
export const ROLE_ARN = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/
/** What a tag's key and value are made of. Source: Lambda service model, types TagKey and TagValue. */
export const TAG = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u
export const HANDLER = /^[^\s]+$/
const TAGS = 50

/**
 * What both dialects demand beyond the form of single values.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function checkSettings(settings: FunctionSettings): void {
  checkEnvironment(settings.environment)
  checkTags(settings.tags)
  checkSnapStart(settings)
  if (settings.instances === 'process' && settings.concurrency > 1) {
    throw refuse(
      'concurrency',
      `An instance of kind "process" serves one event at a time: concurrency ${settings.concurrency} needs instances=threads.`
    )
  }
  const { format, applicationLevel, systemLevel } = settings.logging
  if (format === 'Text' && (applicationLevel !== undefined || systemLevel !== undefined)) {
    throw new HearthError(
      'INVALID_REQUEST',
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.'
    )
  }
}

/** @throws HearthError INVALID_REQUEST */
export function checkTags(tags: FunctionRecord['tags']): void {
  if (Object.keys(tags).length > TAGS)
    throw new HearthError('INVALID_REQUEST', 'Number of tags exceeds resource tag limit.')
  const reserved = Object.keys(tags).find((key) => /^aws:/i.test(key))
  if (reserved !== undefined) {
    throw refuse('tags', `The tag key ${reserved} is reserved: keys cannot begin with aws:.`)
  }
}

/** Runtimes that AWS takes snapshots of. Source: Lambda developer guide, SnapStart. */
const SNAPSHOT_RUNTIME = /^(java(?!8)\d+|python3\.1[2-9]|dotnet(8|\d\d))/

function checkSnapStart({ snapStart, runtime, ephemeralMiB }: FunctionSettings): void {
  if (snapStart === 'None') return
  if (!SNAPSHOT_RUNTIME.test(runtime))
    throw new HearthError('INVALID_REQUEST', `${runtime} is not supported for SnapStart enabled functions.`)
  if (ephemeralMiB > LIMITS.ephemeralMiB.default) {
    throw new HearthError(
      'INVALID_REQUEST',
      `EphemeralStorage is not supported for SnapStart enabled functions beyond ${LIMITS.ephemeralMiB.default} MB.`
    )
  }
}

function checkEnvironment(environment: FunctionRecord['environment']): void {
  if (environment === undefined) return
  const reserved = Object.keys(environment).filter((name) => RESERVED.has(name))
  if (reserved.length > 0) {
    throw new HearthError(
      'INVALID_REQUEST',
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`
    )
  }
  // A NUL ends a variable in the operating system, and what follows it would be lost.
  const broken = Object.keys(environment).find((name) => environment[name]?.includes('\0') === true)
  if (broken !== undefined) throw refuse(`environment.${broken}`, `The value of ${broken} has a NUL byte in it.`)
  const text = JSON.stringify(environment)
  if (Buffer.byteLength(text) > LIMITS.environmentBytes) {
    throw new HearthError(
      'INVALID_REQUEST',
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${text}`
    )
  }
}

function refuse(path: string, message: string): HearthError {
  const errors: readonly ErrorDetail[] = [{ path, message }]
  return new HearthError('INVALID_REQUEST', message, { errors })
}
