import type { EventBus, EventRule, EventTarget } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** Buses, their rules and the rules' targets in SQLite. Lists are by name, those after `after`. */
export interface EventRulesRepository {
  findBus(name: string): EventBus | undefined
  putBus(bus: EventBus): void
  removeBus(name: string): void
  listBuses(prefix: string, after: string, limit: number): readonly EventBus[]
  findRule(bus: string, name: string): EventRule | undefined
  putRule(rule: EventRule): void
  removeRule(bus: string, name: string): void
  countRules(bus: string): number
  listRules(bus: string, prefix: string, after: string, limit: number): readonly EventRule[]
  /** Rules with a pattern, by bus and name. @param bus - Undefined: of all */
  listEventRules(
    bus: string | undefined,
    after: { readonly bus: string; readonly name: string },
    limit: number
  ): readonly EventRule[]
  /** Names of rules with a target of this ARN. */
  listRuleNamesByTarget(bus: string, arn: string, after: string, limit: number): readonly string[]
  listTargets(bus: string, rule: string, after: string, limit: number): readonly EventTarget[]
  putTarget(bus: string, rule: string, target: EventTarget): void
  /** @returns whether there was one */
  removeTarget(bus: string, rule: string, id: string): boolean
}

interface BusRow {
  name: string
  description: string | null
  tags: string
  created_at: number
  modified_at: number
}

interface RuleRow {
  bus: string
  name: string
  id: string
  pattern: string | null
  schedule: string | null
  is_enabled: number
  description: string | null
  role_arn: string | null
  tags: string
  anchor: number
  active_from: number
  created_at: number
}

interface TargetRow {
  bus: string
  rule: string
  id: string
  arn: string
  settings: string
  active_from: number
}

/** In byte order; a prefix is compared as it is, without wildcards. */
const NAMED = 'substr(name, 1, length(@prefix)) = @prefix AND name > @after ORDER BY name LIMIT @limit'

export function createEventRulesRepository(db: Db): EventRulesRepository {
  const findBus = db.prepare<[string], BusRow>('SELECT * FROM event_buses WHERE name = ?')
  const putBus = db.prepare<BusRow>(`INSERT INTO event_buses (name, description, tags, created_at, modified_at)
    VALUES (@name, @description, @tags, @created_at, @modified_at)
    ON CONFLICT (name) DO UPDATE SET description = excluded.description, tags = excluded.tags,
      modified_at = excluded.modified_at`)
  const removeBus = db.prepare<[string]>('DELETE FROM event_buses WHERE name = ?')
  const listBuses = db.prepare<{ prefix: string; after: string; limit: number }, BusRow>(
    `SELECT * FROM event_buses WHERE ${NAMED}`
  )
  const findRule = db.prepare<[string, string], RuleRow>('SELECT * FROM event_rules WHERE bus = ? AND name = ?')
  const putRule =
    db.prepare<RuleRow>(`INSERT INTO event_rules (bus, name, id, pattern, schedule, is_enabled, description,
      role_arn, tags, anchor, active_from, created_at)
    VALUES (@bus, @name, @id, @pattern, @schedule, @is_enabled, @description, @role_arn, @tags, @anchor, @active_from,
      @created_at)
    ON CONFLICT (bus, name) DO UPDATE SET pattern = excluded.pattern, schedule = excluded.schedule,
      is_enabled = excluded.is_enabled, description = excluded.description, role_arn = excluded.role_arn,
      tags = excluded.tags, anchor = excluded.anchor, active_from = excluded.active_from`)
  const removeRule = db.prepare<[string, string]>('DELETE FROM event_rules WHERE bus = ? AND name = ?')
  const countRules = db.prepare<[string], number>('SELECT count(*) FROM event_rules WHERE bus = ?').pluck()
  const listRules = db.prepare<{ bus: string; prefix: string; after: string; limit: number }, RuleRow>(
    `SELECT * FROM event_rules WHERE bus = @bus AND ${NAMED}`
  )
  const listEventRules = db.prepare<
    { bus: string | null; afterBus: string; after: string; limit: number },
    RuleRow
  >(`SELECT * FROM event_rules WHERE pattern IS NOT NULL AND bus = coalesce(@bus, bus)
    AND (bus, name) > (@afterBus, @after) ORDER BY bus, name LIMIT @limit`)
  const byTarget = db
    .prepare<[string, string, string, number], string>(
      'SELECT DISTINCT rule FROM event_targets WHERE bus = ? AND arn = ? AND rule > ? ORDER BY rule LIMIT ?'
    )
    .pluck()
  const listTargets = db.prepare<[string, string, string, number], TargetRow>(
    'SELECT * FROM event_targets WHERE bus = ? AND rule = ? AND id > ? ORDER BY id LIMIT ?'
  )
  const putTarget = db.prepare<TargetRow>(`INSERT INTO event_targets (bus, rule, id, arn, settings, active_from)
    VALUES (@bus, @rule, @id, @arn, @settings, @active_from)
    ON CONFLICT (bus, rule, id) DO UPDATE SET arn = excluded.arn, settings = excluded.settings`)
  const removeTarget = db.prepare<[string, string, string]>(
    'DELETE FROM event_targets WHERE bus = ? AND rule = ? AND id = ?'
  )
  return {
    findBus(name) {
      const row = findBus.get(name)
      return row && toBus(row)
    },
    putBus: ({ name, description, tags, createdAt, modifiedAt }) =>
      void putBus.run({
        name,
        description: description ?? null,
        tags: JSON.stringify(tags),
        created_at: createdAt,
        modified_at: modifiedAt
      }),
    removeBus: (name) => void removeBus.run(name),
    listBuses: (prefix, after, limit) => listBuses.all({ prefix, after, limit }).map(toBus),
    findRule(bus, name) {
      const row = findRule.get(bus, name)
      return row && toRule(row)
    },
    putRule: (rule) => void putRule.run(toRuleRow(rule)),
    removeRule: (bus, name) => void removeRule.run(bus, name),
    countRules: (bus) => countRules.get(bus)!,
    listRules: (bus, prefix, after, limit) => listRules.all({ bus, prefix, after, limit }).map(toRule),
    listEventRules: (bus, after, limit) =>
      listEventRules.all({ bus: bus ?? null, afterBus: after.bus, after: after.name, limit }).map(toRule),
    listRuleNamesByTarget: (bus, arn, after, limit) => byTarget.all(bus, arn, after, limit),
    listTargets: (bus, rule, after, limit) => listTargets.all(bus, rule, after, limit).map(toTarget),
    putTarget(bus, rule, { id, arn, activeFrom, ...settings }) {
      putTarget.run({ bus, rule, id, arn, settings: JSON.stringify(settings), active_from: activeFrom })
    },
    removeTarget: (bus, rule, id) => removeTarget.run(bus, rule, id).changes > 0
  }
}

/** A rule that counts, with where its events go. */
export interface RuleWithTargets extends EventRule {
  readonly targets: readonly EventTarget[]
}

/** The reading half, which the gateway has. */
export function prepareRuleList(
  db: Db
): () => { readonly buses: readonly string[]; readonly rules: readonly RuleWithTargets[] } {
  const buses = db.prepare<[], string>('SELECT name FROM event_buses ORDER BY name').pluck()
  const rules = db.prepare<[], RuleRow>('SELECT * FROM event_rules ORDER BY bus, name')
  const targets = db.prepare<[], TargetRow>('SELECT * FROM event_targets ORDER BY bus, rule, id')
  return () => {
    const byRule = new Map<string, EventTarget[]>()
    for (const row of targets.all()) {
      const key = `${row.bus}/${row.rule}`
      const list = byRule.get(key)
      if (list === undefined) byRule.set(key, [toTarget(row)])
      else list.push(toTarget(row))
    }
    return {
      buses: buses.all(),
      rules: rules.all().map((row) => ({
        ...toRule(row),
        targets: byRule.get(`${row.bus}/${row.name}`) ?? []
      }))
    }
  }
}

function toBus({ name, description, tags, created_at, modified_at }: BusRow): EventBus {
  return {
    name,
    description: description ?? undefined,
    tags: JSON.parse(tags) as Record<string, string>,
    createdAt: created_at,
    modifiedAt: modified_at
  }
}

function toRule(row: RuleRow): EventRule {
  return {
    bus: row.bus,
    name: row.name,
    id: row.id,
    pattern: row.pattern ?? undefined,
    schedule: row.schedule ?? undefined,
    isEnabled: row.is_enabled === 1,
    description: row.description ?? undefined,
    roleArn: row.role_arn ?? undefined,
    tags: JSON.parse(row.tags) as Record<string, string>,
    anchor: row.anchor,
    activeFrom: row.active_from,
    createdAt: row.created_at
  }
}

function toRuleRow(rule: EventRule): RuleRow {
  return {
    bus: rule.bus,
    name: rule.name,
    id: rule.id,
    pattern: rule.pattern ?? null,
    schedule: rule.schedule ?? null,
    is_enabled: rule.isEnabled ? 1 : 0,
    description: rule.description ?? null,
    role_arn: rule.roleArn ?? null,
    tags: JSON.stringify(rule.tags),
    anchor: rule.anchor,
    active_from: rule.activeFrom,
    created_at: rule.createdAt
  }
}

function toTarget({ id, arn, settings, active_from }: TargetRow): EventTarget {
  return {
    ...(JSON.parse(settings) as Omit<EventTarget, 'id' | 'arn' | 'activeFrom'>),
    id,
    arn,
    activeFrom: active_from
  }
}
