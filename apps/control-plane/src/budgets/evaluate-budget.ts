import { randomUUID } from 'node:crypto'
import { type Budget, type BudgetAlert, toGbSeconds, totalOf } from '@hearth/shared'
import { dayText, type UsageGroup } from '../usage/usage-report.ts'

/** The service that calls functions for budgets. */
export const BUDGET_SERVICE = 'budgets.amazonaws.com'

/** As AWS names budgets: they are of no region. */
export function budgetArn(accountId: string, name: string): string {
  return `arn:aws:budgets::${accountId}:budget/${name}`
}

/** Days since 1970-01-01, UTC. */
export interface BudgetPeriod {
  readonly from: number
  readonly to: number
}

/**
 * What counts towards a budget.
 *
 * @param groups - Use by function in the period
 * @param hasTag - Whether the function has this tag now
 */
export function actualOf(
  { unit, scope }: Pick<Budget, 'unit' | 'scope'>,
  groups: readonly UsageGroup[],
  hasTag: (functionName: string, key: string, value: string) => boolean
): number {
  let sum = 0
  for (const { key: functionName = '', usage, bill } of groups) {
    if (scope.kind === 'function' && scope.functionName !== functionName) continue
    if (scope.kind === 'tag' && !hasTag(functionName, scope.key, scope.value)) continue
    if (unit === 'requests') sum += usage.requests
    else if (unit === 'gbSeconds') sum += toGbSeconds(usage.durationMsMiB + usage.provisionedDurationMsMiB)
    else sum += totalOf(bill)
  }
  return sum
}

/** An alert for each threshold that is reached. @param now - Unix time in ms */
export function alertsOf(
  budget: Budget,
  actual: number,
  period: BudgetPeriod,
  currency: string,
  accountId: string,
  now: number
): readonly BudgetAlert[] {
  const { name, amount, unit, scope, thresholds, target } = budget
  return thresholds
    .filter((threshold) => actual >= (amount * threshold) / 100)
    .map((threshold) => {
      const id = randomUUID()
      const body = {
        id,
        source: 'hearth.budgets',
        type: 'budget.threshold',
        time: new Date(now).toISOString(),
        budget: name,
        budgetArn: budgetArn(accountId, name),
        period: { kind: budget.period, from: dayText(period.from), to: dayText(period.to) },
        scope,
        threshold,
        amount,
        actual: Number(actual.toFixed(9)),
        unit,
        ...(unit === 'price' ? { currency } : {})
      }
      return {
        id,
        budget: name,
        period: period.from,
        threshold,
        target,
        body: JSON.stringify(body),
        state: 'waiting',
        createdAt: now,
        dueAt: now,
        attempts: 0,
        error: ''
      }
    })
}
