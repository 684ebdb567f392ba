import { format, isNativeError, stringify } from './primordials.ts'

/** An error that the runtime itself finds; `name` is what Lambda calls errorType. */
export class RuntimeError extends Error {
  constructor(type: string, message: string, stack?: string) {
    super(message)
    this.name = `Runtime.${type}`
    // The first line was written when the name was still `Error`.
    this.stack = stack ?? `${this.name}: ${message}${(this.stack ?? '').slice(`Error: ${message}`.length)}`
  }
}

/** What the caller of a failed function gets. Property order is Lambda's. */
export interface ErrorBody {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** Describes whatever was thrown; never throws itself, whatever the value's getters and traps do. */
export function describeError(thrown: unknown): ErrorBody {
  try {
    if (isErrorLike(thrown)) {
      return {
        errorType: String(thrown.name),
        errorMessage: String(thrown.message),
        trace: typeof thrown.stack === 'string' ? thrown.stack.split('\n') : []
      }
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] }
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: []
    }
  }
}

/** `UnhandledPromiseRejection` of a rejected value, with the value's own stack where it has one. */
export function unhandledRejection(reason: unknown): RuntimeError {
  const { trace } = describeError(reason)
  let message: string
  try {
    message = String(reason)
  } catch {
    message = 'a value that cannot be shown'
  }
  const type = 'UnhandledPromiseRejection'
  return new RuntimeError(type, message, [`Runtime.${type}: ${message}`, ...trace.slice(1)].join('\n'))
}

/** The error of an asynchronous handler that can never settle: nothing is left that could wake it. */
export function unsettledHandler(): RuntimeError {
  return new RuntimeError(
    'NodeJsExit',
    'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'
  )
}

/** What the log says of a failure: an Error as it is, and anything else wrapped in one. */
export function intoError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
    return new Error(String(thrown))
  } catch {
    return new Error(describeError(thrown).errorMessage)
  }
}

/** The JSON of an `Invoke Error` line: with the error's own properties, which JSON alone would lose. */
export function errorLogText(thrown: unknown): string {
  try {
    return stringify(thrown, (_key, value: unknown) => withOwnProperties(value))
  } catch {
    const { errorType, errorMessage, trace } = describeError(thrown)
    return stringify({ errorType, errorMessage, stack: trace })
  }
}

/** Replaces errors inside a JSON log line's message. */
export function errorAsJson(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return Object.assign(
    {
      errorType: value.constructor?.name ?? 'UnknownError',
      errorMessage: value.message,
      stackTrace: typeof value.stack === 'string' ? value.stack.split('\n') : value.stack
    },
    value
  )
}

/** `util.format` that survives arguments which throw when looked at. */
export function formatSafely(args: readonly unknown[]): string {
  try {
    return format(...args)
  } catch (error) {
    return `[a log argument could not be formatted: ${describeError(error).errorMessage}]`
  }
}

function withOwnProperties(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { stack } = value
  return Object.assign(
    { errorType: value.name, errorMessage: value.message, code: (value as NodeJS.ErrnoException).code },
    value,
    typeof stack === 'string' ? { stack: stack.split('\n') } : undefined
  )
}

function isErrorLike(value: unknown): value is Error {
  if (isNativeError(value) || value instanceof Error) return true
  if (typeof value !== 'object' || value === null) return false
  const { name, message, stack } = value as Partial<Error>
  return isText(name) && isText(message) && isText(stack)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
