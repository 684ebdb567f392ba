import { type ArnScope, apiGatewayArn, DAY_MS, dayOf, HearthError, periodStart, type UsagePlan } from '@hearth/shared'
import type { UsageDay } from '@hearth/store'
import { queryMember } from '../../invoke.ts'
import { respond } from '../../respond.ts'
import type { ServerRoute } from '../../server-routes.ts'
import type { KeyTable } from './key-table.ts'
import type { UsageMeter } from './usage-meter.ts'

export interface UsageRoute {
  readonly method: 'GET'
  readonly url: string
  /** What a caller must be allowed, on the plan's ARN. */
  readonly action: string
  readonly arnOf: (name: string) => string
  readonly route: ServerRoute
}

export interface UsageRoutesOptions {
  readonly keys: KeyTable
  readonly meter: UsageMeter
  readonly scope: ArnScope
  /** Unix time in ms. */
  readonly now: () => number
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
/** As on AWS. */
const MOST_DAYS = 92
const DEFAULT_DAYS = 30

/** `GET /v1/usage-plans/{name}/usage`: what each key did, day by day, and what is left of its quota. */
export function usageRoutes({ keys, meter, scope, now }: UsageRoutesOptions): readonly UsageRoute[] {
  const planOf = (name: string): UsagePlan | undefined => keys.findPlan(name)
  return [
    {
      method: 'GET',
      url: '/v1/usage-plans/:name/usage',
      action: 'apigateway:GET',
      arnOf: (name) => apiGatewayArn(scope, `/usageplans/${planOf(name)?.id ?? name.slice(0, 64)}/usage`),
      async route(req, res, name) {
        const plan = planOf(name)
        if (plan === undefined) throw new HearthError('RESOURCE_NOT_FOUND', 'There is no such usage plan.')
        const today = dayOf(now())
        const to = readDay(req.url!, 'to') ?? today
        const from = readDay(req.url!, 'from') ?? to - DEFAULT_DAYS + 1
        if (from > to || to - from >= MOST_DAYS) {
          throw wrong('from', `the day of to or one before it, at most ${MOST_DAYS} days in all`)
        }
        // The period of the last day counts from its beginning.
        const first = plan.quota === undefined ? today : periodStart(today, plan.quota.period)
        const days = await meter.list(plan.id, Math.min(from, first), Math.max(to, today))
        const body = {
          plan: plan.name,
          from: dayText(from),
          to: dayText(to),
          quota: plan.quota ?? null,
          items: itemsOf(plan, keys.keysOf(plan.id), days, from, to, first)
        }
        respond(res, 200, ['content-type', 'application/json'], JSON.stringify(body))
      }
    }
  ]
}

/** Keys that belong to the plan, and those that did once and were used. */
function itemsOf(
  { quota }: UsagePlan,
  current: readonly string[],
  days: readonly UsageDay[],
  from: number,
  to: number,
  first: number
) {
  const ids = new Set([...current, ...days.filter(({ day }) => day >= from && day <= to).map(({ keyId }) => keyId)])
  return [...ids].sort().map((keyId) => {
    const own = days.filter((one) => one.keyId === keyId)
    const usedInPeriod = own.filter(({ day }) => day >= first).reduce((sum, { used }) => sum + used, 0)
    return {
      keyId,
      used: own.filter(({ day }) => day >= from && day <= to).map(({ day, used }) => ({ day: dayText(day), used })),
      remaining: quota === undefined ? null : Math.max(0, quota.limit - usedInPeriod)
    }
  })
}

function readDay(url: string, name: string): number | undefined {
  const text = queryMember(url, name)
  if (text === undefined) return undefined
  const at = DAY.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw wrong(name, 'a day such as 2026-01-31')
  return dayOf(at)
}

function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function wrong(name: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `${name}: ${message}`, { errors: [{ path: `query.${name}`, message }] })
}
