import type { Db } from '../sqlite-addon.ts'
import type { Receipt } from './types.ts'

/** Deliveries by their senders' own ids. */
export function createReceiptTable(db: Db) {
  const insert = db.prepare(`INSERT INTO receipts (key, first_id, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET first_id = excluded.first_id, expires_at = excluded.expires_at
    WHERE expires_at <= ?`)
  const find = db.prepare<[key: string], string>('SELECT first_id FROM receipts WHERE key = ?').pluck()
  const prune = db.prepare(
    'DELETE FROM receipts WHERE rowid IN (SELECT rowid FROM receipts WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)'
  )
  return {
    /** @returns the id of the first where this is not of the first; undefined also for what else the first makes */
    note({ key, id, expiresAt }: Receipt, now: number): string | undefined {
      if (insert.run(key, id, expiresAt, now).changes > 0) return undefined
      const first = find.get(key)
      return first === id ? undefined : first
    },
    prune: (now: number, limit: number): number => prune.run(now, limit).changes
  }
}
