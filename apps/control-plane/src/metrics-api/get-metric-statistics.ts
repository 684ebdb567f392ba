import { statisticOf } from '@hearth/store'
import { z } from 'zod'
import { StringMap } from '../query/xml.ts'
import { monitoringError } from './errors.ts'
import { keyOf } from './keys.ts'
import { monitoringOperation } from './operation.ts'
import { checkPeriod, checkStatistic, roundStart } from './series.ts'
import { Dimensions, Int, listOf, MetricName, Namespace, Time, Unit } from './values.ts'

const MAX_DATAPOINTS = 1_440

/** Statistics of one metric, in no order. */
export const getMetricStatistics = monitoringOperation({
  name: 'GetMetricStatistics',
  input: z.object({
    Namespace,
    MetricName,
    Dimensions: Dimensions.default([]),
    StartTime: Time,
    EndTime: Time,
    Period: Int,
    Statistics: listOf(z.enum(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum']), 5).default([]),
    ExtendedStatistics: listOf(z.string(), 10).default([]),
    Unit: Unit.optional()
  }),
  target: () => '*',
  run(input, { metrics, now }) {
    const { StartTime: start, EndTime: to, Period: period, Statistics: plain, ExtendedStatistics: extended } = input
    checkPeriod(period)
    if (start >= to) {
      throw monitoringError('InvalidParameterValue', 'The parameter StartTime must be less than the parameter EndTime.')
    }
    if (plain.length + extended.length === 0) {
      throw monitoringError('MissingParameter', 'The parameter Statistics is required.')
    }
    for (const stat of extended) checkStatistic(stat, 'ExtendedStatistics')
    const from = roundStart(start, period, now().getTime())
    const asked = Math.ceil((to - from) / 1_000 / period)
    if (asked > MAX_DATAPOINTS) {
      throw monitoringError(
        'InvalidParameterCombination',
        `You have requested up to ${asked.toLocaleString('en-US')} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`
      )
    }
    const key = keyOf(input.Namespace, input.MetricName, input.Dimensions)
    const points = metrics.points({ key, from, to, period, unit: input.Unit })
    return {
      Label: input.MetricName,
      Datapoints: points.map(({ at, unit, values }) => ({
        Timestamp: new Date(at),
        ...Object.fromEntries(plain.map((stat) => [stat, statisticOf(values, stat)])),
        Unit: unit,
        ...(extended.length === 0
          ? {}
          : {
              ExtendedStatistics: new StringMap(
                extended.flatMap((stat) => {
                  const value = statisticOf(values, stat)
                  return value === undefined ? [] : [[stat, value] as const]
                })
              )
            })
      }))
    }
  }
})
