import path from 'node:path'
import { AWS_PRICES } from '@hearth/shared'
import {
  createAlarmsRepository,
  createBudgetsRepository,
  createLogGroupsRepository,
  createLogReader,
  LATEST,
  prepareFunctionTags
} from '@hearth/store'
import { createAlarms } from '../alarms/alarms.ts'
import { startBudgets } from '../budgets/budgets.ts'
import type { Deps } from '../deps.ts'
import { startLogPipeline } from '../log-pipeline/start-log-pipeline.ts'
import { forgetRemovalsOften } from '../logs/forget-removals.ts'
import { createLogGroups } from '../logs/log-groups.ts'
import { tidyOften } from '../metrics-api/tidy-often.ts'
import { createTargets } from '../outbox/to-target.ts'
import { toReach } from '../service-invoker.ts'
import { createUsageSource } from '../usage/usage-source.ts'
import type { PartDeps } from './part.ts'

/** What is seen of functions: logs, metrics, alarms, usage and its budgets. */
export interface Observability {
  readonly deps: Pick<Deps, 'logGroups' | 'telemetry' | 'alarms' | 'usage' | 'budgets'>
  readonly counts: () => { readonly budgets: number }
  /** From now on logs are read, alarms looked at, old metrics rolled up. */
  start(): void
  close(): Promise<void>
}

export function createObservability(
  part: PartDeps,
  gateway: { readonly host: string; readonly port: number }
): Observability {
  const { options, storage, scope, metrics, invoker, log, now } = part
  const { config } = options
  const { db, box, telemetry } = storage
  const { functions } = storage.repositories
  const exclusively = <T>(work: () => T): T => functions.exclusively(work)
  const nowMs = (): number => now().getTime()
  const targets = createTargets({ invoker, networks: config.webhookNetworks ?? [], now })

  const definitions = createLogGroupsRepository(db)
  const reader = createLogReader(path.resolve(storage.layout.logs), {
    cuts: (group) => definitions.listRemovals(group)
  })
  const usage = {
    source: createUsageSource({
      host: toReach(gateway.host),
      port: gateway.port,
      internalToken: storage.internalToken
    }),
    prices: config.prices ?? AWS_PRICES,
    tagsOf: prepareFunctionTags(db)
  }
  const budgetsRepository = createBudgetsRepository(db, box)
  const budgets = startBudgets({
    ...usage,
    repository: budgetsRepository,
    invoker,
    targets,
    scope,
    now,
    onResult({ budget, id }, result, error) {
      if (result !== 'delivered') log('warn', { budget, alert: id, result, error }, 'alert of a budget')
    },
    onError(err, message) {
      log('warn', { err }, message)
    }
  })
  const alarms = createAlarms({
    repository: createAlarmsRepository(db, box),
    metrics: telemetry.metrics,
    invoker,
    scope,
    now,
    exclusively,
    targets,
    onResult({ alarm, target, kind, id }, result, error) {
      const level = result === 'delivered' ? 'info' : 'warn'
      log(level, { alarm, kind, target: target.startsWith('arn:') ? target : 'webhook', id, result, error }, 'alarm')
    },
    onError(err, message, alarm) {
      log('error', { err, alarm }, message)
    }
  })
  let stopPipeline: (() => Promise<void>) | undefined
  let stopTidying: (() => void) | undefined
  let stopForgetting: (() => Promise<void>) | undefined

  return {
    deps: {
      logGroups: createLogGroups({ repository: definitions, reader, invoker, scope, now: nowMs, exclusively }),
      telemetry,
      alarms,
      usage: { ...usage, now },
      budgets
    },
    counts: () => ({ budgets: budgetsRepository.count() }),
    start() {
      stopPipeline = startLogPipeline({
        scope,
        reader,
        telemetry,
        definitions,
        invoker,
        groupOf: (name) => functions.find(name, LATEST)?.logging.logGroup,
        exports: config.logExport ?? { loki: undefined, otlp: undefined },
        registry: metrics.registry,
        log: (level, message, fields) => {
          log(level, fields, message)
        },
        now: nowMs
      })
      stopForgetting = forgetRemovalsOften({ repository: definitions, reader, now: nowMs }, (err) => {
        log('error', { err }, 'what was removed of log groups cannot be forgotten')
      })
      alarms.start()
      stopTidying = tidyOften(telemetry, (err) => {
        log('error', { err }, 'old metrics could not be rolled up')
      })
    },
    async close() {
      await stopPipeline?.()
      await stopForgetting?.()
      stopTidying?.()
      await alarms.close()
      await budgets.close()
    }
  }
}
