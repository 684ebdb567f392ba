import { HearthError, parseSince, SINCE_RULE } from '@hearth/shared'
import { type MetricStore, parseStatistic, statisticOf } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

export interface MetricRoutesOptions {
  readonly metrics: Pick<MetricStore, 'points'>
  readonly now: () => Date
}

/** More are in no chart. */
const MAX_POINTS = 1_440
/** Without a period, so many points or fewer. */
const WANTED_POINTS = 240
const PERIODS = [60, 300, 900, 3_600, 21_600, 86_400]

const Query = z.object({
  metric: z.string().min(1).max(255).meta({ example: 'Duration' }),
  function: z.string().min(1).max(64).optional().meta({ description: 'Of one function; without it: of all together' }),
  qualifier: z.string().min(1).max(128).optional().meta({ description: 'As it was called: a version or an alias' }),
  namespace: z.string().min(1).max(255).default('AWS/Lambda'),
  stat: z.string().max(64).default('Sum').meta({ description: '`Sum`, `Average`, `Maximum`, `SampleCount`, `p99` …' }),
  period: z.coerce
    .number()
    .int()
    .optional()
    .meta({ description: 'Seconds: a multiple of 60. Without it, what makes a chart of the time.' }),
  from: z.string().max(64).default('3h').meta({ description: 'A time, or how long ago: `90s`, `10m`, `2h`, `1d`' }),
  to: z.string().max(64).optional()
})

const Answer = z.object({
  namespace: z.string(),
  metric: z.string(),
  stat: z.string(),
  period: z.int(),
  from: z.string(),
  to: z.string(),
  unit: z.string().nullable(),
  points: z.array(z.object({ at: z.string(), value: z.number() }))
})

/** One metric over time, for charts. Mounted under `/v1/metrics`. */
export const metricRoutes: FastifyPluginAsyncZod<MetricRoutesOptions> = async (app, { metrics, now }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getMetricValues',
        summary: 'One metric over time',
        description:
          'Oldest first; periods without values are left out. The metrics are CloudWatch’s: see docs/metrics.md.',
        tags: ['metrics'],
        querystring: Query,
        response: { 200: Answer }
      }
    },
    async ({ query }) => {
      const { metric, namespace, stat, function: name, qualifier } = query
      const to = query.to === undefined ? now().getTime() : timeOf('to', query.to, now())
      const from = timeOf('from', query.from, now())
      const statistic = parseStatistic(stat)
      if (from >= to) throw invalid('from', 'must be before `to`')
      if (qualifier !== undefined && name === undefined) throw invalid('qualifier', 'is of a function')
      const period = query.period ?? periodFor(from, to)
      if (period < 60 || period % 60 !== 0) throw invalid('period', 'must be a multiple of 60')
      if ((to - from) / 1_000 / period > MAX_POINTS) {
        throw invalid('period', `makes more than ${MAX_POINTS} points of this time`)
      }
      const dimensions = [
        ...(name === undefined ? [] : [['FunctionName', name] as const]),
        ...(qualifier === undefined ? [] : [['Resource', `${name ?? ''}:${qualifier}`] as const])
      ]
      const points = metrics.points({ key: { namespace, name: metric, dimensions }, from, to, period })
      return {
        namespace,
        metric,
        stat,
        period,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        unit: points[0]?.unit ?? null,
        points: points.flatMap(({ at, values }) => {
          const value = statisticOf(values, statistic)
          return value === undefined ? [] : [{ at: new Date(at).toISOString(), value }]
        })
      }
    }
  )
}

function periodFor(from: number, to: number): number {
  return PERIODS.find((period) => (to - from) / 1_000 / period <= WANTED_POINTS) ?? 86_400
}

function timeOf(name: string, text: string, now: Date): number {
  const at = parseSince(text, now.getTime())
  if (at === undefined) throw invalid(name, SINCE_RULE)
  return Date.parse(at)
}

function invalid(name: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `query.${name}: ${message}`, {
    errors: [{ path: `query.${name}`, message }]
  })
}
