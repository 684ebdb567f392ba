import { compileLogFilter, HearthError, type MetricFilter, type MetricTransformation } from '@hearth/shared'
import { z } from 'zod'
import { METRIC_UNITS } from '../metrics-api/units.ts'
import { pageByName } from './group-operations.ts'
import {
  FilterName,
  FilterPattern,
  GroupName,
  type LogsOperation,
  logsOperation,
  onAllGroups,
  onGroup,
  Token
} from './operation.ts'
import { invalid, limitExceeded, noGroup } from './refusals.ts'

/** Filters of one group. */
const MOST = 100
const PAGE = 50
const MOST_DIMENSIONS = 3

const MetricName = z
  .string()
  .max(255)
  .regex(/^[^:*$]*$/)
const Transformation = z.strictObject({
  metricName: MetricName.min(1),
  metricNamespace: MetricName.min(1),
  metricValue: z.string().max(100),
  defaultValue: z.number().optional(),
  dimensions: z.record(z.string().min(1).max(255), z.string().min(1).max(255)).optional(),
  unit: z.enum(METRIC_UNITS).optional()
})

/** Metrics out of what is logged. */
export const METRIC_FILTER_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'PutMetricFilter',
    note: '`applyOnTransformedLogs`, `fieldSelectionCriteria` and `emitSystemFieldDimensions` are refused',
    input: z.strictObject({
      logGroupName: GroupName,
      filterName: FilterName,
      filterPattern: FilterPattern,
      metricTransformations: z.array(Transformation).min(1).max(1),
      applyOnTransformedLogs: z.literal(false).optional()
    }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run(input, groups) {
      const { logGroupName: group, filterName: name, filterPattern: pattern, metricTransformations } = input
      compileLogFilter(pattern)
      for (const transformation of metricTransformations) checkTransformation(transformation)
      await groups.change(group, (row) => row)
      groups.exclusively(() => {
        const { metricFilters: filters } = groups.repository
        if (groups.repository.findGroup(group) === undefined) throw noGroup()
        const before = filters.find(group, name)
        if (before === undefined && filters.list(group).length >= MOST) throw limitExceeded()
        const createdAt = before?.createdAt ?? groups.now()
        filters.put({ group, name, pattern, transformations: metricTransformations, createdAt })
      })
      return undefined
    }
  }),
  logsOperation({
    name: 'DescribeMetricFilters',
    input: z.object({
      logGroupName: GroupName.optional(),
      filterNamePrefix: FilterName.default(''),
      metricName: MetricName.optional(),
      metricNamespace: MetricName.optional(),
      nextToken: Token.optional(),
      limit: z.int().min(1).max(PAGE).default(PAGE)
    }),
    target: ({ logGroupName }, groups) =>
      logGroupName === undefined ? onAllGroups(groups) : onGroup(logGroupName, groups),
    async run(input, groups) {
      const { logGroupName, filterNamePrefix, metricName, metricNamespace } = input
      if ((metricName === undefined) !== (metricNamespace === undefined)) {
        throw invalid('Both metricName and metricNamespace must be specified, or neither of them.')
      }
      if (logGroupName !== undefined) await groups.require(logGroupName)
      const isOfMetric = (transformation: MetricTransformation): boolean =>
        transformation.metricName === metricName && transformation.metricNamespace === metricNamespace
      const found = groups.repository.metricFilters
        .list(logGroupName)
        .filter(({ name }) => name.startsWith(filterNamePrefix))
        .filter(({ transformations }) => metricName === undefined || transformations.some(isOfMetric))
        .map((filter) => ({ filter, name: `${filter.group}\n${filter.name}` }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const query = ['metric filters', logGroupName, filterNamePrefix, metricName, metricNamespace]
      const { items, next } = pageByName(found, query, input, groups.now())
      return { metricFilters: items.map(({ filter }) => viewOf(filter)), ...next }
    }
  }),
  logsOperation({
    name: 'DeleteMetricFilter',
    input: z.object({ logGroupName: GroupName, filterName: FilterName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, filterName }, groups) {
      await groups.require(logGroupName)
      if (!groups.repository.metricFilters.remove(logGroupName, filterName)) {
        throw new HearthError('RESOURCE_NOT_FOUND', 'The specified metric filter does not exist.')
      }
      return undefined
    }
  }),
  logsOperation({
    name: 'TestMetricFilter',
    input: z.object({ filterPattern: FilterPattern, logEventMessages: z.array(z.string().min(1)).min(1).max(50) }),
    target: () => '*',
    async run({ filterPattern, logEventMessages }) {
      const filter = compileLogFilter(filterPattern)
      const matches = logEventMessages.flatMap((eventMessage, i) => {
        const match = filter.match(eventMessage)
        return match === undefined ? [] : [{ eventNumber: i + 1, eventMessage, extractedValues: match.values() }]
      })
      return { matches }
    }
  })
]

/** @throws HearthError VALIDATION_FAILED */
function checkTransformation({ metricValue, defaultValue, dimensions = {} }: MetricTransformation): void {
  const isPlace = metricValue.startsWith('$') && metricValue.length > 1
  if (!isPlace && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(metricValue)) {
    throw invalid(`Invalid metricValue: it is a number, or begins with $ and says where one stands: ${metricValue}`)
  }
  const names = Object.keys(dimensions)
  if (names.length > MOST_DIMENSIONS) throw invalid(`A metric filter has at most ${MOST_DIMENSIONS} dimensions.`)
  if (names.length > 0 && defaultValue !== undefined) {
    throw invalid('Invalid metric transformation: dimensions and default value are mutually exclusive properties.')
  }
  const other = names.find((name) => !dimensions[name]!.startsWith('$'))
  if (other !== undefined) {
    throw invalid(
      `Invalid metric transformation: the dimension ${other} begins with $ and says where its value stands.`
    )
  }
}

function viewOf({ group, name, pattern, transformations, createdAt }: MetricFilter) {
  return {
    filterName: name,
    filterPattern: pattern,
    metricTransformations: transformations,
    creationTime: createdAt,
    logGroupName: group,
    applyOnTransformedLogs: false
  }
}
