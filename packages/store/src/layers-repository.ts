import type { PolicyStatement, ResourcePolicy } from './resource-policy.ts'
import type { Db } from './sqlite-addon.ts'

/** A published version of a layer. */
export interface LayerVersion {
  readonly name: string
  readonly version: number
  readonly description: string
  readonly license: string | undefined
  /** Undefined: not sent, and left out of AWS's answers. */
  readonly runtimes: readonly string[] | undefined
  readonly architectures: readonly string[] | undefined
  /** Hex sha256 of the package. */
  readonly artifact: string
  /** Base64 of the same. */
  readonly codeSha256: string
  /** Bytes of the package as uploaded. */
  readonly codeSize: number
  /** Bytes of its files. */
  readonly unzippedSize: number
  /** Undefined when it has no statements. */
  readonly policy: ResourcePolicy | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** A version before it has its number. */
export type NewLayerVersion = Omit<LayerVersion, 'version' | 'policy'>

/** Layer versions in SQLite. */
export interface LayersRepository {
  /** Gives it the name's next number, which is never given out again. */
  publish(version: NewLayerVersion): LayerVersion
  find(name: string, version: number): LayerVersion | undefined
  findNewest(name: string): LayerVersion | undefined
  /** Newest first, those before number `before`. */
  listVersions(name: string, before: number, limit: number): readonly LayerVersion[]
  /** Names with versions, in byte order, those after `after`. */
  listNames(after: string, limit: number): readonly string[]
  /** @returns whether it was there */
  remove(name: string, version: number): boolean
  /** Reads, lets `change` decide and writes, under the write lock. @returns undefined when there is no such version */
  updatePolicy(
    name: string,
    version: number,
    change: (current: ResourcePolicy | undefined) => ResourcePolicy | undefined
  ): LayerVersion | undefined
  /** Whether some version is this artifact. @param artifact - Hex sha256 */
  isReferenced(artifact: string): boolean
}

interface Row {
  name: string
  version: number
  description: string
  license: string | null
  runtimes: string | null
  architectures: string | null
  artifact: string
  code_sha256: string
  code_size: number
  unzipped_size: number
  policy: string | null
  policy_revision: string | null
  created_at: string
}

export function createLayersRepository(db: Db): LayersRepository {
  const next = db
    .prepare<[name: string], number>(`
      INSERT INTO layers (name, last_version) VALUES (?, 1)
      ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1 RETURNING last_version`)
    .pluck()
  const insert = db.prepare<Row>(`
    INSERT INTO layer_versions (
      name, version, description, license, runtimes, architectures, artifact, code_sha256, code_size, unzipped_size,
      policy, policy_revision, created_at)
    VALUES (
      @name, @version, @description, @license, @runtimes, @architectures, @artifact, @code_sha256, @code_size,
      @unzipped_size, @policy, @policy_revision, @created_at)`)
  const one = db.prepare<[name: string, version: number], Row>(
    'SELECT * FROM layer_versions WHERE name = ? AND version = ?'
  )
  const page = db.prepare<[name: string, before: number, limit: number], Row>(
    'SELECT * FROM layer_versions WHERE name = ? AND version < ? ORDER BY version DESC LIMIT ?'
  )
  const names = db
    .prepare<[after: string, limit: number], string>(
      'SELECT DISTINCT name FROM layer_versions WHERE name > ? ORDER BY name LIMIT ?'
    )
    .pluck()
  const removeOne = db.prepare<[name: string, version: number]>(
    'DELETE FROM layer_versions WHERE name = ? AND version = ?'
  )
  const writePolicy = db.prepare<[policy: string | null, revision: string | null, name: string, version: number]>(
    'UPDATE layer_versions SET policy = ?, policy_revision = ? WHERE name = ? AND version = ?'
  )
  const referenced = db
    .prepare<[artifact: string], number>('SELECT 1 FROM layer_versions WHERE artifact = ? LIMIT 1')
    .pluck()

  const publish = db.transaction((added: NewLayerVersion): LayerVersion => {
    const row = toRow(added, next.get(added.name) ?? 1)
    insert.run(row)
    return toLayerVersion(row)
  })

  const updatePolicy = db.transaction(
    (name: string, version: number, change: (current: ResourcePolicy | undefined) => ResourcePolicy | undefined) => {
      const row = one.get(name, version)
      if (row === undefined) return undefined
      const before = toLayerVersion(row)
      const policy = change(before.policy)
      writePolicy.run(
        policy === undefined ? null : JSON.stringify(policy.statements),
        policy?.revisionId ?? null,
        name,
        version
      )
      return { ...before, policy }
    }
  )

  return {
    publish: (added) => publish.immediate(added),
    find(name, version) {
      const row = one.get(name, version)
      return row === undefined ? undefined : toLayerVersion(row)
    },
    findNewest(name) {
      const row = page.get(name, Number.MAX_SAFE_INTEGER, 1)
      return row === undefined ? undefined : toLayerVersion(row)
    },
    listVersions: (name, before, limit) => page.all(name, before, limit).map(toLayerVersion),
    listNames: (after, limit) => names.all(after, limit),
    remove: (name, version) => removeOne.run(name, version).changes > 0,
    updatePolicy: (name, version, change) => updatePolicy.immediate(name, version, change),
    isReferenced: (artifact) => referenced.get(artifact) !== undefined
  }
}

function toRow(added: NewLayerVersion, version: number): Row {
  return {
    name: added.name,
    version,
    description: added.description,
    license: added.license ?? null,
    runtimes: added.runtimes === undefined ? null : JSON.stringify(added.runtimes),
    architectures: added.architectures === undefined ? null : JSON.stringify(added.architectures),
    artifact: added.artifact,
    code_sha256: added.codeSha256,
    code_size: added.codeSize,
    unzipped_size: added.unzippedSize,
    policy: null,
    policy_revision: null,
    created_at: added.createdAt
  }
}

function toLayerVersion(row: Row): LayerVersion {
  const list = (text: string | null) => (text === null ? undefined : (JSON.parse(text) as string[]))
  return {
    name: row.name,
    version: row.version,
    description: row.description,
    license: row.license ?? undefined,
    runtimes: list(row.runtimes),
    architectures: list(row.architectures),
    artifact: row.artifact,
    codeSha256: row.code_sha256,
    codeSize: row.code_size,
    unzippedSize: row.unzipped_size,
    policy:
      row.policy === null
        ? undefined
        : {
            revisionId: row.policy_revision ?? '',
            statements: JSON.parse(row.policy) as PolicyStatement[]
          },
    createdAt: row.created_at
  }
}
