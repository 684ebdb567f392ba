import type { Outcome } from '@hearth/executor'

const MAX_CHARS = 1_024

/** What is kept of an attempt that failed: the function's own words, cut to a length that a record can hold. */
export function describeOutcome(outcome: Outcome): { readonly errorType: string; readonly errorMessage: string } {
  if (outcome.status === 'ok') return { errorType: '', errorMessage: '' }
  if (outcome.status === 'throttled') return { errorType: 'TooManyRequestsException', errorMessage: 'Rate Exceeded.' }
  if (outcome.status === 'unavailable')
    return { errorType: 'ServiceException', errorMessage: 'No sandbox could be had.' }
  return {
    errorType: outcome.errorType.slice(0, MAX_CHARS),
    errorMessage: messageIn(outcome.payload).slice(0, MAX_CHARS)
  }
}

function messageIn(payload: Buffer): string {
  try {
    const { errorMessage } = JSON.parse(payload.toString()) as { errorMessage?: unknown }
    return typeof errorMessage === 'string' ? errorMessage : ''
  } catch {
    return ''
  }
}
