import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

/** What the processes of this server share, sealed: it stays when the master key becomes another. */
export interface ServerSecrets {
  find(name: string): string | undefined
  /** @returns what is there already, or `value`, which is then kept */
  ensure(name: string, value: string): string
}

export function createServerSecrets(db: Db, box: SecretBox): ServerSecrets {
  const find = prepareServerSecret(db, box)
  const insert = db.prepare('INSERT INTO server_secrets (name, value) VALUES (?, ?)')
  return {
    find,
    ensure(name, value) {
      const known = find(name)
      if (known === undefined) insert.run(name, box.seal(value, serverSecretRecord(name)))
      return known ?? value
    }
  }
}

/** The reading half, which the gateway has. */
export function prepareServerSecret(db: Db, box: SecretBox): (name: string) => string | undefined {
  const select = db.prepare<[name: string], Buffer>('SELECT value FROM server_secrets WHERE name = ?').pluck()
  return (name) => {
    const sealed = select.get(name)
    return sealed && box.open(sealed, serverSecretRecord(name))
  }
}

/** What a sealed value is bound to: it opens in this row only. */
export function serverSecretRecord(name: string): string {
  return `server_secrets/${name}`
}
