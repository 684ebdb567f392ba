import type { SandboxExit } from '@hearth/sandbox'
import type { OutcomeStatus } from './types.ts'

/** A failure as the caller and the log see it. */
export interface Failure {
  readonly status: Exclude<OutcomeStatus, 'ok'>
  /** What the REPORT line and `x-hearth-function-error` name. */
  readonly errorType: string
  /** What the caller reads, as JSON. */
  readonly payload: Buffer
  /** What the log says about it, in the words of the real platform. */
  readonly logLine: string
}

/** @see reference: Runtime behaviour §5, "what a caller sees when things fail" (recordings of 2025) */
export function timedOut(requestId: string, timeoutMs: number, at: Date): Failure {
  const seconds = (timeoutMs / 1000).toFixed(2)
  return {
    status: 'timeout',
    errorType: 'Sandbox.Timedout',
    payload: errorJson('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`),
    logLine: `${at.toISOString()} ${requestId} Task timed out after ${seconds} seconds\n`
  }
}

/**
 * The instance ended in mid-event. Memory is blamed only when the kernel counted a kill for it: the exit status can
 * be forged from inside the sandbox, the counter cannot.
 */
export function exited(requestId: string, exit: SandboxExit): Failure {
  const oom = exit.oomKills > 0
  const reason = oom ? 'signal: killed' : exitReason(exit)
  const message =
    reason === undefined
      ? `RequestId: ${requestId} Error: Runtime exited without providing a reason`
      : `RequestId: ${requestId} Error: Runtime exited with error: ${reason}`
  return {
    status: oom ? 'oom' : 'crash',
    errorType: oom ? 'Runtime.OutOfMemory' : 'Runtime.ExitError',
    payload: errorJson('Runtime.ExitError', message),
    logLine: `${message}\nRuntime.ExitError`
  }
}

/** What the platform itself found wrong with a function when it was to be started, e.g. a missing bootstrap. */
export function platformFailure(requestId: string, errorType: string, detail: string): Buffer {
  return errorJson(errorType, `RequestId: ${requestId} Error: ${detail}`)
}

/** The instance sent bytes that are no frame, or an answer to what was not asked. */
export function brokeProtocol(requestId: string, detail: string): Failure {
  const message = `RequestId: ${requestId} Error: Runtime sent an invalid message: ${detail}`
  return {
    status: 'crash',
    errorType: 'Runtime.ExitError',
    payload: errorJson('Runtime.ExitError', message),
    logLine: message
  }
}

function errorJson(errorType: string, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorType, errorMessage }))
}

const SIGNALS: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGPIPE: 'broken pipe',
  SIGTERM: 'terminated',
  SIGSYS: 'bad system call'
}

/** A sandbox's first process reports its child's signal N as exit status 128 + N; only the usual ones are read so. */
const STATUS_SIGNALS: Readonly<Record<number, string>> = {
  132: 'illegal instruction',
  133: 'trace/breakpoint trap',
  134: 'aborted',
  135: 'bus error',
  136: 'floating point exception',
  137: 'killed',
  139: 'segmentation fault',
  143: 'terminated',
  159: 'bad system call'
}

/** In the words of Go's os/exec, which the real platform prints. Undefined for a clean exit. */
function exitReason(exit: SandboxExit): string | undefined {
  if (exit.signal !== undefined) return `signal: ${SIGNALS[exit.signal] ?? exit.signal}`
  if (exit.code === undefined || exit.code === 0) return undefined
  const signal = STATUS_SIGNALS[exit.code]
  return signal === undefined ? `exit status ${exit.code}` : `signal: ${signal}`
}
