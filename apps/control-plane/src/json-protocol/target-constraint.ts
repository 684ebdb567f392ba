import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** The service that a request of AWS's JSON protocol is for: what stands before the operation's name. */
export function targetPrefix(headers: IncomingHttpHeaders): string | undefined {
  const target = headers['x-amz-target']
  return typeof target === 'string' ? target.slice(0, Math.max(0, target.lastIndexOf('.'))) : undefined
}

/** Of services that are not here. */
export const ANY_TARGET = 'any'

declare module 'fastify' {
  interface RouteConstraint {
    /** Prefix of `X-Amz-Target`. */
    awsTarget?: string
  }
}

/**
 * Lets several services have `POST /`, told apart by `X-Amz-Target`. Without that header it is the route that has no
 * constraint.
 *
 * @param served - Prefixes of the services that are here
 */
export function targetConstraint(served: ReadonlySet<string>) {
  return {
    awsTarget: {
      name: 'awsTarget',
      storage() {
        const handlers = new Map<string, never>()
        return {
          get: (prefix: string) => handlers.get(prefix) ?? null,
          set: (prefix: string, handler: unknown) => void handlers.set(prefix, handler as never)
        }
      },
      deriveConstraint({ headers }: IncomingMessage) {
        const prefix = targetPrefix(headers)
        // Undefined is no constraint, which the router's types do not know.
        return (prefix === undefined || served.has(prefix) ? prefix : ANY_TARGET) as string
      },
      validate: () => undefined
    }
  }
}
