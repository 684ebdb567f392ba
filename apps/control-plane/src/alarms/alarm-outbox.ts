import type { ArnScope } from '@hearth/shared'
import type { AlarmSending, AlarmsRepository } from '@hearth/store'
import { createOutbox, type Outbox, type OutboxDeps } from '../outbox/outbox.ts'
import type { Targets } from '../outbox/to-target.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import { actionItem } from './history-items.ts'
import { ALARM_SERVICE, alarmArn } from './model.ts'

export interface AlarmOutboxDeps extends Pick<OutboxDeps<AlarmSending>, 'now' | 'onResult' | 'onError'> {
  readonly repository: Pick<
    AlarmsRepository,
    'dueSendings' | 'nextSendingAt' | 'retrySending' | 'endSending' | 'secretOf'
  >
  readonly invoker: Pick<ServiceInvoker, 'putEvent'>
  readonly targets: Targets
  readonly scope: ArnScope
}

/** What alarms have to say: their actions, and events of the platform. What becomes of an action is in the history. */
export function createAlarmOutbox(deps: AlarmOutboxDeps): Outbox<AlarmSending> {
  const { repository, invoker, targets, scope, now } = deps
  return createOutbox<AlarmSending>({
    ...deps,
    laneOf,
    store: {
      due: (at, limit) => repository.dueSendings(at, limit),
      nextDueAt: () => repository.nextSendingAt(),
      end(sending, problem) {
        const item = sending.kind === 'action' ? actionItem(sending, now().getTime(), problem) : undefined
        repository.endSending(sending.id, item)
      },
      retry(sending, dueAt) {
        repository.retrySending(sending, dueAt)
      }
    },
    async deliver(sending, signal) {
      const { id, alarm, kind, target, body } = sending
      if (kind === 'event') {
        const event = JSON.parse(body) as { readonly resources: readonly string[]; readonly detail: object }
        await invoker.putEvent({ id, source: 'aws.cloudwatch', detailType: 'CloudWatch Alarm State Change', ...event })
        return
      }
      const sourceArn = alarmArn(scope, alarm)
      const secretOf = (): string | undefined => repository.secretOf(alarm, target)
      await targets.send(sending, { service: ALARM_SERVICE, sourceArn, secretOf }, signal)
    }
  })
}

/** One message to a target at a time. Events of different alarms do not wait for each other. */
function laneOf({ kind, target, alarm }: AlarmSending): string {
  return kind === 'event' ? `event ${alarm}` : target
}
