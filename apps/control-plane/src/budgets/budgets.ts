import { randomBytes } from 'node:crypto'
import {
  type ArnScope,
  type Budget,
  type BudgetAlert,
  type BudgetSettings,
  dayOf,
  HearthError,
  type PriceTable,
  parseFunctionRef,
  periodStart
} from '@hearth/shared'
import type { BudgetsRepository, FunctionTagsLookup } from '@hearth/store'
import type { OutboxDeps } from '../outbox/outbox.ts'
import type { Targets } from '../outbox/to-target.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import { reportUsage, type UsageGroup } from '../usage/usage-report.ts'
import type { UsageSource } from '../usage/usage-source.ts'
import { createAlertOutbox } from './alert-outbox.ts'
import { actualOf, alertsOf, BUDGET_SERVICE, budgetArn } from './evaluate-budget.ts'

export interface BudgetsDeps {
  readonly repository: BudgetsRepository
  readonly source: UsageSource
  readonly prices: PriceTable
  readonly tagsOf: FunctionTagsLookup
  readonly invoker: Pick<ServiceInvoker, 'check'>
  readonly targets: Targets
  readonly scope: ArnScope
  readonly now: () => Date
  /** What becomes of an alert. */
  readonly onResult: OutboxDeps<BudgetAlert>['onResult']
  readonly onError: (err: unknown, message: string) => void
  /** How often budgets are looked at, in ms. */
  readonly intervalMs?: number
}

/** What a caller says; the secret of a webhook stays or is made where it says none. */
export interface BudgetWish extends BudgetSettings {
  readonly secret: string | undefined
}

export interface BudgetStatus {
  /** What has been used of it, as last looked at. */
  readonly actual: { readonly value: number; readonly at: number } | undefined
  /** Of the period now. */
  readonly alerts: readonly BudgetAlert[]
}

/** Budgets by their names; looked at once a minute. */
export interface Budgets {
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(name: string): Budget
  /** @throws HearthError INVALID_REQUEST, LIMIT_EXCEEDED, GATEWAY_UNAVAILABLE; nothing is changed then */
  put(
    name: string,
    wish: BudgetWish
  ): Promise<{ readonly budget: Budget; readonly created: boolean; readonly newSecret: boolean }>
  /** @throws HearthError RESOURCE_NOT_FOUND */
  remove(name: string): void
  list(after: string, limit: number): readonly Budget[]
  statusOf(budget: Budget): BudgetStatus
  /** Looks at all of them now. Never throws. */
  evaluate(): Promise<void>
  close(): Promise<void>
}

const INTERVAL_MS = 60_000
const MAX_BUDGETS = 100
const SECRET_BYTES = 32
/** Alerts are shown no longer than this. */
const KEPT_DAYS = 400

export function startBudgets(deps: BudgetsDeps): Budgets {
  const { repository, targets, scope, now, onResult, onError } = deps
  const outbox = createAlertOutbox({
    repository,
    targets,
    accountId: scope.accountId,
    now,
    onResult,
    onError: (err) => {
      onError(err, 'an alert of a budget could not be sent')
    }
  })
  const actuals = new Map<string, { readonly value: number; readonly at: number; readonly period: number }>()
  let underWay: Promise<void> | undefined

  const get = (name: string): Budget => {
    const budget = repository.find(name)
    if (budget === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `There is no budget ${name}.`)
    return budget
  }

  const today = (): number => dayOf(now().getTime())

  /** Evaluates each, with use that is read once per kind of period. */
  async function lookAtAll(): Promise<void> {
    const budgets = repository.list('', MAX_BUDGETS)
    if (budgets.length === 0) return
    const day = today()
    const groupOf = ({ functionName }: { readonly functionName: string }) => functionName
    const used = new Map<Budget['period'], readonly UsageGroup[]>()
    for (const { period } of budgets) {
      if (used.has(period)) continue
      const query = { from: periodStart(day, period), to: day, groupOf }
      used.set(period, (await reportUsage(deps.source, deps.prices, query)).groups)
    }
    const hasTag = (functionName: string, key: string, value: string): boolean => {
      const tags = deps.tagsOf(functionName)
      return tags !== undefined && Object.hasOwn(tags, key) && tags[key] === value
    }
    const at = now().getTime()
    const alerts = budgets.flatMap((budget) => {
      const period = { from: periodStart(day, budget.period), to: day }
      const value = actualOf(budget, used.get(budget.period)!, hasTag)
      actuals.set(budget.name, { value, at, period: period.from })
      return alertsOf(budget, value, period, deps.prices.currency, scope.accountId, at)
    })
    if (alerts.length > 0 && repository.fire(alerts) > 0) outbox.wake()
    repository.prune(day - KEPT_DAYS)
  }

  const onLookFailed = (err: unknown): void => {
    onError(err, 'budgets could not be looked at')
  }

  /** One at a time; who asks while one is under way gets another one after it. */
  function evaluate(): Promise<void> {
    const mine = (underWay ?? Promise.resolve()).then(() => lookAtAll().catch(onLookFailed))
    underWay = mine
    return mine.then(() => {
      if (underWay === mine) underWay = undefined
    })
  }

  async function checkTarget(name: string, target: string): Promise<void> {
    if (!target.startsWith('arn:')) {
      targets.checkWebhook(target)
      return
    }
    // What is no function of this server is told so in the words of all who name one.
    parseFunctionRef(scope, target)
    const wish = { functionArn: target, service: BUDGET_SERVICE, sourceArn: budgetArn(scope.accountId, name) }
    const answer = await deps.invoker.check(wish).catch((cause: unknown) => {
      throw new HearthError('GATEWAY_UNAVAILABLE', 'The gateway cannot say now whether the function may be called.', {
        cause
      })
    })
    if (answer.status === 'accepted') return
    throw new HearthError('INVALID_REQUEST', `action.function: ${answer.message}`, {
      errors: [{ path: 'body.action.function', message: answer.message }]
    })
  }

  const timer = setInterval(() => {
    if (underWay === undefined) void evaluate()
  }, deps.intervalMs ?? INTERVAL_MS)
  timer.unref()
  // What an earlier process had to say.
  outbox.wake()

  return {
    get,
    async put(name, wish) {
      await checkTarget(name, wish.target)
      const before = repository.find(name)
      if (before === undefined && repository.count() >= MAX_BUDGETS) {
        throw new HearthError('LIMIT_EXCEEDED', `There may be ${MAX_BUDGETS} budgets.`)
      }
      const at = now().getTime()
      const isWebhook = !wish.target.startsWith('arn:')
      const kept = before?.target === wish.target ? before.secret : undefined
      const secret = isWebhook ? (wish.secret ?? kept ?? newSecret()) : undefined
      const budget: Budget = { ...wish, name, secret, createdAt: before?.createdAt ?? at, modifiedAt: at }
      repository.put(budget)
      actuals.delete(name)
      void evaluate()
      const isNew = secret !== undefined && secret !== before?.secret
      return { budget, created: before === undefined, newSecret: isNew }
    },
    remove(name) {
      if (!repository.remove(name)) get(name)
      actuals.delete(name)
    },
    list: (after, limit) => repository.list(after, limit),
    statusOf({ name, period }) {
      const from = periodStart(today(), period)
      const actual = actuals.get(name)
      return { actual: actual?.period === from ? actual : undefined, alerts: repository.alertsOf(name, from) }
    },
    evaluate,
    async close() {
      clearInterval(timer)
      await underWay
      await outbox.close()
    }
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
}
