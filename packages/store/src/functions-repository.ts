import { type FunctionRecord, HearthError } from '@hearth/shared'
import { type FunctionRow, SELECT_FUNCTIONS, toFunctionRecord, toFunctionRow } from './function-rows.ts'
import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

/** The version that deploys change; published ones are rows of their own. */
export const LATEST = '$LATEST'

/** Where a list of versions goes on. `$LATEST` is number 0. */
export interface VersionPosition {
  readonly name: string
  readonly number: number
}

/** Functions in SQLite: whole records in, whole records out, but for what is reserved, which is only read here. */
export interface FunctionsRepository {
  /** @param version - Default: `$LATEST`. */
  find(name: string, version?: string): FunctionRecord | undefined
  /** @throws HearthError FUNCTION_EXISTS */
  create(record: FunctionRecord): void
  /**
   * Reads, lets `change` decide, and writes, under the write lock: what `change` sees cannot be overtaken, so
   * revision checks belong in it. `change` may return `undefined` to delete the function, or throw to change nothing.
   * Deleting `$LATEST` deletes the whole function: versions, aliases and releases too.
   *
   * @param version - Default: `$LATEST`.
   * @returns what was before and what is now
   */
  update(
    name: string,
    change: (current: FunctionRecord | undefined) => FunctionRecord | undefined,
    version?: string
  ): { readonly before: FunctionRecord | undefined; readonly after: FunctionRecord | undefined }
  /** By name, in byte order, those after `after`. @param limit - At most this many. */
  list(after: string, limit: number): readonly FunctionRecord[]
  /** Every version of every function: by name, `$LATEST` first, then by number; those after `after`. */
  listAll(after: VersionPosition, limit: number): readonly FunctionRecord[]
  /** Of one function: `$LATEST` first, then by number; those after `after` (-1: from the beginning). */
  listVersions(name: string, after: number, limit: number): readonly FunctionRecord[]
  /** The published version with the highest number, and the description that `$LATEST` had when it was published. */
  newestVersion(name: string): { readonly record: FunctionRecord; readonly latestDescription: string } | undefined
  /** Writes a published version. @param latestDescription - What `$LATEST` has. */
  addVersion(record: FunctionRecord, latestDescription: string): void
  /** A number for the next version, given to nobody before. */
  nextVersion(name: string): string
  count(): number
  /** Name of a function of which some version runs as this role. */
  findByRole(roleArn: string): string | undefined
  /** What a stopped server left Pending or InProgress. */
  listUnsettled(): readonly { readonly name: string; readonly version: string }[]
  /** Runs `work` under the write lock, all or nothing. Calls of any repository belong to it. */
  exclusively<T>(work: () => T): T
  /** Whether some version needs this artifact or tree of layers. @param artifact - Hex sha256. */
  isReferenced(artifact: string): boolean
}

export function createFunctionsRepository(db: Db, box: SecretBox): FunctionsRepository {
  const select = db.prepare<[name: string, version: string], FunctionRow>(
    `${SELECT_FUNCTIONS} WHERE name = ? AND version = ?`
  )
  const page = db.prepare<[after: string, limit: number], FunctionRow>(
    `${SELECT_FUNCTIONS} WHERE version = '${LATEST}' AND name > ? ORDER BY name LIMIT ?`
  )
  const countAll = db.prepare<[], number>(`SELECT count(*) FROM functions WHERE version = '${LATEST}'`).pluck()
  const byRole = db.prepare<[role: string], string>('SELECT name FROM functions WHERE role = ? LIMIT 1').pluck()
  const unsettled = db.prepare<[], { name: string; version: string }>(
    `SELECT name, version FROM functions WHERE state = 'Pending' OR last_update_status = 'InProgress'`
  )
  const referenced = db
    .prepare<{ artifact: string }, number>(`
      SELECT 1 FROM functions WHERE artifact = @artifact
      UNION ALL SELECT 1 FROM functions WHERE layers IS NOT NULL AND json_extract(layers, '$.tree') = @artifact
      LIMIT 1`)
    .pluck()
  // CAST makes 0 of `$LATEST`, which is where it belongs in the order.
  const everything = db.prepare<[name: string, sameName: string, number: number, limit: number], FunctionRow>(`
    ${SELECT_FUNCTIONS} WHERE name > ? OR (name = ? AND CAST(version AS INTEGER) > ?)
    ORDER BY name, CAST(version AS INTEGER) LIMIT ?`)
  const versions = db.prepare<[name: string, number: number, limit: number], FunctionRow>(`
    ${SELECT_FUNCTIONS} WHERE name = ? AND CAST(version AS INTEGER) > ?
    ORDER BY CAST(version AS INTEGER) LIMIT ?`)
  const newest = db.prepare<[name: string], FunctionRow & { latest_description: string }>(`
    ${SELECT_FUNCTIONS} WHERE name = ? AND version <> '${LATEST}'
    ORDER BY CAST(version AS INTEGER) DESC LIMIT 1`)
  const describe = db.prepare<[latestDescription: string, name: string, version: string]>(
    'UPDATE functions SET latest_description = ? WHERE name = ? AND version = ?'
  )
  const next = db
    .prepare<[name: string], number>(
      `UPDATE functions SET last_version = last_version + 1 WHERE name = ? AND version = '${LATEST}' RETURNING last_version`
    )
    .pluck()
  const removeAll = db.prepare<[name: string]>('DELETE FROM functions WHERE name = ?')
  const removeOne = db.prepare<[name: string, version: string]>('DELETE FROM functions WHERE name = ? AND version = ?')
  const insert = db.prepare<ReturnType<typeof toFunctionRow>>(`
    INSERT INTO functions (
      name, version, runtime, handler, role, description, memory_mib, timeout_s, ephemeral_mib, environment, network,
      concurrency, instances, invoke_mode, architecture, tags, tracing, logging, snap_start, layers, dead_letter_target, artifact, code_sha256, code_size, revision_id,
      state, last_update_status, created_at, last_modified)
    VALUES (
      @name, @version, @runtime, @handler, @role, @description, @memory_mib, @timeout_s, @ephemeral_mib, @environment,
      @network, @concurrency, @instances, @invoke_mode, @architecture, @tags, @tracing, @logging, @snap_start, @layers, @dead_letter_target, @artifact, @code_sha256,
      @code_size, @revision_id, @state, @last_update_status, @created_at, @last_modified)`)
  const write = db.prepare<ReturnType<typeof toFunctionRow>>(`
    UPDATE functions SET
      runtime = @runtime, handler = @handler, role = @role, description = @description, memory_mib = @memory_mib,
      timeout_s = @timeout_s, ephemeral_mib = @ephemeral_mib, environment = @environment, network = @network,
      concurrency = @concurrency, instances = @instances, invoke_mode = @invoke_mode, architecture = @architecture, tags = @tags,
      tracing = @tracing, logging = @logging, snap_start = @snap_start, layers = @layers, dead_letter_target = @dead_letter_target, artifact = @artifact, code_sha256 = @code_sha256,
      code_size = @code_size, revision_id = @revision_id, state = @state, last_update_status = @last_update_status,
      last_modified = @last_modified
    WHERE name = @name AND version = @version`)

  const find = (name: string, version = LATEST): FunctionRecord | undefined => {
    const row = select.get(name, version)
    return row === undefined ? undefined : toFunctionRecord(row, box)
  }

  // Reads, then writes, so it takes the write lock up front (`immediate`): a deferred transaction fails with
  // SQLITE_BUSY_SNAPSHOT, whatever the busy timeout, if another process writes between the two.
  const update = db.transaction(
    (name: string, change: (current: FunctionRecord | undefined) => FunctionRecord | undefined, version: string) => {
      const before = find(name, version)
      const after = change(before)
      if (after === undefined && version === LATEST) removeAll.run(name)
      else if (after === undefined) removeOne.run(name, version)
      else if (before === undefined) insert.run(toFunctionRow(after, box))
      else if (after !== before) write.run(toFunctionRow(after, box))
      return { before, after }
    }
  )

  const exclusively = db.transaction((work: () => unknown) => work())

  return {
    find,
    create(record) {
      const absent = (current: FunctionRecord | undefined): FunctionRecord => {
        if (current !== undefined) throw new HearthError('FUNCTION_EXISTS', `Function already exist: ${record.name}`)
        return record
      }
      update.immediate(record.name, absent, LATEST)
    },
    update: (name, change, version = LATEST) => update.immediate(name, change, version),
    list: (after, limit) => page.all(after, limit).map((row) => toFunctionRecord(row, box)),
    listAll: (after, limit) =>
      everything.all(after.name, after.name, after.number, limit).map((row) => toFunctionRecord(row, box)),
    listVersions: (name, after, limit) => versions.all(name, after, limit).map((row) => toFunctionRecord(row, box)),
    newestVersion(name) {
      const row = newest.get(name)
      return row && { record: toFunctionRecord(row, box), latestDescription: row.latest_description }
    },
    addVersion(record, latestDescription) {
      insert.run(toFunctionRow(record, box))
      describe.run(latestDescription, record.name, record.version)
    },
    nextVersion: (name) => String(next.get(name)),
    count: () => countAll.get() ?? 0,
    findByRole: (roleArn) => byRole.get(roleArn),
    listUnsettled: () => unsettled.all(),
    isReferenced: (artifact) => referenced.get({ artifact }) !== undefined,
    exclusively: (work) => exclusively.immediate(work) as ReturnType<typeof work>
  }
}
