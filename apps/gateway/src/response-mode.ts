import { type FunctionRecord, HearthError, type InvokeMode } from '@hearth/shared'

/** How the function's URL answers. */
export function responseMode(record: FunctionRecord): InvokeMode {
  return record.invokeMode
}

/** How the caller of one invocation wants its answer: `?invokeMode=RESPONSE_STREAM`. @throws HearthError INVALID_REQUEST */
export function requestedMode(rawUrl: string): InvokeMode {
  const mark = rawUrl.indexOf('?')
  if (mark === -1) return 'BUFFERED'
  const wanted = new URLSearchParams(rawUrl.slice(mark + 1)).get('invokeMode')
  if (wanted === null || wanted === 'BUFFERED') return 'BUFFERED'
  if (wanted === 'RESPONSE_STREAM') return wanted
  throw new HearthError('INVALID_REQUEST', 'invokeMode: BUFFERED or RESPONSE_STREAM is expected.')
}
