import { toQueryError } from '@hearth/shared'
import type { QueryResult } from './operation.ts'
import { element } from './xml.ts'

/** @param result - Undefined: the operation answers nothing, and there is no Result element. */
export function resultXml(action: string, xmlns: string, result: QueryResult | undefined, requestId: string): string {
  return element(
    `${action}Response`,
    { ...(result === undefined ? {} : { [`${action}Result`]: result }), ResponseMetadata: { RequestId: requestId } },
    ` xmlns="${xmlns}"`
  )
}

export function errorXml(err: unknown, xmlns: string, requestId: string) {
  const { status, type, code, message } = toQueryError(err)
  return {
    status,
    xml: element(
      'ErrorResponse',
      { Error: { Type: type, Code: code, Message: message }, RequestId: requestId },
      ` xmlns="${xmlns}"`
    )
  }
}
