import type { ArnScope } from '@hearth/shared'
import type { AlarmSending, AlarmsRepository, MetricStore } from '@hearth/store'
import type { OutboxDeps } from '../outbox/outbox.ts'
import type { Targets } from '../outbox/to-target.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import { createAlarmOutbox } from './alarm-outbox.ts'
import { type AlarmService, createAlarmService } from './alarm-service.ts'
import { createEvaluator, type Evaluator } from './evaluator.ts'
import { createStateChanges } from './state-changes.ts'

export interface AlarmsDeps {
  readonly repository: AlarmsRepository
  readonly metrics: Pick<MetricStore, 'points' | 'list'>
  readonly invoker: ServiceInvoker
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  readonly targets: Targets
  /** What becomes of an action. */
  readonly onResult: OutboxDeps<AlarmSending>['onResult']
  readonly onError: (err: unknown, message: string, alarm?: string) => void
}

/** Alarms with all that runs because of them. */
export interface Alarms {
  readonly service: AlarmService
  readonly evaluator: Evaluator
  readonly now: () => Date
  /** Sends one message now, past the outbox. @returns what went wrong */
  sendNow(sending: AlarmSending): Promise<string | undefined>
  /** From now on alarms are looked at, and what is in the outbox is sent. */
  start(): void
  close(): Promise<void>
}

const PRUNE_MS = 3_600_000
const HISTORY_KEPT_MS = 30 * 86_400_000
const PRUNED = 1_000

export function createAlarms(deps: AlarmsDeps): Alarms {
  const { repository, metrics, invoker, scope, now, exclusively, targets, onResult, onError } = deps
  const outbox = createAlarmOutbox({
    repository,
    invoker,
    targets,
    scope,
    now,
    onResult,
    onError: (err) => {
      onError(err, 'what an alarm has to say could not be sent')
    }
  })
  const changeState = createStateChanges({
    repository,
    scope,
    onSendings: () => {
      outbox.wake()
    }
  })
  const evaluator = createEvaluator({
    repository,
    metrics,
    changeState,
    scope,
    now,
    onError: (err, alarm) => {
      onError(err, 'an alarm could not be evaluated', alarm)
    }
  })
  const service = createAlarmService({
    repository,
    scope,
    now,
    exclusively,
    changeState,
    checkWebhook: (url) => {
      targets.checkWebhook(url)
    },
    onPut: (name) => {
      evaluator.soon(name)
    },
    onChange: (name) => {
      evaluator.changed(name)
    }
  })
  let pruning: NodeJS.Timeout | undefined
  return {
    service,
    evaluator,
    now,
    sendNow: (sending) => outbox.sendNow(sending),
    start() {
      evaluator.start()
      outbox.wake()
      pruning = setInterval(() => {
        try {
          repository.pruneHistory(now().getTime() - HISTORY_KEPT_MS, PRUNED)
        } catch (err) {
          onError(err, 'old history of alarms could not be removed')
        }
      }, PRUNE_MS)
      pruning.unref()
    },
    async close() {
      clearInterval(pruning)
      evaluator.stop()
      await outbox.close()
    }
  }
}
