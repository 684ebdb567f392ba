import { listMetrics } from './list-metrics.ts'
import type { MonitoringOperation } from './operation.ts'
import { putMetricData } from './put-metric-data.ts'

export const METRIC_OPERATIONS: readonly MonitoringOperation[] = [putMetricData, listMetrics]
