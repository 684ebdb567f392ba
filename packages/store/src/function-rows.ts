import type { FunctionLayers, FunctionRecord, InstanceBackend, LoggingConfig, NetworkPolicy } from '@hearth/shared'
import type { SecretBox } from './secret-box.ts'

/** Function records: rows of `functions`, with what is of the function as a whole. */
export const SELECT_FUNCTIONS = `
  SELECT functions.*, reserved_concurrency.executions AS reserved_concurrency
  FROM functions LEFT JOIN reserved_concurrency ON reserved_concurrency.function = functions.name`

/** A row of {@link SELECT_FUNCTIONS} as SQLite holds it; it does not leave this package. */
export interface FunctionRow {
  name: string
  version: string
  runtime: string
  handler: string
  role: string
  description: string
  memory_mib: number
  timeout_s: number
  ephemeral_mib: number
  environment: Buffer | null
  network: NetworkPolicy | null
  concurrency: number
  instances: InstanceBackend | null
  invoke_mode: FunctionRecord['invokeMode']
  architecture: FunctionRecord['architecture']
  tags: string
  tracing: FunctionRecord['tracing']
  logging: string
  snap_start: FunctionRecord['snapStart']
  layers: string | null
  dead_letter_target: string | null
  artifact: string
  code_sha256: string
  code_size: number
  revision_id: string
  state: FunctionRecord['state']
  last_update_status: 'Successful' | 'InProgress' | 'Failed' | null
  created_at: string
  last_modified: string
  reserved_concurrency: number | null
}

/** What of a record is a row of `functions`. */
export function toFunctionRow(record: FunctionRecord, box: SecretBox): Omit<FunctionRow, 'reserved_concurrency'> {
  return {
    name: record.name,
    version: record.version,
    runtime: record.runtime,
    handler: record.handler,
    role: record.role,
    description: record.description,
    memory_mib: record.memoryMiB,
    timeout_s: record.timeoutS,
    ephemeral_mib: record.ephemeralMiB,
    environment:
      record.environment === undefined
        ? null
        : box.seal(JSON.stringify(record.environment), environmentRecord(record.name, record.version)),
    network: record.network ?? null,
    concurrency: record.concurrency,
    instances: record.instances ?? null,
    invoke_mode: record.invokeMode,
    architecture: record.architecture,
    tags: JSON.stringify(record.tags),
    tracing: record.tracing,
    logging: JSON.stringify(record.logging),
    snap_start: record.snapStart,
    layers: record.layers === undefined ? null : JSON.stringify(record.layers),
    dead_letter_target: record.deadLetterTarget ?? null,
    artifact: record.artifact,
    code_sha256: record.codeSha256,
    code_size: record.codeSize,
    revision_id: record.revisionId,
    state: record.state,
    last_update_status: record.lastUpdateStatus ?? null,
    created_at: record.createdAt,
    last_modified: record.lastModified
  }
}

/** @throws SecretBoxError when the environment was sealed under another master key or for another function */
export function toFunctionRecord(row: FunctionRow, box: SecretBox): FunctionRecord {
  return {
    name: row.name,
    version: row.version,
    runtime: row.runtime,
    handler: row.handler,
    role: row.role,
    description: row.description,
    memoryMiB: row.memory_mib,
    timeoutS: row.timeout_s,
    ephemeralMiB: row.ephemeral_mib,
    environment:
      row.environment === null
        ? undefined
        : (JSON.parse(box.open(row.environment, environmentRecord(row.name, row.version))) as Record<string, string>),
    network: row.network ?? undefined,
    concurrency: row.concurrency,
    reservedConcurrency: row.reserved_concurrency ?? undefined,
    instances: row.instances ?? undefined,
    invokeMode: row.invoke_mode,
    architecture: row.architecture,
    tags: JSON.parse(row.tags) as Record<string, string>,
    tracing: row.tracing,
    logging: JSON.parse(row.logging) as LoggingConfig,
    snapStart: row.snap_start,
    ...(row.layers === null ? {} : { layers: JSON.parse(row.layers) as FunctionLayers }),
    ...(row.dead_letter_target === null ? {} : { deadLetterTarget: row.dead_letter_target }),
    artifact: row.artifact,
    codeSha256: row.code_sha256,
    codeSize: row.code_size,
    revisionId: row.revision_id,
    state: row.state,
    lastUpdateStatus: row.last_update_status ?? undefined,
    createdAt: row.created_at,
    lastModified: row.last_modified
  }
}

/** What a sealed environment is bound to: it opens in this row only. */
export function environmentRecord(name: string, version: string): string {
  return `functions/${name}/${version}/environment`
}
