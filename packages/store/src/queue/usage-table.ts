import type { Db } from '../sqlite-addon.ts'
import type { UsageDay, UsageQuery } from './types.ts'

/** Requests let through by usage plan, key and day. */
export interface UsageTable {
  list(query: UsageQuery): readonly UsageDay[]
  /** Counts only grow: what was written twice, or late, changes nothing. */
  put(days: readonly UsageDay[]): void
  /** @returns how many, at most `limit` */
  prune(before: number, limit: number): number
}

export function createUsageTable(db: Db): UsageTable {
  const list = db.prepare<{ plan: string | null; from: number; to: number }, UsageDay>(`
    SELECT plan_id AS planId, key_id AS keyId, day, used FROM usage
    WHERE day BETWEEN @from AND @to AND (@plan IS NULL OR plan_id = @plan) ORDER BY plan_id, key_id, day`)
  const put = db.prepare<[string, string, number, number]>(`
    INSERT INTO usage (plan_id, key_id, day, used) VALUES (?, ?, ?, ?)
    ON CONFLICT (plan_id, day, key_id) DO UPDATE SET used = max(used, excluded.used)`)
  const prune = db.prepare<[number, number]>(`DELETE FROM usage WHERE (plan_id, day, key_id) IN (
    SELECT plan_id, day, key_id FROM usage WHERE day < ? LIMIT ?)`)
  return {
    list: ({ planId, from, to }) => list.all({ plan: planId ?? null, from, to }),
    put(days) {
      for (const { planId, keyId, day, used } of days) put.run(planId, keyId, day, used)
    },
    prune: (before, limit) => prune.run(before, limit).changes
  }
}
