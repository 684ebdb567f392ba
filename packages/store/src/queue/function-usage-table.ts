import { type Architecture, type FunctionUsageDay, MEASURES, type Measure } from '@hearth/shared/function-usage'
import type { Db } from '../sqlite-addon.ts'
import type { Batches } from './batches.ts'
import type {
  FunctionUsageCounts,
  FunctionUsageOperation,
  ProvisionedBlock,
  UsageBatch
} from './function-usage-types.ts'

/** Column of each measure. */
const COLUMNS: Readonly<Record<Measure, string>> = {
  requests: 'requests',
  eventRequests: 'event_requests',
  billedMs: 'billed_ms',
  durationMsMiB: 'duration',
  provisionedDurationMsMiB: 'provisioned_duration',
  provisionedMsMiB: 'provisioned',
  ephemeralMsMiB: 'ephemeral',
  streamedBytes: 'streamed_bytes',
  billedStreamBytes: 'billed_stream_bytes'
}

interface Row {
  readonly functionName: string
  readonly role: string
  readonly architecture: Architecture
}

export interface FunctionUsageTable {
  /** Inside the transaction of whoever asks. */
  apply(operation: FunctionUsageOperation): unknown
}

export function createFunctionUsageTable(db: Db): FunctionUsageTable {
  const names = MEASURES.map((measure) => COLUMNS[measure])
  const upsert = db.prepare(`
    INSERT INTO function_usage (day, function_name, role, architecture, ${names.join(', ')})
    VALUES (?, ?, ?, ?, ${names.map(() => '?').join(', ')})
    ON CONFLICT (day, function_name, role, architecture)
    DO UPDATE SET ${names.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`)
  const note = db.prepare<[process: string, sequence: number]>(`
    INSERT INTO function_usage_added (process, sequence) VALUES (?, ?)
    ON CONFLICT (process) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence`)
  // One process at a time has the file: the others are over.
  const forgetOthers = db.prepare<[process: string]>('DELETE FROM function_usage_added WHERE process <> ?')
  const ofDay = db.prepare<[day: number], Row & Record<Measure, number>>(`
    SELECT function_name AS functionName, role, architecture,
      ${MEASURES.map((measure) => `${COLUMNS[measure]} AS ${measure}`).join(', ')}
    FROM function_usage WHERE day = ? ORDER BY function_name, role, architecture`)
  const prune = db.prepare<[before: number, limit: number]>(`
    DELETE FROM function_usage WHERE (day, function_name, role, architecture) IN (
      SELECT day, function_name, role, architecture FROM function_usage WHERE day < ? LIMIT ?)`)
  const blocks = db.prepare<[], ProvisionedBlock>(`
    SELECT function_name AS functionName, qualifier, started_at AS startedAt, charged_mib AS chargedMiB
    FROM provisioned_blocks`)
  const clearBlocks = db.prepare('DELETE FROM provisioned_blocks')
  const addBlock = db.prepare<[string, string, number, number]>(`
    INSERT INTO provisioned_blocks (function_name, qualifier, started_at, charged_mib) VALUES (?, ?, ?, ?)`)

  function add({ process, sequence, keys, values, blocks }: UsageBatch): void {
    if (note.run(process, sequence).changes === 0) return
    forgetOthers.run(process)
    for (const [index, { day, functionName, role, architecture }] of keys.entries()) {
      const at = index * MEASURES.length
      // Numbers come as floats, and a STRICT table wants whole ones: SQLite takes those without loss below 2^53.
      upsert.run(day, functionName, role, architecture, ...values.subarray(at, at + MEASURES.length))
    }
    if (blocks === undefined) return
    clearBlocks.run()
    for (const block of blocks) addBlock.run(block.functionName, block.qualifier, block.startedAt, block.chargedMiB)
  }

  return {
    apply(operation) {
      switch (operation.kind) {
        case 'add-function-usage':
          add(operation.batch)
          return undefined
        case 'day-of-function-usage':
          return ofDay.all(operation.day).map(
            ({ functionName, role, architecture, ...usage }): FunctionUsageDay => ({
              day: operation.day,
              functionName,
              role,
              architecture,
              usage
            })
          )
        case 'provisioned-blocks':
          return blocks.all()
        case 'prune-function-usage':
          return prune.run(operation.before, operation.limit).changes
      }
    }
  }
}

/** The function usage's part of the way to the thread that writes. */
export function createFunctionUsageClient(batches: Batches): FunctionUsageCounts {
  return {
    add: (batch) => batches.ask({ kind: 'add-function-usage', batch }),
    day: (day) => batches.ask({ kind: 'day-of-function-usage', day }),
    blocks: () => batches.ask({ kind: 'provisioned-blocks' }),
    prune: (before, limit) => batches.ask({ kind: 'prune-function-usage', before, limit })
  }
}
