import type { Db } from './sqlite-addon.ts'

/** A code signing config as the store keeps it. */
export interface CodeSigningConfig {
  /** `csc-` and 17 of `[a-z0-9]`. */
  readonly id: string
  readonly description: string
  /** ARNs of signing profile versions. */
  readonly publishers: readonly string[]
  /** What happens to a package that none of them signed. */
  readonly untrusted: 'Warn' | 'Enforce'
  readonly tags: Readonly<Record<string, string>>
  /** ISO 8601, UTC. */
  readonly lastModified: string
}

export interface CodeSigningRepository {
  find(id: string): CodeSigningConfig | undefined
  insert(config: CodeSigningConfig): void
  /** Writes over the one of the same id. */
  write(config: CodeSigningConfig): void
  remove(id: string): void
  /** By id, those after `after`. */
  list(after: string, limit: number): readonly CodeSigningConfig[]
}

interface Row {
  id: string
  description: string
  publishers: string
  untrusted: CodeSigningConfig['untrusted']
  tags: string
  last_modified: string
}

export function createCodeSigningRepository(db: Db): CodeSigningRepository {
  const select = db.prepare<[id: string], Row>('SELECT * FROM code_signing_configs WHERE id = ?')
  const page = db.prepare<[after: string, limit: number], Row>(
    'SELECT * FROM code_signing_configs WHERE id > ? ORDER BY id LIMIT ?'
  )
  const insertRow = db.prepare<Row>(
    `INSERT INTO code_signing_configs (id, description, publishers, untrusted, tags, last_modified)
     VALUES (@id, @description, @publishers, @untrusted, @tags, @last_modified)`
  )
  const update = db.prepare<Row>(
    `UPDATE code_signing_configs SET description = @description, publishers = @publishers, untrusted = @untrusted,
       tags = @tags, last_modified = @last_modified WHERE id = @id`
  )
  const del = db.prepare<[id: string]>('DELETE FROM code_signing_configs WHERE id = ?')

  return {
    find(id) {
      const row = select.get(id)
      return row === undefined ? undefined : toConfig(row)
    },
    insert: (config) => void insertRow.run(toRow(config)),
    write: (config) => void update.run(toRow(config)),
    remove: (id) => void del.run(id),
    list: (after, limit) => page.all(after, limit).map(toConfig)
  }
}

function toRow({ publishers, tags, lastModified, ...rest }: CodeSigningConfig): Row {
  return {
    ...rest,
    publishers: JSON.stringify(publishers),
    tags: JSON.stringify(tags),
    last_modified: lastModified
  }
}

function toConfig({ publishers, tags, last_modified: lastModified, ...rest }: Row): CodeSigningConfig {
  return {
    ...rest,
    publishers: JSON.parse(publishers) as string[],
    tags: JSON.parse(tags) as Record<string, string>,
    lastModified
  }
}
