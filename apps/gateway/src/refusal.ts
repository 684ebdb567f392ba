import { HearthError, toAwsError, toProblem } from '@hearth/shared'
import { albHeaders, albPage, albStatusOf } from './triggers/load-balancers/alb-pages.ts'

/** How a failure is told: as the Lambda API tells it, as function URLs or load balancers do, or as RFC 9457 problem details. */
export type Dialect = 'aws' | 'url' | 'problem' | 'alb'

/** An answer that is ready to be written. */
export interface Refusal {
  readonly status: number
  /** Flat: name, value, name, value. */
  readonly headers: string[]
  readonly body: string
}

/** Paths of the Lambda API begin with the date of their version. */
const AWS_PATH = /^\/20\d\d-\d\d-\d\d\//

export function dialectOf(rawUrl: string): Dialect {
  return AWS_PATH.test(rawUrl) ? 'aws' : 'problem'
}

/** The one place where the gateway turns a failure into an answer. Total: any thrown value has one. */
export function toRefusal(thrown: unknown, dialect: Dialect, requestId: string): Refusal {
  if (dialect === 'problem') return problemRefusal(thrown, requestId)
  if (dialect === 'alb') {
    const status = albStatusOf(thrown)
    return { status, headers: albHeaders(requestId), body: albPage(status) }
  }
  return dialect === 'url' && isDenied(thrown) ? forbidden(FORBIDDEN, requestId) : awsRefusal(thrown, requestId)
}

const FORBIDDEN =
  'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html'

function isDenied(thrown: unknown): boolean {
  return thrown instanceof HearthError && (thrown.code === 'UNAUTHENTICATED' || thrown.code === 'ACCESS_DENIED')
}

/** @param message - Null: for a host that leads nowhere. @see reference: Lambda control API §11 */
export function forbidden(message: string | null, requestId: string): Refusal {
  return {
    status: 403,
    headers: [
      'content-type',
      'application/json',
      'x-amzn-errortype',
      'AccessDeniedException',
      'x-amzn-requestid',
      requestId
    ],
    body: JSON.stringify({ Message: message })
  }
}

function awsRefusal(thrown: unknown, requestId: string): Refusal {
  const { status, type, body } = toAwsError(thrown)
  const text = JSON.stringify(body)
  const headers = ['content-type', 'application/json', 'x-amzn-errortype', type, 'x-amzn-requestid', requestId]
  if (status === 429 || status === 503) headers.push('retry-after', retryAfter(thrown))
  return { status, headers, body: text }
}

function problemRefusal(thrown: unknown, requestId: string): Refusal {
  const problem = toProblem(thrown)
  const headers = ['content-type', 'application/problem+json', 'x-amzn-requestid', requestId]
  if (problem.status === 401) headers.push('www-authenticate', 'Bearer realm="hearth"')
  if (problem.retryable) headers.push('retry-after', retryAfter(thrown))
  return { status: problem.status, headers, body: JSON.stringify({ ...problem, requestId }) }
}

function retryAfter(thrown: unknown): string {
  return thrown instanceof HearthError && thrown.retryAfterS !== undefined ? String(thrown.retryAfterS) : '1'
}

/** AWS's words. @param bytes - What came, or as much of it as was read. */
export function payloadTooLarge(bytes: number, limitBytes: number, type = 'RequestResponse'): HearthError {
  return new HearthError(
    'PAYLOAD_TOO_LARGE',
    `${bytes} byte payload is too large for the ${type} invocation type (limit ${limitBytes} bytes)`
  )
}

/** @see reference: Lambda invocation §4 */
export function recursionStopped(functionName: string): HearthError {
  return new HearthError(
    'RECURSION_STOPPED',
    `Function ${functionName} was called 16 times in one chain of calls, and is not called again. PutFunctionRecursionConfig with Allow turns this off.`
  )
}
