import type { SecretBox } from '../secret-box.ts'
import type { Db } from '../sqlite-addon.ts'

export type ParameterType = 'String' | 'StringList' | 'SecureString'
export type ParameterTier = 'Standard' | 'Advanced'

/** One version of a parameter, without its value. */
export interface ParameterVersion {
  readonly name: string
  readonly version: number
  readonly type: ParameterType
  readonly description: string | undefined
  readonly tier: ParameterTier
  readonly labels: readonly string[]
  /** Unix time in ms. */
  readonly modifiedAt: number
  /** ARN of who wrote it. */
  readonly modifiedBy: string
}

/** Parameters of AWS's Parameter Store in SQLite. */
export interface ParametersRepository {
  /** The newest version. */
  find(name: string): ParameterVersion | undefined
  /** Newest versions by name, of names that begin so. */
  list(prefix: string): readonly ParameterVersion[]
  /** In order. */
  versions(name: string): readonly ParameterVersion[]
  tags(name: string): Readonly<Record<string, string>>
  setTags(name: string, tags: Readonly<Record<string, string>>): void
  /** The first version makes the parameter. */
  add(version: ParameterVersion, value: string): void
  setLabels(name: string, version: number, labels: readonly string[]): void
  removeVersion(name: string, version: number): void
  /** @returns whether there was one */
  remove(name: string): boolean
  /** @throws SecretBoxError */
  value(version: Pick<ParameterVersion, 'name' | 'version'>): string
  /** As it lies in the database: base64. */
  sealed(version: Pick<ParameterVersion, 'name' | 'version'>): string
}

interface Row {
  parameter: string
  version: number
  type: ParameterType
  value: Buffer
  description: string | null
  tier: ParameterTier
  labels: string
  modified_at: number
  modified_by: string
}

export function createParametersRepository(db: Db, box: SecretBox): ParametersRepository {
  const newest = db.prepare<[name: string], Row>(
    'SELECT * FROM parameter_versions WHERE parameter = ? ORDER BY version DESC LIMIT 1'
  )
  // The bare columns are those of the row that has the maximum. Source: SQLite, "Bare columns in an aggregate query".
  const all = db.prepare<[from: string], Row & { version: number }>(`
    SELECT parameter, max(version) AS version, type, description, tier, labels, modified_at, modified_by, value
    FROM parameter_versions WHERE parameter >= ? GROUP BY parameter ORDER BY parameter`)
  const ofName = db.prepare<[name: string], Row>(
    'SELECT * FROM parameter_versions WHERE parameter = ? ORDER BY version'
  )
  const exact = db.prepare<[name: string, version: number], Row>(
    'SELECT * FROM parameter_versions WHERE parameter = ? AND version = ?'
  )
  const tags = db.prepare<[name: string], string>('SELECT tags FROM parameters WHERE name = ?').pluck()
  const setTags = db.prepare('UPDATE parameters SET tags = ? WHERE name = ?')
  const make = db.prepare(`INSERT INTO parameters (name, tags) VALUES (?, '{}') ON CONFLICT DO NOTHING`)
  const add = db.prepare<Row>(`
    INSERT INTO parameter_versions (parameter, version, type, value, description, tier, labels, modified_at, modified_by)
    VALUES (@parameter, @version, @type, @value, @description, @tier, @labels, @modified_at, @modified_by)`)
  const setLabels = db.prepare('UPDATE parameter_versions SET labels = ? WHERE parameter = ? AND version = ?')
  const drop = db.prepare('DELETE FROM parameter_versions WHERE parameter = ? AND version = ?')
  const remove = db.prepare('DELETE FROM parameters WHERE name = ?')
  const rowOf = (name: string, version: number): Row => {
    const row = exact.get(name, version)
    if (row === undefined) throw new Error('there is no such version of the parameter')
    return row
  }
  return {
    find(name) {
      const row = newest.get(name)
      return row && toVersion(row)
    },
    list(prefix) {
      const found: ParameterVersion[] = []
      for (const row of all.iterate(prefix)) {
        if (!row.parameter.startsWith(prefix)) break
        found.push(toVersion(row))
      }
      return found
    },
    versions: (name) => ofName.all(name).map(toVersion),
    tags: (name) => JSON.parse(tags.get(name) ?? '{}') as Record<string, string>,
    setTags: (name, value) => void setTags.run(JSON.stringify(value), name),
    add(version, value) {
      make.run(version.name)
      add.run({
        parameter: version.name,
        version: version.version,
        type: version.type,
        value: box.seal(value, parameterRecord(version.name, version.version)),
        description: version.description ?? null,
        tier: version.tier,
        labels: JSON.stringify(version.labels),
        modified_at: version.modifiedAt,
        modified_by: version.modifiedBy
      })
    },
    setLabels: (name, version, labels) => void setLabels.run(JSON.stringify(labels), name, version),
    removeVersion: (name, version) => void drop.run(name, version),
    remove: (name) => remove.run(name).changes > 0,
    value: ({ name, version }) => box.open(rowOf(name, version).value, parameterRecord(name, version)),
    sealed: ({ name, version }) => rowOf(name, version).value.toString('base64')
  }
}

/** What a sealed value is bound to: it opens in this row only. */
export function parameterRecord(name: string, version: number): string {
  return `parameters/${name}/${version}`
}

function toVersion(row: Row): ParameterVersion {
  return {
    name: row.parameter,
    version: row.version,
    type: row.type,
    description: row.description ?? undefined,
    tier: row.tier,
    labels: JSON.parse(row.labels) as string[],
    modifiedAt: row.modified_at,
    modifiedBy: row.modified_by
  }
}
