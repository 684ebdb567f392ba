import { z } from 'zod'
import { readPage } from '../http/cursor.ts'
import { badToken } from './errors.ts'
import { dimensionsOf } from './keys.ts'
import { monitoringOperation } from './operation.ts'
import { listOf, MetricName, Namespace } from './values.ts'

const PAGE = 500

const Filter = z.object({ Name: z.string().min(1).max(255), Value: z.string().min(1).max(1_024).optional() })

/** Series with values in the last two weeks. */
export const listMetrics = monitoringOperation({
  name: 'ListMetrics',
  note: '`RecentlyActive` is exact to an hour; `OwningAccount` and `IncludeLinkedAccounts` are not looked at',
  input: z.object({
    Namespace: Namespace.optional(),
    MetricName: MetricName.optional(),
    Dimensions: listOf(Filter, 10).default([]),
    RecentlyActive: z.literal('PT3H').optional(),
    NextToken: z.string().optional()
  }),
  target: () => '*',
  run(input, { metrics }) {
    const filter = {
      namespace: input.Namespace,
      name: input.MetricName,
      recent: input.RecentlyActive !== undefined
    }
    const found = metrics
      .list(filter)
      .filter(({ dimensions }) =>
        input.Dimensions.every(({ Name, Value }) =>
          dimensions.some(([name, value]) => name === Name && (Value === undefined || value === Value))
        )
      )
    const query = ['ListMetrics', filter, input.Dimensions] as const
    const { items, next } = readPage(
      { query, cursor: input.NextToken, limit: PAGE, key: /^\d{1,9}$/, refusal: badToken },
      (after, limit) => found.slice(Number(after), Number(after) + limit),
      (last) => String(found.indexOf(last) + 1)
    )
    return {
      Metrics: items.map((key) => ({
        Namespace: key.namespace,
        MetricName: key.name,
        Dimensions: dimensionsOf(key)
      })),
      NextToken: next
    }
  }
})
