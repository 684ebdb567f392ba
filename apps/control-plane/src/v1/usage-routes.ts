import { addUsage, dayOf, HearthError, noUsage, type PriceTable, periodStart } from '@hearth/shared'
import type { FunctionTagsLookup } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { dayText, reportUsage, type UsageQuery } from '../usage/usage-report.ts'
import type { UsageSource } from '../usage/usage-source.ts'
import { billSum, monthView, pricesView, priceView, UsageView, usageCsv, usageView } from '../usage/usage-view.ts'

export interface UsageRoutesOptions {
  readonly source: UsageSource
  readonly prices: PriceTable
  readonly tagsOf: FunctionTagsLookup
  readonly now: () => Date
}

/** As long as counts are kept. */
const MOST_DAYS = 400
const GROUP_BY = /^(function|role|day|tag:.{1,128})$/su

const day = z.iso.date({ error: 'a day such as 2026-01-31 is expected' })

const Query = z.object({
  from: day.optional().meta({ description: 'First day, UTC. Default: the first of the month of `to`' }),
  to: day.optional().meta({ description: 'Last day, UTC. Default: today' }),
  groupBy: z
    .string()
    .regex(GROUP_BY, 'function, role, day, or tag: and the key of a tag')
    .default('function')
    .meta({ description: '`function`, `role`, `day`, or `tag:` and the key of a tag', example: 'tag:team' }),
  format: z.enum(['json', 'csv']).optional().meta({ description: 'Default: what `Accept` says, or JSON' })
})

/** What functions used, and what it would cost. Mounted under `/v1/usage`. */
export const usageRoutes: FastifyPluginAsyncZod<UsageRoutesOptions> = async (app, { source, prices, tagsOf, now }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getUsage',
        summary: 'What functions used, and what it would cost on AWS',
        description:
          'The free tier and the tiers are those of a month and of all functions: each group has its share of them by its part of the month’s quantity. Also as CSV. Functions that are deleted keep their usage.',
        tags: ['usage'],
        querystring: Query,
        response: { 200: UsageView }
      }
    },
    async ({ query, headers }, reply) => {
      const { groupBy } = query
      const to = query.to === undefined ? dayOf(now().getTime()) : dayOf(Date.parse(query.to))
      const from = query.from === undefined ? periodStart(to, 'MONTH') : dayOf(Date.parse(query.from))
      if (from > to || to - from >= MOST_DAYS) {
        const message = `the day of to or one before it, at most ${MOST_DAYS} days in all`
        throw new HearthError('INVALID_REQUEST', `from: ${message}`, { errors: [{ path: 'query.from', message }] })
      }
      const { groups, months } = await reportUsage(source, prices, { from, to, groupOf: groupingBy(groupBy, tagsOf) })
      if ((query.format ?? preferred(headers.accept)) === 'csv') {
        void reply.header('content-type', 'text/csv; charset=utf-8; header=present')
        void reply.header('content-disposition', `attachment; filename="usage-${dayText(from)}-${dayText(to)}.csv"`)
        return reply.serializer(String).send(usageCsv(groupBy, groups, prices.currency) as never)
      }
      const usage = noUsage()
      for (const group of groups) addUsage(usage, group.usage)
      return {
        from: dayText(from),
        to: dayText(to),
        groupBy,
        prices: pricesView(prices),
        items: groups.map((group) => ({
          key: group.key ?? null,
          usage: usageView(group.usage),
          price: priceView(group.bill)
        })),
        total: { usage: usageView(usage), price: priceView(billSum(groups.map(({ bill }) => bill))) },
        months: months.map(monthView)
      }
    }
  )
}

/** Tags are those that functions have now; roles those that they had then. */
function groupingBy(groupBy: string, tagsOf: FunctionTagsLookup): UsageQuery['groupOf'] {
  if (groupBy === 'function') return ({ functionName }) => functionName
  if (groupBy === 'role') return ({ role }) => (role === '' ? undefined : role)
  if (groupBy === 'day') return ({ day: at }) => dayText(at)
  const key = groupBy.slice('tag:'.length)
  const known = new Map<string, string | undefined>()
  return ({ functionName }) => {
    if (!known.has(functionName)) {
      const tags = tagsOf(functionName)
      known.set(functionName, tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined)
    }
    return known.get(functionName)
  }
}

function preferred(accept: string | undefined): 'json' | 'csv' {
  return accept !== undefined && /\btext\/csv\b/i.test(accept) && !/\bjson\b/i.test(accept) ? 'csv' : 'json'
}
