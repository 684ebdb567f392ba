import { contextKeys, HearthError } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import type { JsonCaller } from './operation.ts'

/** Who sent it, and what else he may. */
export function callerOf(request: FastifyRequest): JsonCaller {
  const { principal } = request
  if (principal === null) throw new Error('a route that asks for a key has a principal')
  return {
    principal,
    requestId: request.id,
    require(action, resource, context = {}) {
      request.requireAccess({ action, resource, keys: contextKeys(context) })
    }
  }
}

/** The operation that `X-Amz-Target` names, without its service. */
export function operationOf({ headers }: FastifyRequest): string {
  const target = String(headers['x-amz-target'])
  return target.slice(target.lastIndexOf('.') + 1)
}

/**
 * The members that a body in JSON has. No message repeats what was sent: it may be a secret.
 *
 * @throws HearthError INVALID_PAYLOAD
 */
export function membersOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not JSON in UTF-8.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not a JSON object.')
  }
  return value as Readonly<Record<string, unknown>>
}

/** Of a service that has no such operation. */
export function unknownOperation(name: string): HearthError {
  return new HearthError(
    'ROUTE_NOT_FOUND',
    /^\w{1,64}$/.test(name) ? `There is no operation ${name} here.` : 'Unknown.'
  )
}
