import { LOG_LEVELS } from '../../protocol.ts'
import { errorAsJson, errorLogText, formatSafely, intoError } from './errors.ts'
import { isoTime, now, stringify } from './primordials.ts'

const TRACE = 0
const DEBUG = 1
const INFO = 2
const WARN = 3
const ERROR = 4
const FATAL = 5

/** Takes one finished log event: its time (Unix ms), its level (index into LOG_LEVELS) and its text. */
export type LogOutput = (atMs: number, level: number, text: string) => void

/** Writes log events as Lambda's Node.js runtime does. */
export interface Logger {
  write(level: number, args: readonly unknown[]): void
  /** The event that tells of a failure: `Invoke Error`, `Uncaught Exception`, `Unhandled Promise Rejection`. */
  failure(kind: string, thrown: unknown): void
  warn(text: string): void
}

/**
 * @param format - `JSON` or `Text`
 * @param minLevel - Name of the lowest level that is written; it counts only for JSON
 * @param requestId - The event at hand, or undefined outside of one
 */
export function createLogger(
  format: 'Text' | 'JSON',
  minLevel: string,
  requestId: () => string | undefined,
  output: LogOutput
): Logger {
  const json = format === 'JSON'
  const lowest = json ? Math.max(0, (LOG_LEVELS as readonly string[]).indexOf(minLevel.toUpperCase())) : TRACE
  const write = (level: number, args: readonly unknown[]): void => {
    if (level < lowest) return
    const at = now()
    const name = LOG_LEVELS[level] ?? 'INFO'
    output(
      at,
      level,
      json
        ? jsonText(at, name, requestId(), args)
        : `${isoTime(at)}\t${String(requestId())}\t${name}\t${formatSafely(args)}`
    )
  }
  return {
    write,
    failure: (kind, thrown) => {
      const error = intoError(thrown)
      write(ERROR, json ? [error] : [kind, `\t${errorLogText(error)}`])
    },
    warn: (text) => {
      write(WARN, [text])
    }
  }
}

/** Makes `console` of this thread write through `logger`. */
export function patchConsole(logger: Logger): void {
  const to =
    (level: number) =>
    (...args: unknown[]) => {
      logger.write(level, args)
    }
  const info = to(INFO)
  Object.assign(console, {
    trace: to(TRACE),
    debug: to(DEBUG),
    info,
    log: info,
    warn: to(WARN),
    error: to(ERROR),
    fatal: to(FATAL)
  })
}

function jsonText(at: number, level: string, requestId: string | undefined, args: readonly unknown[]): string {
  const line: Record<string, unknown> = { timestamp: isoTime(at), level, requestId }
  if (args.length === 1) {
    line['message'] = args[0]
    try {
      return stringify(line, (_key, value: unknown) => errorAsJson(value))
    } catch {
      // Cyclic, a BigInt, a getter that throws: as text then.
    }
  } else {
    try {
      Object.assign(line, firstError(args))
    } catch {
      // An error whose properties throw: its text must do.
    }
  }
  line['message'] = formatSafely(args)
  return stringify(line)
}

function firstError(args: readonly unknown[]): object | undefined {
  for (const arg of args) {
    if (!(arg instanceof Error)) continue
    return {
      message: undefined,
      errorType: String(arg.constructor?.name ?? 'UnknownError'),
      errorMessage: String(arg.message),
      stackTrace: typeof arg.stack === 'string' ? arg.stack.split('\n') : []
    }
  }
  return undefined
}
