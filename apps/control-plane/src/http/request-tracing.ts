import fp from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'
import { pathOf } from './dialect.ts'

/** Gives every answer its request id, one log line and one observation. */
export const requestTracing = fp<{ readonly metrics: Metrics }>(
  async (app, { metrics }) => {
    app.addHook('onRequest', async (request, reply) => {
      void reply.header('x-amzn-requestid', request.id)
    })
    app.addHook('onResponse', async (request, reply) => {
      const ms = reply.elapsedTime
      const route = request.routeOptions.url ?? 'none'
      const labels = { service: 'control', route, method: request.method, code: String(reply.statusCode) }
      metrics.requestSeconds.observe(labels, ms / 1_000)
      request.log.info(
        {
          reqId: request.id,
          method: request.method,
          path: pathOf(request.url),
          status: reply.statusCode,
          ms: Math.round(ms * 10) / 10
        },
        'request'
      )
    })
  },
  { name: 'request-tracing' }
)
