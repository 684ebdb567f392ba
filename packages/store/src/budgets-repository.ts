import type { Budget, BudgetAlert, BudgetSettings } from '@hearth/shared'
import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

/** Budgets and their alerts in SQLite. */
export interface BudgetsRepository {
  find(name: string): Budget | undefined
  put(budget: Budget): void
  /** With its alerts. @returns whether there was one */
  remove(name: string): boolean
  /** By name, those after `after`. */
  list(after: string, limit: number): readonly Budget[]
  count(): number
  /** All or nothing; of a threshold that was crossed in its period before nothing changes. @returns how many are new */
  fire(alerts: readonly BudgetAlert[]): number
  /** Of one period, by threshold. */
  alertsOf(budget: string, period: number): readonly BudgetAlert[]
  /** Those that wait and are due, the oldest first. @param now - Unix time in ms */
  due(now: number, limit: number): readonly BudgetAlert[]
  /** When the next one that waits is due. */
  nextDueAt(): number | undefined
  endAlert(id: string, state: 'delivered' | 'failed', error: string): void
  retryAlert(id: string, dueAt: number, error: string): void
  /** Forgets alerts of periods that began before. */
  prune(before: number): void
}

interface Row {
  name: string
  settings: string
  secret: Buffer | null
  created_at: number
  modified_at: number
}

const ALERT = `id, budget, period, threshold, target, body, state, created_at AS createdAt, due_at AS dueAt, attempts, error`

export function createBudgetsRepository(db: Db, box: SecretBox): BudgetsRepository {
  const find = db.prepare<[string], Row>('SELECT * FROM budgets WHERE name = ?')
  const list = db.prepare<[string, number], Row>('SELECT * FROM budgets WHERE name > ? ORDER BY name LIMIT ?')
  const count = db.prepare<[], number>('SELECT count(*) FROM budgets').pluck()
  const put = db.prepare<Row>(`INSERT INTO budgets (name, settings, secret, created_at, modified_at)
    VALUES (@name, @settings, @secret, @created_at, @modified_at)
    ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, secret = excluded.secret,
      modified_at = excluded.modified_at`)
  const remove = db.prepare<[string]>('DELETE FROM budgets WHERE name = ?')
  // A budget may be gone since it was looked at.
  const fire = db.prepare<BudgetAlert>(`
    INSERT INTO budget_alerts (id, budget, period, threshold, target, body, state, created_at, due_at, attempts, error)
    SELECT @id, @budget, @period, @threshold, @target, @body, @state, @createdAt, @dueAt, @attempts, @error
    WHERE EXISTS (SELECT 1 FROM budgets WHERE name = @budget)
    ON CONFLICT (budget, period, threshold) DO NOTHING`)
  const ofPeriod = db.prepare<[string, number], BudgetAlert>(
    `SELECT ${ALERT} FROM budget_alerts WHERE budget = ? AND period = ? ORDER BY threshold`
  )
  const due = db.prepare<[number, number], BudgetAlert>(
    `SELECT ${ALERT} FROM budget_alerts WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?`
  )
  const nextDue = db.prepare<[], number | null>(`SELECT min(due_at) FROM budget_alerts WHERE state = 'waiting'`).pluck()
  const end = db.prepare<[string, string, string]>(
    `UPDATE budget_alerts SET state = ?, error = ? WHERE id = ? AND state = 'waiting'`
  )
  const retry = db.prepare<[number, string, string]>(
    `UPDATE budget_alerts SET due_at = ?, error = ?, attempts = attempts + 1 WHERE id = ? AND state = 'waiting'`
  )
  const prune = db.prepare<[number]>(`DELETE FROM budget_alerts WHERE period < ? AND state <> 'waiting'`)
  const fireAll = db.transaction((alerts: readonly BudgetAlert[]) =>
    alerts.reduce((sum, alert) => sum + fire.run(alert).changes, 0)
  )

  const toBudget = ({ name, settings, secret, created_at, modified_at }: Row): Budget => ({
    name,
    ...(JSON.parse(settings) as BudgetSettings),
    secret: secret === null ? undefined : box.open(secret, budgetRecord(name)),
    createdAt: created_at,
    modifiedAt: modified_at
  })

  return {
    find(name) {
      const row = find.get(name)
      return row && toBudget(row)
    },
    put({ name, secret, createdAt, modifiedAt, ...settings }) {
      put.run({
        name,
        settings: JSON.stringify(settings),
        secret: secret === undefined ? null : box.seal(secret, budgetRecord(name)),
        created_at: createdAt,
        modified_at: modifiedAt
      })
    },
    remove: (name) => remove.run(name).changes > 0,
    list: (after, limit) => list.all(after, limit).map(toBudget),
    count: () => count.get()!,
    fire: (alerts) => fireAll.immediate(alerts),
    alertsOf: (budget, period) => ofPeriod.all(budget, period),
    due: (now, limit) => due.all(now, limit),
    nextDueAt: () => nextDue.get() ?? undefined,
    endAlert: (id, state, error) => void end.run(state, error, id),
    retryAlert: (id, dueAt, error) => void retry.run(dueAt, error, id),
    prune: (before) => void prune.run(before)
  }
}

/** What a sealed secret is bound to. */
export function budgetRecord(name: string): string {
  return `budget/${name}`
}
