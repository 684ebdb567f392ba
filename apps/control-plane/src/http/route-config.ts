import type { Principal } from '@hearth/shared'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may call without a key. Absent: nobody. `open`: anyone. `signed-link`: whoever has a link with a signature
     * in its query, which the route checks. `gateway`: the other process of this server, which the route makes sure of.
     */
    access?: 'open' | 'signed-link' | 'gateway'
    /** What a caller must be allowed, e.g. `lambda:GetFunction`; `in-route`: the route asks for it by itself. */
    action?: string
    /**
     * Names that a signature may be for, where it is not that of Lambda. Asked twice: before the body is there, and
     * when the request is whole and it is known which service is meant.
     */
    signedFor?: (request: FastifyRequest, isWhole: boolean) => readonly string[]
    /** `any`: the body may come unsigned or in signed chunks, as for S3. */
    payloads?: 'any'
    /** AWS's name of the operation, for its messages. */
    operation?: string
  }

  interface FastifyRequest {
    /** Set on every route that asks for a key; null on open ones and on signed links. */
    principal: Principal | null
  }
}
