import { Counter, Gauge, type Registry } from 'prom-client'

export const EXPORT_TARGETS = ['loki', 'otlp'] as const
export type ExportTarget = (typeof EXPORT_TARGETS)[number]

/** What those who follow logs count. */
export interface LogPipelineCounts {
  /** Values of metrics in log events: taken, malformed (not as the format wants), refused (too many metrics). */
  metricValues(source: 'emf' | 'filter', result: 'taken' | 'malformed' | 'refused', count?: number): void
  /** Events of subscriptions. `loop`: the function's own, or what its own led to. */
  subscribed(result: 'delivered' | 'refused' | 'too_large' | 'loop', count: number): void
  /** Events were removed, by age or for room, before somebody had read them: about so many bytes. */
  gap(kind: string, bytes: number): void
  exported(target: ExportTarget, result: 'sent' | 'rejected', count: number): void
  exportFailed(target: ExportTarget): void
  /** @param since - When the oldest event that waits was taken, Unix time in ms; undefined: none waits */
  exportWaits(target: ExportTarget, since: number | undefined): void
}

/** @param targets - Those that are exported to */
export function createLogPipelineCounts(
  registry: Registry,
  targets: readonly ExportTarget[],
  now: () => number
): LogPipelineCounts {
  const registers = [registry]
  const values = new Counter({
    name: 'hearth_log_metric_values_total',
    help: 'Values of metrics found in logs, by source (emf, filter) and result (taken, malformed, refused)',
    labelNames: ['source', 'result'],
    registers
  })
  for (const result of ['taken', 'malformed', 'refused']) values.inc({ source: 'emf', result }, 0)
  for (const result of ['taken', 'refused']) values.inc({ source: 'filter', result }, 0)
  const subscribed = new Counter({
    name: 'hearth_log_subscription_events_total',
    help: 'Log events of subscription filters, by result: delivered, refused (by the function’s policy), too_large, loop',
    labelNames: ['result'],
    registers
  })
  for (const result of ['delivered', 'refused', 'too_large', 'loop']) subscribed.inc({ result }, 0)
  const gaps = new Counter({
    name: 'hearth_log_reader_gaps_total',
    help: 'Times that log events were removed before they were read, by reader',
    labelNames: ['reader'],
    registers
  })
  const lost = new Counter({
    name: 'hearth_log_reader_lost_bytes_total',
    help: 'Bytes of log events that were removed before they were read, about, by reader',
    labelNames: ['reader'],
    registers
  })
  for (const reader of ['metrics', 'subscription', ...targets]) {
    gaps.inc({ reader }, 0)
    lost.inc({ reader }, 0)
  }
  const exported = new Counter({
    name: 'hearth_log_export_events_total',
    help: 'Log events exported, by target and result: sent, rejected (the target does not want them)',
    labelNames: ['target', 'result'],
    registers
  })
  const failures = new Counter({
    name: 'hearth_log_export_errors_total',
    help: 'Requests to a target of logs that failed and are sent again',
    labelNames: ['target'],
    registers
  })
  const waiting = new Map<ExportTarget, number>()
  new Gauge({
    name: 'hearth_log_export_lag_seconds',
    help: 'Age of the oldest log event that is still to be exported; 0: none is',
    labelNames: ['target'],
    registers,
    collect() {
      for (const target of targets) {
        const since = waiting.get(target)
        this.set({ target }, since === undefined ? 0 : Math.max(0, (now() - since) / 1_000))
      }
    }
  })
  for (const target of targets) {
    for (const result of ['sent', 'rejected']) exported.inc({ target, result }, 0)
    failures.inc({ target }, 0)
  }
  return {
    metricValues: (source, result, count = 1) => {
      values.inc({ source, result }, count)
    },
    subscribed: (result, count) => {
      subscribed.inc({ result }, count)
    },
    gap: (reader, bytes) => {
      gaps.inc({ reader })
      lost.inc({ reader }, bytes)
    },
    exported: (target, result, count) => {
      exported.inc({ target, result }, count)
    },
    exportFailed: (target) => {
      failures.inc({ target })
    },
    exportWaits(target, since) {
      if (since === undefined) waiting.delete(target)
      else waiting.set(target, since)
    }
  }
}
