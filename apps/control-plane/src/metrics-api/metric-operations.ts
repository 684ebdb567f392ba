import { getMetricData } from './get-metric-data.ts'
import { getMetricStatistics } from './get-metric-statistics.ts'
import { listMetrics } from './list-metrics.ts'
import type { MonitoringOperation } from './operation.ts'
import { putMetricData } from './put-metric-data.ts'

export const METRIC_OPERATIONS: readonly MonitoringOperation[] = [
  putMetricData,
  getMetricStatistics,
  getMetricData,
  listMetrics
]
