import { platformFailure } from './failures.ts'

/** What became of an instance's init. Times in ms. */
export type InitResult = InitOk | InitFailure

interface InitOk {
  readonly ok: true
  readonly initMs: number
  readonly attachMs: number
}

export interface InitFailure {
  readonly ok: false
  readonly initMs: number
  readonly status: 'error' | 'timeout'
  readonly errorType: string
  /** What the caller of the first invocation reads. */
  readonly payloadFor: (requestId: string) => Buffer
}

/** It took longer than it may. */
export function initTimedOut(initMs: number, limitMs: number): InitFailure {
  const message = `Init timed out after ${(limitMs / 1000).toFixed(2)} seconds`
  return { ok: false, initMs, status: 'timeout', ...payloadOf('Sandbox.Timedout', message) }
}

/** The runtime ended, or said what it must not. */
export function initBroken(initMs: number, message: string): InitFailure {
  return { ok: false, initMs, status: 'error', ...payloadOf('Runtime.ExitError', message) }
}

/** What the platform found wrong with the function: nothing of it has run. */
export function initRefused(initMs: number, errorType: string, message: string): InitFailure {
  const payloadFor = (requestId: string): Buffer => platformFailure(requestId, errorType, message)
  return { ok: false, initMs, status: 'error', errorType, payloadFor }
}

/** The function's own code threw. @param payload - As its runtime wrote it */
export function initThrew(initMs: number, errorType: string, payload: Buffer): InitFailure {
  return { ok: false, initMs, status: 'error', errorType, payloadFor: () => payload }
}

function payloadOf(errorType: string, errorMessage: string): Pick<InitFailure, 'errorType' | 'payloadFor'> {
  const payload = Buffer.from(JSON.stringify({ errorType, errorMessage }))
  return { errorType, payloadFor: () => payload }
}
