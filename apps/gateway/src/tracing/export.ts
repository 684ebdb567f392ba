import { hostname } from 'node:os'
import type { ArnScope, TraceConfig } from '@hearth/shared'
import { atMostEvery } from '../at-most-every.ts'
import type { Log } from '../log.ts'
import { createBatchSender, type SenderLimits } from '../otlp/batch-sender.ts'
import { encodeSpans } from '../otlp/encode-spans.ts'
import type { SpanCounts } from '../otlp/otlp-counts.ts'
import type { Attribute } from '../otlp/span.ts'
import type { TraceRecord } from './records.ts'
import { countSpans, toSpans } from './to-spans.ts'

export interface TraceExportOptions {
  readonly config: TraceConfig
  readonly scope: ArnScope
  /** Of Hearth. */
  readonly version: string
  /** Tells this server from others of the same service. */
  readonly instanceId: string
  readonly counts: SpanCounts
  readonly log: Log
  readonly limits?: Partial<SenderLimits> | undefined
}

/** Takes what was noted of calls, and sends their spans. */
export interface TraceExport {
  take(record: TraceRecord): void
  /** Sends what waits. @param withinMs - Then the rest is dropped */
  stop(withinMs: number): Promise<void>
}

export function createTraceExport(options: TraceExportOptions): TraceExport {
  const { config, scope, version, counts, log } = options
  const resource: readonly Attribute[] = Object.entries({
    'cloud.region': scope.region,
    'cloud.account.id': scope.accountId,
    'host.name': hostname(),
    'service.version': version,
    'service.instance.id': options.instanceId,
    'telemetry.sdk.name': 'hearth',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': version,
    ...config.resource,
    'service.name': config.serviceName
  })
  const source = { resource, version }
  const sender = createBatchSender<TraceRecord>({
    url: config.endpoint,
    headers: { ...config.headers, 'user-agent': `Hearth/${version}` },
    encode(records) {
      // Anew each time: the machine's clock may have been set since.
      const offset = Date.now() - performance.now()
      const spans = records.flatMap((record) => toSpans(record, scope, (at) => offset + at))
      return { body: encodeSpans(spans, source), count: spans.length }
    },
    countOf: countSpans,
    onSent: counts.sent,
    onDropped: counts.dropped,
    onProblem: atMostEvery(60_000, (reason: string) => {
      log.warn({ reason }, 'spans cannot be exported')
    }),
    ...(options.limits === undefined ? {} : { limits: options.limits })
  })
  counts.observe(() => sender.waiting)
  return {
    take(record) {
      sender.push(record)
    },
    stop: (withinMs) => sender.stop(withinMs)
  }
}
