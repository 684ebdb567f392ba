import { type ApiAuthorizer, compilePolicy, evaluate, type Policy, type PolicyRequest } from '@hearth/shared'

/** What an authorizer's function said: good for one request or for all, until it is forgotten. */
export interface AuthorizerAnswer {
  /** Undefined in answers that are simple. */
  readonly principalId: string | undefined
  readonly context: Readonly<Record<string, unknown>>
  /** Whether a route is open to whom was asked about. */
  allows(request: PolicyRequest): boolean
}

/** As on AWS. */
const MAX_BYTES = 8_192

/**
 * Reads what an authorizer's function answered: `{"isAuthorized": …}`, or an IAM policy.
 *
 * @param isConnect - Of a WebSocket API: context holds texts, numbers and truth values only
 * @returns undefined when it is neither
 */
export function readAnswer(
  payload: Buffer,
  { simpleResponses, payloadFormat }: ApiAuthorizer,
  isConnect: boolean
): AuthorizerAnswer | undefined {
  if (payload.length > MAX_BYTES) return undefined
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const context = value['context'] ?? {}
  if (!isObject(context)) return undefined
  if (isConnect && Object.values(context).some((one) => typeof one === 'object')) return undefined
  if (simpleResponses && payloadFormat === '2.0' && !isConnect) {
    const { isAuthorized } = value
    return typeof isAuthorized === 'boolean'
      ? { principalId: undefined, context, allows: () => isAuthorized }
      : undefined
  }
  const { principalId } = value
  const policy = readPolicy(value['policyDocument'])
  if (typeof principalId !== 'string' || principalId === '' || policy === undefined) return undefined
  return { principalId, context, allows: (request) => evaluate({ identity: [policy] }, request).allowed }
}

function readPolicy(document: unknown): Policy | undefined {
  try {
    return compilePolicy(document, 'identity', 'authorizer')
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
