import type { Webhook, WebhookSecret, WebhookSettings } from '@hearth/shared'
import type { SecretBox } from '../secret-box.ts'
import type { Db } from '../sqlite-addon.ts'

/** Webhooks in SQLite. */
export interface WebhooksRepository {
  find(name: string): Webhook | undefined
  /** @param secrets - The one that counts first; none: senders prove nothing. */
  put(webhook: Webhook, secrets: readonly WebhookSecret[]): void
  setEnabled(name: string, isEnabled: boolean, at: number): void
  /** @throws SecretBoxError */
  secretsOf(webhook: Pick<Webhook, 'name'>): readonly WebhookSecret[]
  remove(name: string): void
  /** By name, those after `after`. */
  list(after: string, limit: number): readonly Webhook[]
}

/** A webhook as the gateway has it. */
export interface SealedWebhook extends Webhook {
  /** Opens its secrets. @throws SecretBoxError */
  readonly secrets: () => readonly WebhookSecret[]
}

interface Row {
  name: string
  id: string
  settings: string
  is_enabled: number
  secrets: Buffer | null
  created_at: number
  modified_at: number
}

export function createWebhooksRepository(db: Db, box: SecretBox): WebhooksRepository {
  const find = db.prepare<[string], Row>('SELECT * FROM webhooks WHERE name = ?')
  const put = db.prepare<Row>(`INSERT INTO webhooks (name, id, settings, is_enabled, secrets, created_at, modified_at)
    VALUES (@name, @id, @settings, @is_enabled, @secrets, @created_at, @modified_at)
    ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, is_enabled = excluded.is_enabled,
      secrets = excluded.secrets, modified_at = excluded.modified_at`)
  const enable = db.prepare('UPDATE webhooks SET is_enabled = ?, modified_at = ? WHERE name = ?')
  const remove = db.prepare<[string]>('DELETE FROM webhooks WHERE name = ?')
  const list = db.prepare<[string, number], Row>('SELECT * FROM webhooks WHERE name > ? ORDER BY name LIMIT ?')
  return {
    find(name) {
      const row = find.get(name)
      return row && toWebhook(row)
    },
    put({ name, id, isEnabled, createdAt, modifiedAt, ...settings }, secrets) {
      put.run({
        name,
        id,
        settings: JSON.stringify(settings),
        is_enabled: isEnabled ? 1 : 0,
        secrets: secrets.length === 0 ? null : box.seal(JSON.stringify(secrets), webhookRecord(id)),
        created_at: createdAt,
        modified_at: modifiedAt
      })
    },
    setEnabled: (name, isEnabled, at) => void enable.run(isEnabled ? 1 : 0, at, name),
    secretsOf({ name }) {
      const row = find.get(name)
      return row === undefined ? [] : open(row, box)
    },
    remove: (name) => void remove.run(name),
    list: (after, limit) => list.all(after, limit).map(toWebhook)
  }
}

/** The reading half, which the gateway has. */
export function prepareWebhookList(db: Db, box: SecretBox): () => readonly SealedWebhook[] {
  const all = db.prepare<[], Row>('SELECT * FROM webhooks ORDER BY name')
  return () => all.all().map((row) => ({ ...toWebhook(row), secrets: () => open(row, box) }))
}

/** What sealed secrets are bound to: they open in this row only. */
export function webhookRecord(id: string): string {
  return `webhooks/${id}/secrets`
}

function open({ id, secrets }: Row, box: SecretBox): readonly WebhookSecret[] {
  return secrets === null ? [] : (JSON.parse(box.open(secrets, webhookRecord(id))) as WebhookSecret[])
}

function toWebhook(row: Row): Webhook {
  return {
    ...(JSON.parse(row.settings) as WebhookSettings),
    name: row.name,
    id: row.id,
    isEnabled: row.is_enabled === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at
  }
}
