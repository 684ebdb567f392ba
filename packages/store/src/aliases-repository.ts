import type { AliasRecord } from '@hearth/shared'
import { toReleaseWatch } from './releases-repository.ts'
import type { Db } from './sqlite-addon.ts'
import type { AliasRoute } from './types.ts'

interface AliasRow {
  function: string
  name: string
  version: string
  weights: string
  description: string
  revision_id: string
  previous_version: string | null
}

/** Aliases in SQLite. */
export interface AliasesRepository {
  find(functionName: string, name: string): AliasRecord | undefined
  /** By name, in byte order, those after `after`. @param version - Only those that point to it first of all. */
  list(functionName: string, after: string, limit: number, version?: string): readonly AliasRecord[]
  put(alias: AliasRecord): void
  remove(functionName: string, name: string): void
  /** Names of aliases that send calls to this version, by weight too. */
  listUsers(functionName: string, version: string): readonly string[]
}

export function createAliasesRepository(db: Db): AliasesRepository {
  const select = db.prepare<[functionName: string, name: string], AliasRow>(
    'SELECT * FROM aliases WHERE function = ? AND name = ?'
  )
  const page = db.prepare<{ functionName: string; after: string; version: string | null; limit: number }, AliasRow>(`
    SELECT * FROM aliases
    WHERE function = @functionName AND name > @after AND (@version IS NULL OR version = @version)
    ORDER BY name LIMIT @limit`)
  const upsert = db.prepare<AliasRow>(`
    INSERT INTO aliases (function, name, version, weights, description, revision_id, previous_version)
    VALUES (@function, @name, @version, @weights, @description, @revision_id, @previous_version)
    ON CONFLICT (function, name) DO UPDATE SET
      version = @version, weights = @weights, description = @description, revision_id = @revision_id,
      previous_version = @previous_version`)
  const remove = db.prepare<[functionName: string, name: string]>('DELETE FROM aliases WHERE function = ? AND name = ?')
  const users = db
    .prepare<{ functionName: string; version: string }, string>(`
      SELECT name FROM aliases
      WHERE function = @functionName
        AND (version = @version OR EXISTS (SELECT 1 FROM json_each(weights) WHERE key = @version))
      ORDER BY name`)
    .pluck()
  return {
    find(functionName, name) {
      const row = select.get(functionName, name)
      return row && toAlias(row)
    },
    list: (functionName, after, limit, version) =>
      page.all({ functionName, after, limit, version: version ?? null }).map(toAlias),
    put(alias) {
      upsert.run({
        function: alias.functionName,
        name: alias.name,
        version: alias.version,
        weights: JSON.stringify(alias.weights),
        description: alias.description,
        revision_id: alias.revisionId,
        previous_version: alias.previousVersion ?? null
      })
    },
    remove(functionName, name) {
      remove.run(functionName, name)
    },
    listUsers: (functionName, version) => users.all({ functionName, version })
  }
}

/** The reading half, as the gateway needs it. */
export function prepareAliasRoutes(db: Db): (functionName: string) => readonly AliasRoute[] {
  const select = db.prepare<
    [functionName: string],
    Pick<AliasRow, 'name' | 'version' | 'weights'> & { id: string | null; step: number; plan: string }
  >(`
    SELECT a.name, a.version, a.weights, r.id, r.step, r.plan
    FROM aliases a
    LEFT JOIN releases r ON r.function = a.function AND r.alias = a.name AND r.state IN ('running', 'paused')
    WHERE a.function = ?`)
  return (functionName) =>
    select.all(functionName).map(({ name, version, weights, id, step, plan }) => ({
      name,
      version,
      weights: JSON.parse(weights) as Record<string, number>,
      release: id === null ? undefined : toReleaseWatch(id, step, plan)
    }))
}

function toAlias(row: AliasRow): AliasRecord {
  return {
    functionName: row.function,
    name: row.name,
    version: row.version,
    weights: JSON.parse(row.weights) as Record<string, number>,
    description: row.description,
    revisionId: row.revision_id,
    previousVersion: row.previous_version ?? undefined
  }
}
