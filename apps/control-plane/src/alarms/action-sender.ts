import { type ArnScope, type SendWebhook, WebhookError, webhookKey } from '@hearth/shared'
import type { AlarmSending, AlarmsRepository } from '@hearth/store'
import type { ServiceInvoker } from '../service-invoker.ts'
import { actionItem } from './history-items.ts'
import { ALARM_SERVICE, alarmArn } from './model.ts'

export interface ActionSenderDeps {
  readonly repository: Pick<
    AlarmsRepository,
    'dueSendings' | 'nextSendingAt' | 'retrySending' | 'endSending' | 'secretOf'
  >
  readonly invoker: ServiceInvoker
  readonly postWebhook: SendWebhook
  readonly scope: ArnScope
  readonly now: () => Date
  /** What becomes of actions. */
  readonly onResult: (sending: AlarmSending, result: 'delivered' | 'retried' | 'failed', error: string) => void
  readonly onError: (err: unknown) => void
}

/** Sends what alarms have to say. */
export interface ActionSender {
  /** There may be something to send. */
  wake(): void
  /** Sends one message now, past the outbox. @returns what went wrong */
  sendNow(sending: AlarmSending): Promise<string | undefined>
  /** Breaks off what is under way, which is sent again after the next start. */
  close(): Promise<void>
}

/** On their way at once. */
const AT_ONCE = 16
/** Looked at together: those to targets that are busy are among them. */
const LOOKED_AT = 200
const BACKOFF_MS = { first: 1_000, most: 300_000 }
/** Until what cannot be sent is given up. */
const GIVE_UP_MS = 86_400_000
const MAX_TIMER_MS = 3_600_000
const DISK_RETRY_MS = 1_000

/** Why something did not arrive. */
class Failure extends Error {
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean) {
    super(message)
    this.isFinal = isFinal
  }
}

/**
 * Sends what is in the outbox, one message to a target at a time, until each has arrived or a day has passed. A message
 * goes from the outbox when it has arrived: whatever ends this process before is sent again, with the same id.
 */
export function createActionSender(deps: ActionSenderDeps): ActionSender {
  const { repository, invoker, postWebhook, scope, now, onResult, onError } = deps
  const busy = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let isPlanned = false

  function pump(): void {
    isPlanned = false
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    try {
      const at = now().getTime()
      for (const sending of repository.dueSendings(at, LOOKED_AT)) {
        if (busy.size >= AT_ONCE) break
        const lane = laneOf(sending)
        if (busy.has(lane)) continue
        const done = send(sending).finally(() => {
          busy.delete(lane)
          wake()
        })
        busy.set(lane, done)
      }
      const next = repository.nextSendingAt()
      if (next !== undefined && busy.size === 0) plan(next - at)
    } catch (err) {
      onError(err)
      plan(DISK_RETRY_MS)
    }
  }

  function plan(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(pump, Math.min(Math.max(delayMs, 1), MAX_TIMER_MS))
    timer.unref()
  }

  function wake(): void {
    if (isPlanned) return
    isPlanned = true
    setImmediate(pump)
  }

  async function send(sending: AlarmSending): Promise<void> {
    let failure: Failure | undefined
    try {
      await deliver(sending)
    } catch (err) {
      failure = failureOf(err)
    }
    // What was broken off is sent again by the next who opens the outbox.
    if (stopping.signal.aborted && failure !== undefined) return
    for (;;) {
      try {
        settle(sending, failure)
        return
      } catch (err) {
        onError(err)
        if (stopping.signal.aborted) return
        await new Promise((resolve) => setTimeout(resolve, DISK_RETRY_MS).unref())
      }
    }
  }

  function settle(sending: AlarmSending, failure: Failure | undefined): void {
    const { id, attempts, createdAt, kind } = sending
    const at = now().getTime()
    const item = (error?: string) => (kind === 'action' ? actionItem(sending, at, error) : undefined)
    if (failure === undefined) {
      repository.endSending(id, item())
      onResult(sending, 'delivered', '')
      return
    }
    const dueAt = at + Math.min(BACKOFF_MS.first * 2 ** Math.min(attempts, 20), BACKOFF_MS.most)
    if (failure.isFinal || dueAt > createdAt + GIVE_UP_MS) {
      repository.endSending(id, item(failure.message))
      onResult(sending, 'failed', failure.message)
      return
    }
    repository.retrySending(sending, dueAt)
    onResult(sending, 'retried', failure.message)
  }

  async function deliver({ id, alarm, kind, target, body }: AlarmSending): Promise<void> {
    if (kind === 'event') {
      const event = JSON.parse(body) as { readonly resources: readonly string[]; readonly detail: object }
      await invoker.putEvent({ id, source: 'aws.cloudwatch', detailType: 'CloudWatch Alarm State Change', ...event })
      return
    }
    if (target.startsWith('arn:')) {
      const answer = await invoker.invoke({
        eventId: id,
        functionArn: target,
        service: ALARM_SERVICE,
        sourceArn: alarmArn(scope, alarm),
        payload: body
      })
      if (answer.status === 'refused') throw new Failure(answer.message, true)
      return
    }
    const secret = repository.secretOf(alarm, target)
    const key = secret === undefined ? undefined : webhookKey(secret)
    if (key === undefined) throw new Failure('the webhook is not an action of the alarm any more', true)
    await postWebhook({ url: target, id, body: Buffer.from(body), key }, stopping.signal)
  }

  function failureOf(err: unknown): Failure {
    if (err instanceof Failure) return err
    if (err instanceof WebhookError) return new Failure(err.message, err.isFinal)
    onError(err)
    return new Failure('it could not be sent now', false)
  }

  return {
    wake,
    async sendNow(sending) {
      try {
        await deliver(sending)
        return undefined
      } catch (err) {
        return failureOf(err).message
      }
    },
    async close() {
      clearTimeout(timer)
      stopping.abort()
      await Promise.all(busy.values())
    }
  }
}

/** Messages of one lane go one after the other. Events of different alarms do not wait for each other. */
function laneOf({ kind, target, alarm }: AlarmSending): string {
  return kind === 'event' ? `event ${alarm}` : target
}
