// When budgets tell, and how often: over periods, failures and restarts.
import path from 'node:path'
import { type Budgets, startBudgets } from '@hearth/control-plane/internal/budgets/budgets'
import { createTargets } from '@hearth/control-plane/internal/outbox/to-target'
import type { ServiceInvocation } from '@hearth/control-plane/internal/service-invoker'
import { AWS_PRICES, DAY_MS, dayOf, type FunctionUsageDay, noUsage } from '@hearth/shared'
import { createBudgetsRepository, createSecretBox, openStore } from '@hearth/store'
import t from 'tap'

const scope = { region: 'us-east-1', accountId: '000000000000' }
const target = 'arn:aws:lambda:us-east-1:000000000000:function:told'
const at = (day: string): number => Date.parse(`${day}T12:00:00Z`)
const used = (day: string, functionName: string, requests: number): FunctionUsageDay => ({
  day: dayOf(at(day)),
  functionName,
  role: '',
  architecture: 'x86_64',
  usage: { ...noUsage(), requests, durationMsMiB: requests * 1_024_000 }
})

t.test('each threshold once in a period, however often it is looked at and whatever fails', async (t) => {
  const db = openStore(path.join(t.testdir(), 'hearth.db'), path.resolve('migrations'))
  t.teardown(() => db.close())
  const repository = createBudgetsRepository(db, createSecretBox(Buffer.alloc(32, 7)))
  let now = at('2026-03-10')
  const days: FunctionUsageDay[] = [
    used('2026-02-27', 'a', 1_000),
    used('2026-03-09', 'a', 70),
    used('2026-03-10', 'b', 20)
  ]
  const told: ServiceInvocation[] = []
  let failures = 0
  let isRefused = false
  let isDown = false
  const start = (): Budgets =>
    startBudgets({
      repository,
      source: {
        async *read(from, to) {
          if (isDown) throw new Error('down')
          yield* days.filter(({ day }) => day >= from && day <= to)
        }
      },
      prices: AWS_PRICES,
      tagsOf: (name) => (name === 'b' ? { team: 'x' } : undefined),
      invoker: { check: async () => ({ status: 'accepted' }) },
      targets: createTargets({
        invoker: {
          async invoke(invocation) {
            told.push(invocation)
            if (failures-- > 0) throw new Error('not now')
            return isRefused
              ? { status: 'refused', code: 'FUNCTION_NOT_FOUND', message: 'gone' }
              : { status: 'accepted' }
          }
        },
        networks: [],
        now: () => new Date(now)
      }),
      scope,
      now: () => new Date(now),
      onResult: () => undefined,
      onError: () => undefined,
      intervalMs: 1_000_000
    })
  let budgets = start()
  t.teardown(() => budgets.close())
  const wish = { unit: 'requests' as const, thresholds: [50, 90, 100], target, secret: undefined }
  const put = (name: string, change: Partial<Parameters<Budgets['put']>[1]>) =>
    budgets.put(name, { ...wish, amount: 100, period: 'MONTH', scope: { kind: 'all' }, ...change })
  await put('all', {})
  await put('of-a', { scope: { kind: 'function', functionName: 'a' } })
  await put('tagged', { scope: { kind: 'tag', key: 'team', value: 'x' }, amount: 40 })
  await put('day', { period: 'DAY', amount: 10 })
  await put('money', { unit: 'price', amount: 0.000_01 })
  await put('seconds', { unit: 'gbSeconds', amount: 90 })
  const summary = () =>
    told.map(({ payload }) => {
      const { budget, threshold, period } = JSON.parse(payload) as {
        budget: string
        threshold: number
        period: { from: string }
      }
      return `${budget} ${threshold} ${period.from}`
    })
  // A look, and what is sent of it.
  const look = async (): Promise<string[]> => {
    await budgets.evaluate()
    await new Promise((resolve) => setImmediate(resolve))
    const all = summary().sort()
    told.length = 0
    return all
  }
  t.strictSame(await look(), [
    'all 50 2026-03-01',
    'all 90 2026-03-01',
    'day 100 2026-03-10',
    'day 50 2026-03-10',
    'day 90 2026-03-10',
    'of-a 50 2026-03-01',
    'seconds 100 2026-03-01',
    'seconds 50 2026-03-01',
    'seconds 90 2026-03-01',
    'tagged 50 2026-03-01'
  ])
  t.match(budgets.statusOf(budgets.get('all')), { actual: { value: 90 }, alerts: [{ state: 'delivered' }, {}] })
  t.equal(budgets.statusOf(budgets.get('money')).actual?.value, 0, 'all of it is free')
  t.strictSame(await look(), [])
  await budgets.close()
  budgets = start()
  t.strictSame(await look(), [], 'nor after a new start')

  failures = 1
  days.push(used('2026-03-10', 'a', 10))
  t.strictSame(await look(), ['all 100 2026-03-01'])
  const [failed] = repository.alertsOf('all', dayOf(at('2026-03-01'))).slice(-1)
  t.match(failed, { state: 'waiting', attempts: 1, error: 'the gateway could not take it' })
  await budgets.close()
  now += 2_000
  budgets = start()
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(
    told.map(({ eventId, service, sourceArn }) => ({ eventId, service, sourceArn })),
    [{ eventId: failed!.id, service: 'budgets.amazonaws.com', sourceArn: 'arn:aws:budgets::000000000000:budget/all' }]
  )
  told.length = 0

  isDown = true
  t.strictSame(await look(), [], 'who counts does not answer')
  isDown = false
  isRefused = true
  now += DAY_MS
  days.push(used('2026-03-11', 'b', 6))
  t.strictSame(await look(), ['day 50 2026-03-11'], 'a day later')
  t.match(budgets.statusOf(budgets.get('day')), { alerts: [{ state: 'failed', error: 'gone' }] })
  now = at('2026-04-02')
  days.push(used('2026-04-02', 'a', 55))
  t.strictSame(
    await look(),
    [
      'all 50 2026-04-01',
      'day 100 2026-04-02',
      'day 50 2026-04-02',
      'day 90 2026-04-02',
      'of-a 50 2026-04-01',
      'seconds 50 2026-04-01'
    ],
    'a month later'
  )
})
