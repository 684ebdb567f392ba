import type { ArnScope, Budget, BudgetScope } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Budgets } from '../budgets/budgets.ts'
import { budgetArn } from '../budgets/evaluate-budget.ts'
import { pageOf } from '../http/cursor.ts'
import { dayText } from '../usage/usage-report.ts'
import { BUDGET_NAME, BudgetBody, BudgetList, BudgetListQuery, BudgetParams, BudgetView } from './budget-schemas.ts'
import { parseBody } from './json-body.ts'

export interface BudgetRoutesOptions {
  readonly budgets: Budgets
  readonly scope: ArnScope
}

const tags = ['usage']
const PAGE = 50

/** Budgets, and what has been used of them. Mounted under `/v1/budgets`. */
export const budgetRoutes: FastifyPluginAsyncZod<BudgetRoutesOptions> = async (app, { budgets, scope }) => {
  const ask = (request: FastifyRequest, verb: string, name: string): void => {
    request.requireAccess({ action: `hearth:${verb}`, resource: budgetArn(scope.accountId, name) })
  }

  app.get(
    '/',
    {
      schema: {
        operationId: 'listBudgets',
        summary: 'List budgets by name',
        tags,
        querystring: BudgetListQuery,
        response: { 200: BudgetList }
      }
    },
    async (request) => {
      ask(request, 'ListBudgets', '*')
      const { limit = PAGE, cursor } = request.query
      return pageOf(
        { query: ['budgets'], cursor, limit, key: BUDGET_NAME },
        (after, most) => budgets.list(after, most),
        ({ name }) => name,
        (budget) => budgetView(budget, false)
      )
    }
  )

  app.put(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putBudget',
        summary: 'Make a budget, or say anew what it is',
        description:
          'Looked at once a minute, and at once when it is written. Each threshold is told of once in a period, to a function (its policy must let `budgets.amazonaws.com` in) or to a webhook.',
        tags,
        params: BudgetParams,
        body: BudgetBody,
        response: { 200: BudgetView.describe('Changed'), 201: BudgetView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      ask(request, 'PutBudget', name)
      const { amount, unit, period, scope: whose, thresholds, action } = request.body
      const { budget, created, newSecret } = await budgets.put(name, {
        amount,
        unit,
        period: period === 'day' ? 'DAY' : 'MONTH',
        scope: toScope(whose),
        thresholds: [...new Set(thresholds)].sort((a, b) => a - b),
        target: 'function' in action ? action.function : action.webhook.url,
        secret: 'function' in action ? undefined : action.webhook.secret
      })
      request.log.info({ budget: name, created }, 'budget written')
      void reply.code(created ? 201 : 200)
      return budgetView(budget, newSecret)
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getBudget',
        summary: 'Get a budget, and what has been used of it',
        tags,
        params: BudgetParams,
        response: { 200: BudgetView }
      }
    },
    async (request) => {
      ask(request, 'GetBudget', request.params.name)
      return budgetView(budgets.get(request.params.name), false)
    }
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteBudget',
        summary: 'Delete a budget, with alerts that were not sent yet',
        tags,
        params: BudgetParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      ask(request, 'DeleteBudget', request.params.name)
      budgets.remove(request.params.name)
      request.log.info({ budget: request.params.name }, 'budget deleted')
      return reply.code(204).send()
    }
  )

  function budgetView(budget: Budget, withSecret: boolean): z.infer<typeof BudgetView> {
    const { name, amount, unit, period, scope: whose, thresholds, target, secret, createdAt, modifiedAt } = budget
    const { actual, alerts } = budgets.statusOf(budget)
    return {
      name,
      arn: budgetArn(scope.accountId, name),
      amount,
      unit,
      period: period === 'DAY' ? 'day' : 'month',
      scope: fromScope(whose),
      thresholds: [...thresholds],
      action: target.startsWith('arn:')
        ? { function: target }
        : { webhook: { url: target, ...(withSecret && secret !== undefined ? { secret } : {}) } },
      actual:
        actual === undefined
          ? null
          : {
              value: Number(actual.value.toFixed(9)),
              percent: Number(((actual.value / amount) * 100).toFixed(3)),
              at: new Date(actual.at).toISOString()
            },
      alerts: alerts.map((alert) => ({
        id: alert.id,
        threshold: alert.threshold,
        period: dayText(alert.period),
        status: alert.state,
        at: new Date(alert.createdAt).toISOString(),
        attempts: alert.attempts,
        error: alert.error
      })),
      createdAt: new Date(createdAt).toISOString(),
      lastModified: new Date(modifiedAt).toISOString()
    }
  }
}

function toScope(scope: z.infer<typeof BudgetBody>['scope']): BudgetScope {
  if (scope === 'all') return { kind: 'all' }
  if ('function' in scope) return { kind: 'function', functionName: scope.function }
  return { kind: 'tag', key: scope.tag.key, value: scope.tag.value }
}

function fromScope(scope: BudgetScope): z.infer<typeof BudgetBody>['scope'] {
  if (scope.kind === 'all') return 'all'
  if (scope.kind === 'function') return { function: scope.functionName }
  return { tag: { key: scope.key, value: scope.value } }
}
