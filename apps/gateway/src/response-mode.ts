import { type FunctionRecord, type FunctionUrl, HearthError, type InvokeMode } from '@hearth/shared'

/** How a function answers over HTTP: as its URL says, and at /fn/{name} as the function says. */
export function responseMode(record: FunctionRecord, url: FunctionUrl | undefined): InvokeMode {
  return url === undefined ? record.invokeMode : url.invokeMode
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
