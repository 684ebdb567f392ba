import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { parseBody } from '../v1/json-body.ts'
import { gatewayOnly } from './gateway-only.ts'

export interface GatewayReport<Body extends z.ZodType> {
  readonly url: string
  readonly body: Body
  /** Default: what settings may have. */
  readonly bodyBytes?: number
  readonly internalToken: string
  readonly take: (report: z.output<Body>) => void
}

/** Where the gateway of this server, and nobody else, says something again and again. Not part of the API. */
export function mountGatewayReport<Body extends z.ZodType>(
  app: FastifyInstance,
  { url, body, bodyBytes, internalToken, take }: GatewayReport<Body>
): void {
  app.post(
    url,
    {
      config: { access: 'gateway' },
      ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
      // Before the body: a stranger is not asked to send it.
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body }
    },
    async (request, reply) => {
      take(request.body as z.output<Body>)
      return reply.code(204).send()
    }
  )
}
