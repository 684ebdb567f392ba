import type { Destination, EventInvokeConfig } from '@hearth/shared'
import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

/** Configs of asynchronous invocation in SQLite. Rows go when their function, version or alias goes. */
export interface EventInvokeRepository {
  find(functionName: string, qualifier: string): EventInvokeConfig | undefined
  put(config: EventInvokeConfig): void
  /** @returns whether there was one */
  remove(functionName: string, qualifier: string): boolean
  /** A function's, by qualifier in byte order, those after `after`. */
  list(functionName: string, after: string, limit: number): readonly EventInvokeConfig[]
}

interface Row {
  function_name: string
  qualifier: string
  max_retries: number | null
  max_age_s: number | null
  on_success: string | null
  on_success_secret: Buffer | null
  on_failure: string | null
  on_failure_secret: Buffer | null
  last_modified: string
}

export function createEventInvokeRepository(db: Db, box: SecretBox): EventInvokeRepository {
  const select = db.prepare<[name: string, qualifier: string], Row>(
    'SELECT * FROM event_invoke_configs WHERE function_name = ? AND qualifier = ?'
  )
  const page = db.prepare<[name: string, after: string, limit: number], Row>(
    'SELECT * FROM event_invoke_configs WHERE function_name = ? AND qualifier > ? ORDER BY qualifier LIMIT ?'
  )
  const write = db.prepare<Row>(`
    INSERT OR REPLACE INTO event_invoke_configs (function_name, qualifier, max_retries, max_age_s, on_success,
      on_success_secret, on_failure, on_failure_secret, last_modified)
    VALUES (@function_name, @qualifier, @max_retries, @max_age_s, @on_success, @on_success_secret, @on_failure,
      @on_failure_secret, @last_modified)`)
  const remove = db.prepare<[name: string, qualifier: string]>(
    'DELETE FROM event_invoke_configs WHERE function_name = ? AND qualifier = ?'
  )
  return {
    find(functionName, qualifier) {
      const row = select.get(functionName, qualifier)
      return row && toConfig(row, box)
    },
    put: (config) => void write.run(toRow(config, box)),
    remove: (functionName, qualifier) => remove.run(functionName, qualifier).changes > 0,
    list: (functionName, after, limit) => page.all(functionName, after, limit).map((row) => toConfig(row, box))
  }
}

/** What the gateway must know to run a function's events. */
export interface EventSettings {
  readonly configs: readonly EventInvokeConfig[]
  /** Whether the function may call itself without end. */
  readonly mayRecurse: boolean
}

/** The reading half, which the gateway has. */
export function prepareEventSettings(db: Db, box: SecretBox): (functionName: string) => EventSettings {
  const select = db.prepare<[name: string], Row>('SELECT * FROM event_invoke_configs WHERE function_name = ?')
  const loop = db.prepare<[name: string], string>('SELECT recursive_loop FROM function_options WHERE name = ?').pluck()
  return (functionName) => ({
    configs: select.all(functionName).map((row) => toConfig(row, box)),
    mayRecurse: loop.get(functionName) === 'Allow'
  })
}

function toRow(config: EventInvokeConfig, box: SecretBox): Row {
  const { functionName, qualifier, onSuccess, onFailure } = config
  const sealed = (destination: Destination | undefined, member: string): Buffer | null =>
    destination?.secret === undefined
      ? null
      : box.seal(destination.secret, destinationRecord(functionName, qualifier, member))
  return {
    function_name: functionName,
    qualifier,
    max_retries: config.maxRetries ?? null,
    max_age_s: config.maxAgeS ?? null,
    on_success: onSuccess?.target ?? null,
    on_success_secret: sealed(onSuccess, 'on_success'),
    on_failure: onFailure?.target ?? null,
    on_failure_secret: sealed(onFailure, 'on_failure'),
    last_modified: config.lastModified
  }
}

function toConfig(row: Row, box: SecretBox): EventInvokeConfig {
  const destination = (target: string | null, secret: Buffer | null, member: string): Destination | undefined =>
    target === null
      ? undefined
      : {
          target,
          secret:
            secret === null ? undefined : box.open(secret, destinationRecord(row.function_name, row.qualifier, member))
        }
  return {
    functionName: row.function_name,
    qualifier: row.qualifier,
    maxRetries: row.max_retries ?? undefined,
    maxAgeS: row.max_age_s ?? undefined,
    onSuccess: destination(row.on_success, row.on_success_secret, 'on_success'),
    onFailure: destination(row.on_failure, row.on_failure_secret, 'on_failure'),
    lastModified: row.last_modified
  }
}

/** What a sealed secret is bound to: it opens in this row only. */
export function destinationRecord(functionName: string, qualifier: string, member: string): string {
  return `event_invoke_configs/${functionName}/${qualifier}/${member}`
}
