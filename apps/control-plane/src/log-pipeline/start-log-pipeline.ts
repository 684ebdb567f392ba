import type { ArnScope, LogExportConfig } from '@hearth/shared'
import {
  createFilterMinutes,
  createLogCursors,
  type Db,
  type LogCursors,
  type LogGroupsRepository,
  type LogReader,
  type MetricStore
} from '@hearth/store'
import type { Registry } from 'prom-client'
import type { ServiceInvoker } from '../service-invoker.ts'
import { createLogPipelineCounts, EXPORT_TARGETS, type ExportTarget, type LogPipelineCounts } from './counts.ts'
import { type ArmedSubscription, createDefinitions, type Definitions, SUBSCRIPTION_READERS } from './definitions.ts'
import { createDirtyGroups, type DirtyGroups } from './dirty-groups.ts'
import type { Encoding } from './export/encoding.ts'
import { createExporter } from './export/exporter.ts'
import { LOKI } from './export/loki.ts'
import { OTLP } from './export/otlp.ts'
import { createFollower, type Follower } from './follower.ts'
import { watchGroups } from './group-watch.ts'
import { createMetricsReader } from './metrics-reader.ts'
import { createSubscriptionsReader } from './subscriptions-reader.ts'
import { startWorkLoop, type WorkLoop } from './work-loop.ts'

type Log = (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void

export interface LogPipelineOptions {
  readonly scope: ArnScope
  readonly reader: LogReader
  /** `telemetry.db` */
  readonly telemetry: { readonly db: Db; readonly metrics: Pick<MetricStore, 'put'> }
  readonly definitions: LogGroupsRepository
  readonly invoker: Pick<ServiceInvoker, 'invoke'>
  /** The log group that a function writes to; undefined: there is no such function. */
  readonly groupOf: (functionName: string) => string | undefined
  readonly exports: LogExportConfig
  readonly registry: Registry
  readonly log: Log
  /** Unix time in ms. */
  readonly now: () => number
  /** How long after its last event a minute gets a metric filter's default, in ms. */
  readonly quietMs?: number | undefined
}

const ENCODINGS: Readonly<Record<ExportTarget, Encoding>> = { loki: LOKI, otlp: OTLP }
/** How often it is looked for new subscriptions, and for minutes that are over. */
const LOOK_MS = 1_000
/** The same is logged once in so long, of each reader. */
const LOG_MS = 60_000

/**
 * Everything that is made of logs beside reading them: metrics, subscriptions, exports. Follows the files that the gateway
 * writes, so that nothing of it is on the way of an invocation; each has its own durable place, and waits for no other.
 *
 * @returns stops it: resolves when all that was under way is over
 */
export function startLogPipeline(options: LogPipelineOptions): () => Promise<void> {
  const { reader, telemetry, exports, now } = options
  const log = atMostOnceAMinute(options.log, now)
  const onError = (what: string) => (err: unknown) => {
    log('error', what, { err })
  }
  const targets = EXPORT_TARGETS.filter((name) => exports[name] !== undefined)
  const counts = createLogPipelineCounts(options.registry, targets, now)
  const cursors = createLogCursors(telemetry.db)
  const definitions = createDefinitions(options.definitions, onError('a filter of a log group cannot be used'))
  const startedAt = now()
  const follow = (name: string, since = startedAt): Follower =>
    createFollower({
      reader,
      cursors,
      name,
      since,
      onGap(group, bytes) {
        const kind = name.startsWith(SUBSCRIPTION_READERS) ? 'subscription' : name
        counts.gap(kind, bytes)
        log('warn', 'log events were removed before they were read', { reader: name, group, bytes })
      }
    })

  const metricGroups = createDirtyGroups()
  const metricsReader = createMetricsReader({
    follower: follow('metrics'),
    cursors,
    minutes: createFilterMinutes(telemetry.db),
    metrics: telemetry.metrics,
    definitions,
    dirty: metricGroups,
    counts,
    now,
    ...(options.quietMs === undefined ? {} : { quietMs: options.quietMs })
  })
  const metrics = startWorkLoop({
    turn: () => metricsReader.turn(),
    onError: onError('metrics in logs cannot be taken')
  })
  const subscriptions = startSubscriptions(options, definitions, follow, cursors, counts, log)
  const exporters = targets.map((name) => {
    const dirty = createDirtyGroups()
    const exporter = createExporter({
      name,
      target: exports[name]!,
      encoding: ENCODINGS[name],
      follower: follow(name),
      cursors,
      dirty,
      counts,
      onRejected(events, why) {
        log('warn', `logs are not wanted by ${name}`, { events, why })
      }
    })
    const loop = startWorkLoop({
      turn: (signal) => exporter.turn(signal),
      onError(err) {
        log('warn', `logs cannot be sent to ${name}`, { why: (err as Error).message })
      }
    })
    return { dirty, loop }
  })

  forgetUnused(cursors, targets)
  const stopWatching = watchGroups({
    reader,
    onListed(groups) {
      for (const group of cursors.groups()) if (!groups.has(group)) cursors.removeGroup(group)
    },
    onChanged(groups) {
      for (const group of groups) {
        metricGroups.add(group)
        for (const { dirty } of exporters) dirty.add(group)
      }
      metrics.wake()
      subscriptions.changed(groups)
      for (const { loop } of exporters) loop.wake()
    },
    onError: onError('log groups cannot be listed')
  })
  const looking = setInterval(() => {
    try {
      subscriptions.refresh()
      metricsReader.fillIn()
    } catch (err) {
      onError('filters of log groups cannot be looked after')(err)
    }
  }, LOOK_MS)
  looking.unref()

  return async () => {
    stopWatching()
    clearInterval(looking)
    await Promise.all([metrics.stop(), subscriptions.stop(), ...exporters.map(({ loop }) => loop.stop())])
  }
}

function startSubscriptions(
  options: LogPipelineOptions,
  definitions: Definitions,
  follow: (name: string, since: number) => Follower,
  cursors: Pick<LogCursors, 'readers' | 'removeReader'>,
  counts: LogPipelineCounts,
  log: Log
) {
  const dirty: DirtyGroups = createDirtyGroups()
  const followers = new Map<string, Follower>()
  let revision: number | undefined
  const subscriptionsReader = createSubscriptionsReader({
    scope: options.scope,
    invoker: options.invoker,
    definitions,
    dirty,
    followerOf({ reader, definition }: ArmedSubscription) {
      let follower = followers.get(reader)
      if (follower === undefined) {
        follower = follow(reader, definition.createdAt)
        followers.set(reader, follower)
      }
      return follower
    },
    groupOf: options.groupOf,
    counts,
    onRefused({ definition }, code) {
      const { group, name, destinationArn } = definition
      log('warn', 'a function did not get log events', { group, filter: name, function: destinationArn, code })
    },
    onLoop({ definition }) {
      const { group, name, destinationArn } = definition
      log('warn', 'log events would go round in a loop, and are not sent', {
        group,
        filter: name,
        function: destinationArn
      })
    }
  })
  const loop: WorkLoop = startWorkLoop({
    turn: () => subscriptionsReader.turn(),
    onError(err) {
      log('error', 'log events cannot be handed to functions', { err })
    }
  })
  return {
    changed(groups: readonly string[]): void {
      const grown = new Set(groups)
      for (const { reader, definition } of definitions.subscriptions()) {
        if (grown.has(definition.group)) dirty.add(reader)
      }
      loop.wake()
    },
    /** New ones begin with what came since they were made. */
    refresh(): void {
      const current = definitions.revision()
      if (current === revision) return
      revision = current
      const readers = new Set(definitions.subscriptions().map(({ reader }) => reader))
      for (const reader of followers.keys()) if (!readers.has(reader)) followers.delete(reader)
      for (const reader of cursors.readers()) {
        if (reader.startsWith(SUBSCRIPTION_READERS) && !readers.has(reader)) cursors.removeReader(reader)
      }
      for (const reader of readers) dirty.add(reader)
      loop.wake()
    },
    stop: () => loop.stop()
  }
}

/** A target that is taken out of the settings, and comes back, begins anew. */
function forgetUnused(cursors: { removeReader(name: string): void }, targets: readonly ExportTarget[]): void {
  for (const name of EXPORT_TARGETS) if (!targets.includes(name)) cursors.removeReader(name)
}

function atMostOnceAMinute(log: Log, now: () => number): Log {
  const loggedAt = new Map<string, number>()
  return (level, message, fields) => {
    const about = `${JSON.stringify(fields['reader'])} ${message}`
    if (now() - (loggedAt.get(about) ?? Number.NEGATIVE_INFINITY) < LOG_MS) return
    loggedAt.set(about, now())
    log(level, message, fields)
  }
}
