import { HearthError } from '@hearth/shared'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Metrics } from './metrics.ts'

export interface SystemRoutesOptions {
  readonly isReady: () => boolean
  readonly metrics: Metrics
}

const Health = z.object({ status: z.literal('ok') })

/** Health and metrics. Metrics name functions and therefore need a key; health tells strangers nothing. */
export const systemRoutes: FastifyPluginAsyncZod<SystemRoutesOptions> = async (app, { isReady, metrics }) => {
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'getHealth',
        summary: 'Is the process alive?',
        tags: ['system'],
        security: [],
        response: { 200: Health }
      }
    },
    async () => ({ status: 'ok' as const })
  )

  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'getReadiness',
        summary: 'Would a deploy succeed?',
        description: 'Ready means that the database takes writes.',
        tags: ['system'],
        security: [],
        response: { 200: Health }
      }
    },
    async () => {
      if (!isReady()) throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The database does not take writes.')
      return { status: 'ok' as const }
    }
  )

  app.get(
    '/metrics',
    {
      config: { action: 'hearth:GetMetrics' },
      schema: {
        operationId: 'getMetrics',
        summary: 'Metrics in the Prometheus text format',
        tags: ['system'],
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } } }
      }
    },
    send
  )

  // The gateway's own are at /metrics; what is asked of it under this name it passes on.
  app.get('/metrics/control-plane', { config: { action: 'hearth:GetMetrics' }, schema: { hide: true } }, send)

  async function send(_request: FastifyRequest, reply: FastifyReply) {
    void reply.header('content-type', metrics.registry.contentType)
    return reply.serializer(String).send(await metrics.registry.metrics())
  }
}
