import type { MetricStore } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { gatewayOnly } from '../http/gateway-only.ts'
import { parseBody } from '../v1/json-body.ts'

export interface MetricReportsOptions {
  readonly metrics: Pick<MetricStore, 'put'>
  readonly internalToken: string
}

/** A thousand samples, each with a distribution of some hundred buckets. */
const REPORT_BYTES = 33_554_432

const Sample = z.object({
  key: z.object({
    namespace: z.string(),
    name: z.string(),
    dimensions: z.array(z.tuple([z.string(), z.string()]))
  }),
  at: z.int(),
  unit: z.string(),
  resolution: z.union([z.literal(1), z.literal(60)]).optional(),
  values: z.object({
    count: z.number(),
    sum: z.number(),
    min: z.number(),
    max: z.number(),
    distribution: z.array(z.tuple([z.number(), z.number()])).optional()
  })
})

const Report = z.object({ id: z.uuid(), samples: z.array(Sample) })

/** Where the gateway says what functions did in a minute. A report that comes again counts once. Not part of the API. */
export const metricReports: FastifyPluginAsyncZod<MetricReportsOptions> = async (app, { metrics, internalToken }) => {
  app.post(
    '/internal/metrics',
    {
      config: { access: 'gateway' },
      bodyLimit: REPORT_BYTES,
      // Before the body: a stranger is not asked to send it.
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: Report }
    },
    async (request, reply) => {
      const { id, samples } = request.body
      metrics.put(
        samples.map(({ resolution = 60, ...sample }) => ({ ...sample, resolution })),
        id
      )
      return reply.code(204).send()
    }
  )
}
