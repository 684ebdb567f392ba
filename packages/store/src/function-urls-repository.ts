import type { CorsConfig, Domain, FunctionUrl } from '@hearth/shared'
import type { Db } from './sqlite-addon.ts'

/** Function URLs and their domains in SQLite. */
export interface FunctionUrlsRepository {
  find(functionName: string, qualifier: string | undefined): FunctionUrl | undefined
  /**
   * Reads, lets `change` decide and writes, under the write lock. `change` may return undefined to delete the URL, or
   * throw to change nothing.
   */
  update(
    functionName: string,
    qualifier: string | undefined,
    change: (current: FunctionUrl | undefined) => FunctionUrl | undefined
  ): { readonly before: FunctionUrl | undefined; readonly after: FunctionUrl | undefined }
  /** A function's, in order of ids, those after `after`. */
  list(functionName: string, after: string, limit: number): readonly FunctionUrl[]
  findDomain(host: string): Domain | undefined
  /** Under the write lock. @param check - Throws to change nothing */
  putDomain(domain: Domain, check: () => void): { readonly created: boolean; readonly domain: Domain }
  /** @returns whether it was there */
  removeDomain(host: string): boolean
  /** In order of hosts, those after `after`. */
  listDomains(after: string, limit: number): readonly Domain[]
}

interface UrlRow {
  id: string
  function_name: string
  qualifier: string
  auth_type: FunctionUrl['authType']
  cors: string | null
  invoke_mode: FunctionUrl['invokeMode']
  created_at: string
  last_modified: string
}

interface DomainRow {
  host: string
  function_name: string
  qualifier: string
  created_at: string
}

export function createFunctionUrlsRepository(db: Db): FunctionUrlsRepository {
  const select = db.prepare<[name: string, qualifier: string], UrlRow>(
    'SELECT * FROM function_urls WHERE function_name = ? AND qualifier = ?'
  )
  const page = db.prepare<[name: string, after: string, limit: number], UrlRow>(
    'SELECT * FROM function_urls WHERE function_name = ? AND id > ? ORDER BY id LIMIT ?'
  )
  const write = db.prepare<UrlRow>(`
    INSERT INTO function_urls (id, function_name, qualifier, auth_type, cors, invoke_mode, created_at, last_modified)
    VALUES (@id, @function_name, @qualifier, @auth_type, @cors, @invoke_mode, @created_at, @last_modified)
    ON CONFLICT (function_name, qualifier) DO UPDATE SET
      auth_type = excluded.auth_type, cors = excluded.cors, invoke_mode = excluded.invoke_mode,
      last_modified = excluded.last_modified`)
  const remove = db.prepare<[name: string, qualifier: string]>(
    'DELETE FROM function_urls WHERE function_name = ? AND qualifier = ?'
  )
  const selectDomain = db.prepare<[host: string], DomainRow>('SELECT * FROM domains WHERE host = ?')
  const pageDomains = db.prepare<[after: string, limit: number], DomainRow>(
    'SELECT * FROM domains WHERE host > ? ORDER BY host LIMIT ?'
  )
  const writeDomain = db.prepare<DomainRow>(`
    INSERT INTO domains (host, function_name, qualifier, created_at)
    VALUES (@host, @function_name, @qualifier, @created_at)
    ON CONFLICT (host) DO UPDATE SET function_name = excluded.function_name, qualifier = excluded.qualifier`)
  const deleteDomain = db.prepare<[host: string]>('DELETE FROM domains WHERE host = ?')

  const find = (functionName: string, qualifier: string | undefined): FunctionUrl | undefined => {
    const row = select.get(functionName, qualifier ?? '')
    return row === undefined ? undefined : toFunctionUrl(row)
  }
  const findDomain = (host: string): Domain | undefined => {
    const row = selectDomain.get(host)
    return row === undefined ? undefined : toDomain(row)
  }

  const update = db.transaction(
    (
      functionName: string,
      qualifier: string | undefined,
      change: (current: FunctionUrl | undefined) => FunctionUrl | undefined
    ) => {
      const before = find(functionName, qualifier)
      const after = change(before)
      if (after === undefined) remove.run(functionName, qualifier ?? '')
      else write.run(toRow(after))
      return { before, after }
    }
  )
  const putDomain = db.transaction((domain: Domain, check: () => void) => {
    check()
    const before = findDomain(domain.host)
    writeDomain.run({
      host: domain.host,
      function_name: domain.functionName,
      qualifier: domain.qualifier ?? '',
      created_at: domain.createdAt
    })
    return { created: before === undefined, domain: { ...domain, createdAt: before?.createdAt ?? domain.createdAt } }
  })

  return {
    find,
    update: (functionName, qualifier, change) => update.immediate(functionName, qualifier, change),
    list: (functionName, after, limit) => page.all(functionName, after, limit).map(toFunctionUrl),
    findDomain,
    putDomain: (domain, check) => putDomain.immediate(domain, check),
    removeDomain: (host) => deleteDomain.run(host).changes > 0,
    listDomains: (after, limit) => pageDomains.all(after, limit).map(toDomain)
  }
}

/** The reading half, which the gateway has. */
export function prepareUrlLookup(db: Db) {
  const byId = db.prepare<[id: string], UrlRow>('SELECT * FROM function_urls WHERE id = ?')
  const byHost = db.prepare<[host: string], UrlRow>(`
    SELECT function_urls.* FROM domains JOIN function_urls USING (function_name, qualifier) WHERE host = ?`)
  const hasDomain = db.prepare<[host: string], number>('SELECT 1 FROM domains WHERE host = ?').pluck()
  const orUndefined = (row: UrlRow | undefined): FunctionUrl | undefined => row && toFunctionUrl(row)
  return {
    findUrl: (id: string) => orUndefined(byId.get(id)),
    findDomain: (host: string) =>
      hasDomain.get(host) === undefined ? undefined : { url: orUndefined(byHost.get(host)) }
  }
}

function toRow(url: FunctionUrl): UrlRow {
  return {
    id: url.id,
    function_name: url.functionName,
    qualifier: url.qualifier ?? '',
    auth_type: url.authType,
    cors: url.cors === undefined ? null : JSON.stringify(url.cors),
    invoke_mode: url.invokeMode,
    created_at: url.createdAt,
    last_modified: url.lastModified
  }
}

function toFunctionUrl(row: UrlRow): FunctionUrl {
  return {
    id: row.id,
    functionName: row.function_name,
    qualifier: row.qualifier === '' ? undefined : row.qualifier,
    authType: row.auth_type,
    cors: row.cors === null ? undefined : (JSON.parse(row.cors) as CorsConfig),
    invokeMode: row.invoke_mode,
    createdAt: row.created_at,
    lastModified: row.last_modified
  }
}

function toDomain(row: DomainRow): Domain {
  return {
    host: row.host,
    functionName: row.function_name,
    qualifier: row.qualifier === '' ? undefined : row.qualifier,
    createdAt: row.created_at
  }
}
