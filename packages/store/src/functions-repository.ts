import { type FunctionRecord, HearthError } from '@hearth/shared'
import { type FunctionRow, toFunctionRecord, toFunctionRow } from './function-rows.ts'
import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

/** The version that deploys change; published ones are rows of their own. */
export const LATEST = '$LATEST'

/** Functions in SQLite: whole records in, whole records out. */
export interface FunctionsRepository {
  find(name: string): FunctionRecord | undefined
  /** @throws HearthError FUNCTION_EXISTS */
  create(record: FunctionRecord): void
  /**
   * Reads, lets `change` decide, and writes, under the write lock: what `change` sees cannot be overtaken, so
   * revision checks belong in it. `change` may return `undefined` to delete the function, or throw to change nothing.
   *
   * @returns what was before and what is now
   */
  update(
    name: string,
    change: (current: FunctionRecord | undefined) => FunctionRecord | undefined
  ): { readonly before: FunctionRecord | undefined; readonly after: FunctionRecord | undefined }
  /** By name, in byte order, those after `after`. @param limit - At most this many. */
  list(after: string, limit: number): readonly FunctionRecord[]
  count(): number
  /** Names of functions that a stopped server left Pending or InProgress. */
  listUnsettled(): readonly string[]
  /** Whether some version needs this artifact or tree of layers. @param artifact - Hex sha256. */
  isReferenced(artifact: string): boolean
}

export function createFunctionsRepository(db: Db, box: SecretBox): FunctionsRepository {
  const select = db.prepare<[name: string], FunctionRow>(
    `SELECT * FROM functions WHERE name = ? AND version = '${LATEST}'`
  )
  const page = db.prepare<[after: string, limit: number], FunctionRow>(
    `SELECT * FROM functions WHERE version = '${LATEST}' AND name > ? ORDER BY name LIMIT ?`
  )
  const countAll = db.prepare<[], number>(`SELECT count(*) FROM functions WHERE version = '${LATEST}'`).pluck()
  const unsettled = db
    .prepare<[], string>(
      `SELECT name FROM functions WHERE version = '${LATEST}' AND (state = 'Pending' OR last_update_status = 'InProgress')`
    )
    .pluck()
  const referenced = db
    .prepare<{ artifact: string }, number>(`
      SELECT 1 FROM functions WHERE artifact = @artifact
      UNION ALL SELECT 1 FROM functions WHERE layers IS NOT NULL AND json_extract(layers, '$.tree') = @artifact
      LIMIT 1`)
    .pluck()
  const removeAll = db.prepare<[name: string]>('DELETE FROM functions WHERE name = ?')
  const insert = db.prepare<FunctionRow>(`
    INSERT INTO functions (
      name, version, runtime, handler, role, description, memory_mib, timeout_s, ephemeral_mib, environment, network,
      concurrency, instances, invoke_mode, architecture, tags, tracing, logging, layers, artifact, code_sha256, code_size, revision_id,
      state, last_update_status, created_at, last_modified)
    VALUES (
      @name, @version, @runtime, @handler, @role, @description, @memory_mib, @timeout_s, @ephemeral_mib, @environment,
      @network, @concurrency, @instances, @invoke_mode, @architecture, @tags, @tracing, @logging, @layers, @artifact, @code_sha256,
      @code_size, @revision_id, @state, @last_update_status, @created_at, @last_modified)`)
  const write = db.prepare<FunctionRow>(`
    UPDATE functions SET
      runtime = @runtime, handler = @handler, role = @role, description = @description, memory_mib = @memory_mib,
      timeout_s = @timeout_s, ephemeral_mib = @ephemeral_mib, environment = @environment, network = @network,
      concurrency = @concurrency, instances = @instances, invoke_mode = @invoke_mode, architecture = @architecture, tags = @tags,
      tracing = @tracing, logging = @logging, layers = @layers, artifact = @artifact, code_sha256 = @code_sha256,
      code_size = @code_size, revision_id = @revision_id, state = @state, last_update_status = @last_update_status,
      last_modified = @last_modified
    WHERE name = @name AND version = @version`)

  const find = (name: string): FunctionRecord | undefined => {
    const row = select.get(name)
    return row === undefined ? undefined : toFunctionRecord(row, box)
  }

  // Reads, then writes, so it takes the write lock up front (`immediate`): a deferred transaction fails with
  // SQLITE_BUSY_SNAPSHOT, whatever the busy timeout, if another process writes between the two.
  const update = db.transaction(
    (name: string, change: (current: FunctionRecord | undefined) => FunctionRecord | undefined) => {
      const before = find(name)
      const after = change(before)
      if (after === undefined) removeAll.run(name)
      else if (before === undefined) insert.run(toFunctionRow(after, box))
      else if (after !== before) write.run(toFunctionRow(after, box))
      return { before, after }
    }
  )

  return {
    find,
    create(record) {
      update.immediate(record.name, (current) => {
        if (current !== undefined) throw new HearthError('FUNCTION_EXISTS', `Function already exist: ${record.name}`)
        return record
      })
    },
    update: (name, change) => update.immediate(name, change),
    list: (after, limit) => page.all(after, limit).map((row) => toFunctionRecord(row, box)),
    count: () => countAll.get() ?? 0,
    listUnsettled: () => unsettled.all(),
    isReferenced: (artifact) => referenced.get({ artifact }) !== undefined
  }
}
