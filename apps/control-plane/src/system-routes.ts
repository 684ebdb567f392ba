import type { Readiness } from '@hearth/shared'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Metrics } from './metrics.ts'

export interface SystemRoutesOptions {
  /** With every check as it is now. */
  readonly health: () => Readiness
  readonly metrics: Metrics
}

const Alive = z.object({ status: z.literal('ok') })

const Checks = z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() }))
const Health = z.object({ status: z.enum(['ready', 'degraded', 'not ready']), checks: Checks })
const Startup = z.object({ status: z.enum(['started', 'starting']), checks: Checks.optional() })

/** Health and metrics. Metrics name functions and therefore need a key; health tells strangers nothing. */
export const systemRoutes: FastifyPluginAsyncZod<SystemRoutesOptions> = async (app, { health, metrics }) => {
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'getHealth',
        summary: 'Is the process alive?',
        tags: ['system'],
        security: [],
        response: { 200: Alive }
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
        summary: 'Is the server ready, and if not, what is missing?',
        description:
          'Through the gateway: would an invocation be served (200), with the control plane among the checks; `degraded` when that alone is missing. Asked directly the control plane says whether a deploy would be written.',
        tags: ['system'],
        security: [],
        response: { 200: Health, 503: Health }
      }
    },
    async (_request, reply) => {
      const { status, checks } = health().report()
      return reply.code(status === 'ready' ? 200 : 503).send({ status, checks: { ...checks } })
    }
  )

  app.get(
    '/startupz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'getStartup',
        summary: 'Has the server been ready once since its start?',
        description: '503 until then, and 200 for good afterwards.',
        tags: ['system'],
        security: [],
        response: { 200: Startup, 503: Startup }
      }
    },
    async (_request, reply) => {
      const readiness = health()
      if (readiness.isStarted) return { status: 'started' as const }
      return reply.code(503).send({ status: 'starting' as const, checks: { ...readiness.report().checks } })
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
