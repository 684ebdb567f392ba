import type { BudgetAlert } from '@hearth/shared'
import type { BudgetsRepository } from '@hearth/store'
import { createOutbox, type Outbox, type OutboxDeps } from '../outbox/outbox.ts'
import type { Targets } from '../outbox/to-target.ts'
import { BUDGET_SERVICE, budgetArn } from './evaluate-budget.ts'

export interface AlertOutboxDeps extends Pick<OutboxDeps<BudgetAlert>, 'now' | 'onResult' | 'onError'> {
  readonly repository: Pick<BudgetsRepository, 'find' | 'due' | 'nextDueAt' | 'endAlert' | 'retryAlert'>
  readonly targets: Pick<Targets, 'send'>
  readonly accountId: string
}

/** Alerts of budgets on their way; what became of each stays with its budget. */
export function createAlertOutbox(deps: AlertOutboxDeps): Outbox<BudgetAlert> {
  const { repository, targets, accountId } = deps
  return createOutbox<BudgetAlert>({
    ...deps,
    // They do not wait for each other: a budget has few in a period.
    laneOf: ({ id }) => id,
    store: {
      due: (at, limit) => repository.due(at, limit),
      nextDueAt: () => repository.nextDueAt(),
      end({ id }, problem) {
        repository.endAlert(id, problem === undefined ? 'delivered' : 'failed', problem ?? '')
      },
      retry({ id }, dueAt, problem) {
        repository.retryAlert(id, dueAt, problem)
      }
    },
    async deliver(alert, signal) {
      const { budget, target } = alert
      const secretOf = (): string | undefined => {
        const current = repository.find(budget)
        return current?.target === target ? current.secret : undefined
      }
      const sourceArn = budgetArn(accountId, budget)
      await targets.send(alert, { service: BUDGET_SERVICE, sourceArn, secretOf }, signal)
    }
  })
}
