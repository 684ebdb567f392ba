import { keySecretRecord } from './access/keys-repository.ts'
import { alarmWebhookRecord } from './alarms/alarms-repository.ts'
import { budgetRecord } from './budgets-repository.ts'
import { destinationRecord } from './event-invoke-repository.ts'
import { environmentRecord } from './function-rows.ts'
import { keyedBodyRecord } from './idempotency-keys.ts'
import { KEY_ID_BYTES, type SecretBox, SecretBoxError } from './secret-box.ts'
import { parameterRecord } from './secrets/parameters-repository.ts'
import { secretRecord } from './secrets/secrets-repository.ts'
import { serverSecretRecord } from './server-secrets.ts'
import type { Db } from './sqlite-addon.ts'
import { webhookRecord } from './triggers/webhooks-repository.ts'

type Row = Readonly<Record<string, string | number>>

interface SealedColumn {
  readonly table: string
  readonly column: string
  /** Members of the row that say what the value is bound to. */
  readonly of: readonly string[]
  readonly record: (row: Row) => string
}

/** Everything in the database that is sealed: the keys first, because a change of theirs is what the gateway hears of. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  column('keys', 'secret', ['access_key_id'], keySecretRecord),
  column('server_secrets', 'value', ['name'], serverSecretRecord),
  column('functions', 'environment', ['name', 'version'], environmentRecord),
  ...(['on_success', 'on_failure'] as const).map((member) =>
    column(
      'event_invoke_configs',
      `${member}_secret`,
      ['function_name', 'qualifier'],
      (name: string, qualifier: string) => destinationRecord(name, qualifier, member)
    )
  ),
  column(
    'secret_versions JOIN secrets ON secrets.name = secret_versions.secret',
    'value',
    ['secret', 'suffix', 'version_id', 'kind'],
    secretRecord
  ),
  column('parameter_versions', 'value', ['parameter', 'version'], parameterRecord),
  column('webhooks', 'secrets', ['id'], webhookRecord),
  column('alarm_webhooks', 'secret', ['alarm', 'url'], alarmWebhookRecord),
  column('budgets', 'secret', ['name'], budgetRecord),
  column('idempotency_keys', 'body', ['caller', 'key'], keyedBodyRecord)
]

/** Seals what is in the database anew, under the key that seals now. */
export interface Resealer {
  /**
   * One transaction: a crash loses at most that one, and what it leaves is readable by either key.
   *
   * @param limit - Values at most.
   * @returns how many were sealed anew; 0: nothing is left that could be
   */
  step(limit: number): number
  /** All of the first column, in one transaction. */
  first(): void
  /** Values by the id of the key that they are sealed under. */
  counts(): ReadonlyMap<string, number>
  /** Values that cannot be opened with any key; they stay as they are. */
  readonly unreadable: number
}

export function createResealer(db: Db, box: SecretBox): Resealer {
  const unreadable = new Set<string>()
  const id = (name: string) => `hex(substr(${name}, ${KEY_ID_BYTES.start + 1}, ${KEY_ID_BYTES.length}))`
  const columns = SEALED_COLUMNS.map(({ table, column: name, of, record }) => {
    const [own = ''] = table.split(' ')
    return {
      own,
      record,
      select: db.prepare<[id: string, limit: number], Row & { readonly at: number; readonly sealed: Buffer }>(`
        SELECT ${own}.rowid AS at, ${own}.${name} AS sealed, ${of.join(', ')} FROM ${table}
        WHERE ${own}.${name} IS NOT NULL AND ${id(`${own}.${name}`)} <> ? LIMIT ?`),
      update: db.prepare(`UPDATE ${own} SET ${name} = ? WHERE rowid = ?`),
      count: db.prepare<[], { id: string; count: number }>(
        `SELECT ${id(name)} AS id, count(*) AS count FROM ${own} WHERE ${name} IS NOT NULL GROUP BY 1`
      )
    }
  })
  type Column = (typeof columns)[number]

  const reseal = ({ own, record, select, update }: Column, limit: number): number => {
    let done = 0
    for (const row of select.all(box.keyId.toUpperCase(), limit + unreadable.size)) {
      const name = `${own}/${row.at}`
      if (done === limit || unreadable.has(name)) continue
      const bound = record(row)
      try {
        update.run(box.seal(box.open(row.sealed, bound), bound), row.at)
        done++
      } catch (err) {
        if (!(err instanceof SecretBoxError)) throw err
        unreadable.add(name)
      }
    }
    return done
  }
  const step = db.transaction((limit: number): number => {
    let done = 0
    for (const each of columns) if (done < limit) done += reseal(each, limit - done)
    return done
  })
  const first = db.transaction(() => void reseal(columns[0]!, Number.MAX_SAFE_INTEGER - unreadable.size))
  return {
    step: (limit) => step.immediate(limit),
    first: () => {
      first.immediate()
    },
    counts() {
      const counts = new Map<string, number>()
      for (const { count } of columns) {
        for (const found of count.all()) {
          const key = found.id.toLowerCase()
          counts.set(key, (counts.get(key) ?? 0) + found.count)
        }
      }
      return counts
    },
    get unreadable() {
      return unreadable.size
    }
  }
}

function column<Of extends readonly (string | number)[]>(
  table: string,
  name: string,
  of: { readonly [Member in keyof Of]: string },
  record: (...values: Of) => string
): SealedColumn {
  return { table, column: name, of, record: (row) => record(...(of.map((member) => row[member]) as unknown as Of)) }
}
