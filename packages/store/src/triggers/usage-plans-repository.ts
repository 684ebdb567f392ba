import type { ApiKey, PublishedApiKey, UsagePlan } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** API keys and usage plans in SQLite. Lists are by name, those after `after`. */
export interface UsagePlansRepository {
  findKey(id: string): ApiKey | undefined
  findKeyByName(name: string): ApiKey | undefined
  /** @param valueHash - SHA-256 of the value, hexadecimal @returns the key's id */
  ownerOf(valueHash: string): string | undefined
  addKey(key: ApiKey, valueHash: string): void
  /** Its value stays. */
  changeKey(key: ApiKey): void
  removeKey(id: string): boolean
  listKeys(after: string, limit: number): readonly ApiKey[]
  countKeys(): number
  findPlan(id: string): UsagePlan | undefined
  findPlanByName(name: string): UsagePlan | undefined
  putPlan(plan: UsagePlan): void
  /** Its keys stay. */
  removePlan(id: string): boolean
  listPlans(after: string, limit: number): readonly UsagePlan[]
  countPlans(): number
  /** A key that belongs to it already stays. */
  addToPlan(planId: string, keyId: string): void
  removeFromPlan(planId: string, keyId: string): boolean
  listPlanKeys(planId: string, after: string, limit: number): readonly ApiKey[]
  plansOf(keyId: string): readonly UsagePlan[]
}

export function createUsagePlansRepository(db: Db): UsagePlansRepository {
  const findKey = db.prepare<[string], string>('SELECT body FROM api_keys WHERE id = ?').pluck()
  const findKeyByName = db.prepare<[string], string>('SELECT body FROM api_keys WHERE name = ?').pluck()
  const ownerOf = db.prepare<[string], string>('SELECT id FROM api_keys WHERE value_hash = ?').pluck()
  const addKey = db.prepare<[string, string, string, string]>(
    'INSERT INTO api_keys (id, name, value_hash, body) VALUES (?, ?, ?, ?)'
  )
  const changeKey = db.prepare<[string, string, string]>('UPDATE api_keys SET name = ?, body = ? WHERE id = ?')
  const removeKey = db.prepare<[string]>('DELETE FROM api_keys WHERE id = ?')
  const listKeys = db
    .prepare<[string, number], string>('SELECT body FROM api_keys WHERE name > ? ORDER BY name LIMIT ?')
    .pluck()
  const countKeys = db.prepare<[], number>('SELECT count(*) FROM api_keys').pluck()
  const findPlan = db.prepare<[string], string>('SELECT body FROM usage_plans WHERE id = ?').pluck()
  const findPlanByName = db.prepare<[string], string>('SELECT body FROM usage_plans WHERE name = ?').pluck()
  const putPlan = db.prepare<[string, string, string]>(`INSERT INTO usage_plans (id, name, body) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, body = excluded.body`)
  const removePlan = db.prepare<[string]>('DELETE FROM usage_plans WHERE id = ?')
  const listPlans = db
    .prepare<[string, number], string>('SELECT body FROM usage_plans WHERE name > ? ORDER BY name LIMIT ?')
    .pluck()
  const countPlans = db.prepare<[], number>('SELECT count(*) FROM usage_plans').pluck()
  const add = db.prepare<[string, string]>('INSERT OR IGNORE INTO usage_plan_keys (plan_id, key_id) VALUES (?, ?)')
  const leave = db.prepare<[string, string]>('DELETE FROM usage_plan_keys WHERE plan_id = ? AND key_id = ?')
  const members = db
    .prepare<[string, string, number], string>(`SELECT body FROM usage_plan_keys m JOIN api_keys k ON k.id = m.key_id
      WHERE m.plan_id = ? AND k.name > ? ORDER BY k.name LIMIT ?`)
    .pluck()
  const plansOf = db
    .prepare<[string], string>(`SELECT body FROM usage_plan_keys m JOIN usage_plans p ON p.id = m.plan_id
      WHERE m.key_id = ? ORDER BY p.name`)
    .pluck()
  const key = (body: string): ApiKey => JSON.parse(body) as ApiKey
  const plan = (body: string): UsagePlan => JSON.parse(body) as UsagePlan
  const found = <T>(body: string | undefined, read: (body: string) => T): T | undefined =>
    body === undefined ? undefined : read(body)
  return {
    findKey: (id) => found(findKey.get(id), key),
    findKeyByName: (name) => found(findKeyByName.get(name), key),
    ownerOf: (valueHash) => ownerOf.get(valueHash),
    addKey: (made, valueHash) => void addKey.run(made.id, made.name, valueHash, JSON.stringify(made)),
    changeKey: (changed) => void changeKey.run(changed.name, JSON.stringify(changed), changed.id),
    removeKey: (id) => removeKey.run(id).changes > 0,
    listKeys: (after, limit) => listKeys.all(after, limit).map(key),
    countKeys: () => countKeys.get()!,
    findPlan: (id) => found(findPlan.get(id), plan),
    findPlanByName: (name) => found(findPlanByName.get(name), plan),
    putPlan: (made) => void putPlan.run(made.id, made.name, JSON.stringify(made)),
    removePlan: (id) => removePlan.run(id).changes > 0,
    listPlans: (after, limit) => listPlans.all(after, limit).map(plan),
    countPlans: () => countPlans.get()!,
    addToPlan: (planId, keyId) => void add.run(planId, keyId),
    removeFromPlan: (planId, keyId) => leave.run(planId, keyId).changes > 0,
    listPlanKeys: (planId, after, limit) => members.all(planId, after, limit).map(key),
    plansOf: (keyId) => plansOf.all(keyId).map(plan)
  }
}

/** What the gateway reads of it. */
export interface PublishedUsagePlans {
  readonly plans: readonly UsagePlan[]
  readonly keys: readonly PublishedApiKey[]
}

/** The reading half, which the gateway has. */
export function prepareUsagePlanList(db: Db): () => PublishedUsagePlans {
  const plans = db.prepare<[], string>('SELECT body FROM usage_plans ORDER BY id').pluck()
  // A key without a plan opens nothing.
  const keys = db.prepare<[], { id: string; valueHash: string; isEnabled: 0 | 1; planIds: string }>(`
    SELECT k.id, value_hash AS valueHash, json_extract(body, '$.isEnabled') AS isEnabled,
      json_group_array(m.plan_id) AS planIds
    FROM api_keys k JOIN usage_plan_keys m ON m.key_id = k.id GROUP BY k.id`)
  return () => ({
    plans: plans.all().map((body) => JSON.parse(body) as UsagePlan),
    keys: keys.all().map(({ id, valueHash, isEnabled, planIds }) => ({
      id,
      valueHash,
      isEnabled: isEnabled === 1,
      planIds: JSON.parse(planIds) as string[]
    }))
  })
}
