import type { SecretBox } from '../secret-box.ts'
import type { Db } from '../sqlite-addon.ts'

/** A secret without its values. Times are Unix time in ms. */
export interface SecretRecord {
  readonly name: string
  /** Six characters at the end of its ARN. */
  readonly suffix: string
  readonly description: string
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly changedAt: number
  /** The day on which it was last read. */
  readonly accessedAt: number | undefined
  readonly deletedAt: number | undefined
  /** When it goes for good. */
  readonly purgeAt: number | undefined
}

export interface SecretVersionRecord {
  readonly versionId: string
  readonly kind: 'string' | 'binary'
  readonly stages: readonly string[]
  readonly createdAt: number
  readonly accessedAt: number | undefined
}

/** A value as it is kept: text, or bytes as base64. */
export interface SecretValue {
  readonly kind: 'string' | 'binary'
  readonly text: string
}

export interface SecretListing {
  /** In order of creation, newest first, unless `ascending`. */
  readonly ascending: boolean
  /** Those that wait for their end too. */
  readonly deleted: boolean
}

/** Secrets in SQLite. */
export interface SecretsRepository {
  find(name: string): SecretRecord | undefined
  list(listing: SecretListing): readonly SecretRecord[]
  /** By name, those after `after`, without those that wait for their end. */
  page(after: string, limit: number): readonly SecretRecord[]
  create(secret: SecretRecord): void
  update(secret: SecretRecord): void
  remove(name: string): void
  /** Removes what is over. @returns the names */
  purge(now: number): readonly string[]
  /** In order of creation. */
  versions(name: string): readonly SecretVersionRecord[]
  addVersion(secret: Pick<SecretRecord, 'name' | 'suffix'>, version: SecretVersionRecord, value: SecretValue): void
  setStages(name: string, versionId: string, stages: readonly string[]): void
  removeVersion(name: string, versionId: string): void
  /** @throws SecretBoxError */
  value(secret: Pick<SecretRecord, 'name' | 'suffix'>, versionId: string): SecretValue | undefined
  /** Leaves no change in the trail. @param day - Unix time in ms */
  touch(name: string, versionId: string, day: number): void
}

interface Row {
  name: string
  suffix: string
  description: string
  tags: string
  created_at: number
  changed_at: number
  accessed_at: number | null
  deleted_at: number | null
  purge_at: number | null
}

interface VersionRow {
  version_id: string
  kind: 'string' | 'binary'
  value: Buffer
  stages: string
  created_at: number
  accessed_at: number | null
}

export function createSecretsRepository(db: Db, box: SecretBox): SecretsRepository {
  const one = db.prepare<[name: string], Row>('SELECT * FROM secrets WHERE name = ?')
  const all = db.prepare<[], Row>('SELECT * FROM secrets ORDER BY created_at, rowid')
  const page = db.prepare<[after: string, limit: number], Row>(
    'SELECT * FROM secrets WHERE name > ? AND deleted_at IS NULL ORDER BY name LIMIT ?'
  )
  const write = db.prepare<Row>(`
    INSERT INTO secrets (name, suffix, description, tags, created_at, changed_at, accessed_at, deleted_at, purge_at)
    VALUES (@name, @suffix, @description, @tags, @created_at, @changed_at, @accessed_at, @deleted_at, @purge_at)
    ON CONFLICT (name) DO UPDATE SET description = excluded.description, tags = excluded.tags,
      changed_at = excluded.changed_at, deleted_at = excluded.deleted_at, purge_at = excluded.purge_at`)
  const remove = db.prepare<[name: string]>('DELETE FROM secrets WHERE name = ?')
  const over = db.prepare<[now: number], string>('DELETE FROM secrets WHERE purge_at <= ? RETURNING name').pluck()
  const versions = db.prepare<[name: string], VersionRow>(
    'SELECT * FROM secret_versions WHERE secret = ? ORDER BY created_at, rowid'
  )
  const version = db.prepare<[name: string, id: string], VersionRow>(
    'SELECT * FROM secret_versions WHERE secret = ? AND version_id = ?'
  )
  const add = db.prepare(`
    INSERT INTO secret_versions (secret, version_id, kind, value, stages, created_at) VALUES (?, ?, ?, ?, ?, ?)`)
  const stage = db.prepare('UPDATE secret_versions SET stages = ? WHERE secret = ? AND version_id = ?')
  const drop = db.prepare('DELETE FROM secret_versions WHERE secret = ? AND version_id = ?')
  const touch = db.prepare('UPDATE secrets SET accessed_at = ? WHERE name = ? AND accessed_at IS NOT ?')
  const touchVersion = db.prepare(
    'UPDATE secret_versions SET accessed_at = ? WHERE secret = ? AND version_id = ? AND accessed_at IS NOT ?'
  )
  const save = (secret: SecretRecord): void => void write.run(toRow(secret))
  return {
    find(name) {
      const row = one.get(name)
      return row && toRecord(row)
    },
    list({ ascending, deleted }) {
      const found = all.all().map(toRecord)
      const kept = deleted ? found : found.filter(({ deletedAt }) => deletedAt === undefined)
      return ascending ? kept : kept.reverse()
    },
    page: (after, limit) => page.all(after, limit).map(toRecord),
    create: save,
    update: save,
    remove: (name) => void remove.run(name),
    purge: (now) => over.all(now),
    versions: (name) => versions.all(name).map(toVersion),
    addVersion({ name, suffix }, { versionId, stages, createdAt }, { kind, text }) {
      const sealed = box.seal(text, secretRecord(name, suffix, versionId, kind))
      add.run(name, versionId, kind, sealed, JSON.stringify(stages), createdAt)
    },
    setStages: (name, versionId, stages) => void stage.run(JSON.stringify(stages), name, versionId),
    removeVersion: (name, versionId) => void drop.run(name, versionId),
    value({ name, suffix }, versionId) {
      const row = version.get(name, versionId)
      return row && { kind: row.kind, text: box.open(row.value, secretRecord(name, suffix, versionId, row.kind)) }
    },
    touch(name, versionId, day) {
      touch.run(day, name, day)
      touchVersion.run(day, name, versionId, day)
    }
  }
}

/** What a function's variable stands for. */
export interface SecretInUse {
  readonly suffix: string
  readonly tags: Readonly<Record<string, string>>
  readonly isDeleted: boolean
  /** Undefined: no version has the label. */
  readonly versionId: string | undefined
  /** Opened when it is asked for. @throws SecretBoxError */
  readonly value: () => SecretValue
}

/** The reading half, which the gateway has. */
export function prepareSecretLookup(db: Db, box: SecretBox): (name: string, stage: string) => SecretInUse | undefined {
  const select = db.prepare<
    [stage: string, name: string],
    { suffix: string; tags: string; deleted_at: number | null } & Partial<VersionRow>
  >(`
    SELECT secrets.suffix, secrets.tags, secrets.deleted_at, version_id, kind, value
    FROM secrets LEFT JOIN secret_versions ON secret_versions.secret = secrets.name
      AND EXISTS (SELECT 1 FROM json_each(stages) WHERE json_each.value = ?)
    WHERE secrets.name = ?`)
  return (name, stage) => {
    const row = select.get(stage, name)
    if (row === undefined) return undefined
    const { suffix, kind, value } = row
    // Null where the join found nothing.
    const versionId = row.version_id ?? undefined
    return {
      suffix,
      tags: JSON.parse(row.tags) as Record<string, string>,
      isDeleted: row.deleted_at !== null,
      versionId,
      value() {
        if (versionId === undefined || kind === undefined || value === undefined) throw new Error('there is no version')
        return { kind, text: box.open(value, secretRecord(name, suffix, versionId, kind)) }
      }
    }
  }
}

/** What a sealed value is bound to: it opens in this row only. */
export function secretRecord(name: string, suffix: string, versionId: string, kind: string): string {
  return `secrets/${name}-${suffix}/${versionId}/${kind}`
}

function toRow(secret: SecretRecord): Row {
  return {
    name: secret.name,
    suffix: secret.suffix,
    description: secret.description,
    tags: JSON.stringify(secret.tags),
    created_at: secret.createdAt,
    changed_at: secret.changedAt,
    accessed_at: secret.accessedAt ?? null,
    deleted_at: secret.deletedAt ?? null,
    purge_at: secret.purgeAt ?? null
  }
}

function toRecord(row: Row): SecretRecord {
  return {
    name: row.name,
    suffix: row.suffix,
    description: row.description,
    tags: JSON.parse(row.tags) as Record<string, string>,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    accessedAt: row.accessed_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    purgeAt: row.purge_at ?? undefined
  }
}

function toVersion(row: VersionRow): SecretVersionRecord {
  return {
    versionId: row.version_id,
    kind: row.kind,
    stages: JSON.parse(row.stages) as string[],
    createdAt: row.created_at,
    accessedAt: row.accessed_at ?? undefined
  }
}
