import { type BudgetAlert, type SendWebhook, WebhookError, webhookKey } from '@hearth/shared'
import type { BudgetsRepository } from '@hearth/store'
import type { ServiceInvoker } from '../service-invoker.ts'
import { BUDGET_SERVICE, budgetArn } from './evaluate-budget.ts'

export interface AlertSenderDeps {
  readonly repository: Pick<BudgetsRepository, 'find' | 'due' | 'nextDueAt' | 'endAlert' | 'retryAlert'>
  readonly invoker: Pick<ServiceInvoker, 'invoke'>
  readonly postWebhook: SendWebhook
  readonly accountId: string
  /** Unix time in ms. */
  readonly now: () => number
  readonly onError: (err: unknown, alert: BudgetAlert | undefined) => void
}

/** Sends alerts that wait, until each has arrived or a day has passed. */
export interface AlertSender {
  /** There may be something to send. */
  wake(): void
  /** Breaks off what is under way, which is sent again after the next start. */
  close(): Promise<void>
}

const AT_ONCE = 20
const BACKOFF_MS = { first: 1_000, most: 300_000 }
const GIVE_UP_MS = 86_400_000
const MAX_TIMER_MS = 3_600_000
const DISK_RETRY_MS = 1_000

/**
 * An alert is noted as delivered after it has arrived: what a crash comes between is sent again under the same id, by
 * which the queue, and receivers of webhooks, know it.
 */
export function createAlertSender(deps: AlertSenderDeps): AlertSender {
  const { repository, now } = deps
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> | undefined
  let isWoken = false

  function wake(): void {
    isWoken = true
    if (round !== undefined || stopping.signal.aborted) return
    round = sendAll().finally(() => {
      round = undefined
    })
  }

  async function sendAll(): Promise<void> {
    clearTimeout(timer)
    let waitMs: number | undefined
    try {
      while (isWoken && !stopping.signal.aborted) {
        isWoken = false
        const due = repository.due(now(), AT_ONCE)
        await Promise.all(due.map(send))
        if (due.length === AT_ONCE) isWoken = true
      }
      const next = repository.nextDueAt()
      waitMs = next === undefined ? undefined : next - now()
    } catch (err) {
      deps.onError(err, undefined)
      waitMs = DISK_RETRY_MS
    }
    if (waitMs === undefined || stopping.signal.aborted) return
    timer = setTimeout(wake, Math.min(Math.max(waitMs, 1), MAX_TIMER_MS))
    timer.unref()
  }

  async function send(alert: BudgetAlert): Promise<void> {
    try {
      const refusal = await deliver(alert)
      repository.endAlert(alert.id, refusal === undefined ? 'delivered' : 'failed', refusal ?? '')
    } catch (err) {
      if (stopping.signal.aborted) return
      const isFinal = err instanceof WebhookError && err.isFinal
      const problem = err instanceof WebhookError ? err.message : 'the gateway could not take it'
      const dueAt = now() + Math.min(BACKOFF_MS.first * 2 ** Math.min(alert.attempts, 20), BACKOFF_MS.most)
      if (isFinal || dueAt > alert.createdAt + GIVE_UP_MS) repository.endAlert(alert.id, 'failed', problem)
      else repository.retryAlert(alert.id, dueAt, problem)
      deps.onError(err, alert)
    }
  }

  /** @returns why it is for nobody. @throws WebhookError or Error: it is to be tried again */
  async function deliver({ id, budget, target, body }: BudgetAlert): Promise<string | undefined> {
    if (target.startsWith('arn:')) {
      const sourceArn = budgetArn(deps.accountId, budget)
      const wish = { eventId: id, functionArn: target, service: BUDGET_SERVICE, sourceArn, payload: body }
      const answer = await deps.invoker.invoke(wish)
      return answer.status === 'refused' ? answer.message : undefined
    }
    const current = repository.find(budget)
    const key = current?.target === target && current.secret !== undefined ? webhookKey(current.secret) : undefined
    if (key === undefined) return 'the webhook is not the budget’s any more'
    await deps.postWebhook({ url: target, id, body: Buffer.from(body), key }, stopping.signal)
    return undefined
  }

  return {
    wake,
    async close() {
      clearTimeout(timer)
      stopping.abort()
      await round
    }
  }
}
