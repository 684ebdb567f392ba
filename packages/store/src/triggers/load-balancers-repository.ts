import type { LoadBalancer, LoadBalancerSettings } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** Load balancers in SQLite. */
export interface LoadBalancersRepository {
  find(name: string): LoadBalancer | undefined
  /** With its domains, which nothing else may have. */
  put(loadBalancer: LoadBalancer): void
  setEnabled(name: string, isEnabled: boolean, at: number): void
  /** With its domains. */
  remove(name: string): void
  /** By name, those after `after`. */
  list(after: string, limit: number): readonly LoadBalancer[]
}

/** What a host name leads to. */
export interface HostOwner {
  readonly kind: 'function-url' | 'api' | 'load-balancer'
  /** Of a load balancer: its own; of the others the host's. */
  readonly name: string
}

interface Row {
  name: string
  id: string
  settings: string
  is_enabled: number
  created_at: number
  modified_at: number
}

export function createLoadBalancersRepository(db: Db): LoadBalancersRepository {
  const find = db.prepare<[string], Row>('SELECT * FROM load_balancers WHERE name = ?')
  const put = db.prepare<Row>(`INSERT INTO load_balancers (name, id, settings, is_enabled, created_at, modified_at)
    VALUES (@name, @id, @settings, @is_enabled, @created_at, @modified_at)
    ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, is_enabled = excluded.is_enabled,
      modified_at = excluded.modified_at`)
  const enable = db.prepare('UPDATE load_balancers SET is_enabled = ?, modified_at = ? WHERE name = ?')
  const remove = db.prepare<[string]>('DELETE FROM load_balancers WHERE name = ?')
  const list = db.prepare<[string, number], Row>('SELECT * FROM load_balancers WHERE name > ? ORDER BY name LIMIT ?')
  const dropDomains = db.prepare<[string]>('DELETE FROM load_balancer_domains WHERE name = ?')
  const addDomain = db.prepare<[string, string]>('INSERT INTO load_balancer_domains (host, name) VALUES (?, ?)')
  const write = db.transaction((one: LoadBalancer) => {
    const { name, id, isEnabled, createdAt, modifiedAt, ...settings } = one
    put.run({
      name,
      id,
      settings: JSON.stringify(settings),
      is_enabled: isEnabled ? 1 : 0,
      created_at: createdAt,
      modified_at: modifiedAt
    })
    dropDomains.run(name)
    for (const host of settings.domains) addDomain.run(host, name)
  })
  return {
    find(name) {
      const row = find.get(name)
      return row && toLoadBalancer(row)
    },
    put: (one) => void write.immediate(one),
    setEnabled: (name, isEnabled, at) => void enable.run(isEnabled ? 1 : 0, at, name),
    remove: (name) => void remove.run(name),
    list: (after, limit) => list.all(after, limit).map(toLoadBalancer)
  }
}

/** The reading half, which the gateway has. */
export function prepareLoadBalancerList(db: Db): () => readonly LoadBalancer[] {
  const all = db.prepare<[], Row>('SELECT * FROM load_balancers ORDER BY name')
  return () => all.all().map(toLoadBalancer)
}

/** Who has a host name, of all that may have one. */
export function prepareHostOwner(db: Db): (host: string) => HostOwner | undefined {
  const find = db.prepare<{ host: string }, HostOwner>(`
    SELECT 'function-url' AS kind, host AS name FROM domains WHERE host = @host
    UNION ALL SELECT 'api', name FROM api_domains WHERE name = @host
    UNION ALL SELECT 'load-balancer', name FROM load_balancer_domains WHERE host = @host`)
  return (host) => find.get({ host })
}

function toLoadBalancer(row: Row): LoadBalancer {
  return {
    ...(JSON.parse(row.settings) as LoadBalancerSettings),
    name: row.name,
    id: row.id,
    isEnabled: row.is_enabled === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at
  }
}
