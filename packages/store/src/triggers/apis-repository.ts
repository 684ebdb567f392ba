import type {
  Api,
  ApiAuthorizer,
  ApiDeployment,
  ApiDomain,
  ApiIntegration,
  ApiMapping,
  ApiRoute,
  ApiStage,
  PublishedApi
} from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** What an API is made of, by kind. */
export interface ApiParts {
  route: ApiRoute
  integration: ApiIntegration
  authorizer: ApiAuthorizer
  stage: ApiStage
  deployment: ApiDeployment
}

export type ApiPartKind = keyof ApiParts

/** HTTP and WebSocket APIs in SQLite. Lists are by id, those after `after`; a stage's id is its name. */
export interface ApisRepository {
  find(id: string): Api | undefined
  put(api: Api): void
  /** With all that belongs to it. */
  remove(id: string): void
  list(after: string, limit: number): readonly Api[]
  count(): number
  /** By its name in /v1/triggers. */
  findTrigger(protocol: Api['protocol'], name: string): Api | undefined
  /** By names in /v1/triggers. */
  listTriggers(protocol: Api['protocol'], after: string, limit: number): readonly Api[]
  findPart<K extends ApiPartKind>(apiId: string, kind: K, id: string): ApiParts[K] | undefined
  /** By what there may be once: a route's key. */
  findPartByKey<K extends ApiPartKind>(apiId: string, kind: K, key: string): ApiParts[K] | undefined
  putPart<K extends ApiPartKind>(apiId: string, kind: K, part: ApiParts[K]): void
  /** @returns whether there was one */
  removePart(apiId: string, kind: ApiPartKind, id: string): boolean
  listParts<K extends ApiPartKind>(apiId: string, kind: K, after: string, limit: number): readonly ApiParts[K][]
  countParts(apiId: string, kind: ApiPartKind): number
  /** Those that were made by themselves and that no stage points to. */
  removeUnusedDeployments(apiId: string): void
  findDomain(name: string): ApiDomain | undefined
  putDomain(domain: ApiDomain): void
  removeDomain(name: string): boolean
  listDomains(after: string, limit: number): readonly ApiDomain[]
  findMapping(domain: string, id: string): ApiMapping | undefined
  putMapping(mapping: ApiMapping): void
  removeMapping(domain: string, id: string): boolean
  listMappings(domain: string, after: string, limit: number): readonly ApiMapping[]
  findMappingByKey(domain: string, key: string): ApiMapping | undefined
  /** Of all domains. */
  listMappingsOf(apiId: string): readonly ApiMapping[]
  /** Of an API, or of one of its stages. */
  countMappings(apiId: string, stage?: string): number
}

interface MappingRow {
  domain: string
  id: string
  api_id: string
  stage: string
  key: string
}

export function createApisRepository(db: Db): ApisRepository {
  const find = db.prepare<[string], string>('SELECT body FROM apis WHERE id = ?').pluck()
  const put = db.prepare<{
    id: string
    name: string
    protocol: string
    trigger_name: string | null
    body: string
    created_at: number
  }>(`
    INSERT INTO apis (id, name, protocol, trigger_name, body, created_at)
    VALUES (@id, @name, @protocol, @trigger_name, @body, @created_at)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, trigger_name = excluded.trigger_name, body = excluded.body`)
  const remove = db.prepare<[string]>('DELETE FROM apis WHERE id = ?')
  const list = db.prepare<[string, number], string>('SELECT body FROM apis WHERE id > ? ORDER BY id LIMIT ?').pluck()
  const count = db.prepare<[], number>('SELECT count(*) FROM apis').pluck()
  const findTrigger = db
    .prepare<[string, string], string>('SELECT body FROM apis WHERE protocol = ? AND trigger_name = ?')
    .pluck()
  const listTriggers = db
    .prepare<[string, string, number], string>(
      'SELECT body FROM apis WHERE protocol = ? AND trigger_name > ? ORDER BY trigger_name LIMIT ?'
    )
    .pluck()
  const findPart = db
    .prepare<[string, string, string], string>('SELECT body FROM api_parts WHERE api_id = ? AND kind = ? AND id = ?')
    .pluck()
  const findByKey = db
    .prepare<[string, string, string], string>('SELECT body FROM api_parts WHERE api_id = ? AND kind = ? AND key = ?')
    .pluck()
  const putPart = db.prepare<{ api_id: string; kind: string; id: string; key: string; body: string }>(`
    INSERT INTO api_parts (api_id, kind, id, key, body) VALUES (@api_id, @kind, @id, @key, @body)
    ON CONFLICT (api_id, kind, id) DO UPDATE SET key = excluded.key, body = excluded.body`)
  const removePart = db.prepare<[string, string, string]>(
    'DELETE FROM api_parts WHERE api_id = ? AND kind = ? AND id = ?'
  )
  const listParts = db
    .prepare<[string, string, string, number], string>(
      'SELECT body FROM api_parts WHERE api_id = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?'
    )
    .pluck()
  const countParts = db
    .prepare<[string, string], number>('SELECT count(*) FROM api_parts WHERE api_id = ? AND kind = ?')
    .pluck()
  const removeUnused = db.prepare<{ api: string }>(`
    DELETE FROM api_parts
    WHERE api_id = @api AND kind = 'deployment' AND body ->> '$.autoDeployed' = 1 AND NOT EXISTS (
      SELECT 1 FROM api_parts s
      WHERE s.api_id = @api AND s.kind = 'stage' AND s.body ->> '$.deploymentId' = api_parts.id)`)
  const findDomain = db.prepare<[string], string>('SELECT body FROM api_domains WHERE name = ?').pluck()
  const putDomain = db.prepare<[string, string]>(`
    INSERT INTO api_domains (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body`)
  const removeDomain = db.prepare<[string]>('DELETE FROM api_domains WHERE name = ?')
  const listDomains = db
    .prepare<[string, number], string>('SELECT body FROM api_domains WHERE name > ? ORDER BY name LIMIT ?')
    .pluck()
  const findMapping = db.prepare<[string, string], MappingRow>('SELECT * FROM api_mappings WHERE domain = ? AND id = ?')
  const putMapping = db.prepare<MappingRow>(`
    INSERT INTO api_mappings (domain, id, api_id, stage, key) VALUES (@domain, @id, @api_id, @stage, @key)
    ON CONFLICT (domain, id) DO UPDATE SET api_id = excluded.api_id, stage = excluded.stage, key = excluded.key`)
  const removeMapping = db.prepare<[string, string]>('DELETE FROM api_mappings WHERE domain = ? AND id = ?')
  const listMappings = db.prepare<[string, string, number], MappingRow>(
    'SELECT * FROM api_mappings WHERE domain = ? AND id > ? ORDER BY id LIMIT ?'
  )
  const findMappingByKey = db.prepare<[string, string], MappingRow>(
    'SELECT * FROM api_mappings WHERE domain = ? AND key = ?'
  )
  const listMappingsOf = db.prepare<[string], MappingRow>(
    'SELECT * FROM api_mappings WHERE api_id = ? ORDER BY domain, id'
  )
  const countMappings = db
    .prepare<{ api: string; stage: string | null }, number>(
      'SELECT count(*) FROM api_mappings WHERE api_id = @api AND (@stage IS NULL OR stage = @stage)'
    )
    .pluck()
  return {
    find: (id) => parsed<Api>(find.get(id)),
    put(api) {
      const { id, name, protocol, trigger = null, createdAt } = api
      put.run({ id, name, protocol, trigger_name: trigger, body: JSON.stringify(api), created_at: createdAt })
    },
    remove: (id) => void remove.run(id),
    list: (after, limit) => list.all(after, limit).map((body) => JSON.parse(body) as Api),
    count: () => count.get()!,
    findTrigger: (protocol, name) => parsed<Api>(findTrigger.get(protocol, name)),
    listTriggers: (protocol, after, limit) =>
      listTriggers.all(protocol, after, limit).map((body) => JSON.parse(body) as Api),
    findPart: (apiId, kind, id) => parsed(findPart.get(apiId, kind, id)),
    findPartByKey: (apiId, kind, key) => parsed(findByKey.get(apiId, kind, key)),
    putPart(apiId, kind, part) {
      const id = 'id' in part ? part.id : part.name
      const key = 'key' in part ? part.key : id
      putPart.run({ api_id: apiId, kind, id, key, body: JSON.stringify(part) })
    },
    removePart: (apiId, kind, id) => removePart.run(apiId, kind, id).changes > 0,
    listParts: <K extends ApiPartKind>(apiId: string, kind: K, after: string, limit: number) =>
      listParts.all(apiId, kind, after, limit).map((body) => JSON.parse(body) as ApiParts[K]),
    countParts: (apiId, kind) => countParts.get(apiId, kind)!,
    removeUnusedDeployments: (api) => void removeUnused.run({ api }),
    findDomain: (name) => parsed<ApiDomain>(findDomain.get(name)),
    putDomain: (domain) => void putDomain.run(domain.name, JSON.stringify(domain)),
    removeDomain: (name) => removeDomain.run(name).changes > 0,
    listDomains: (after, limit) => listDomains.all(after, limit).map((body) => JSON.parse(body) as ApiDomain),
    findMapping(domain, id) {
      const row = findMapping.get(domain, id)
      return row && toMapping(row)
    },
    putMapping: ({ domain, id, apiId, stage, key }) => void putMapping.run({ domain, id, api_id: apiId, stage, key }),
    removeMapping: (domain, id) => removeMapping.run(domain, id).changes > 0,
    listMappings: (domain, after, limit) => listMappings.all(domain, after, limit).map(toMapping),
    findMappingByKey(domain, key) {
      const row = findMappingByKey.get(domain, key)
      return row && toMapping(row)
    },
    listMappingsOf: (apiId) => listMappingsOf.all(apiId).map(toMapping),
    countMappings: (api, stage) => countMappings.get({ api, stage: stage ?? null })!
  }
}

/** What the gateway reads of it. */
export interface PublishedApis {
  readonly apis: readonly PublishedApi[]
  readonly mappings: readonly ApiMapping[]
}

/** The reading half, which the gateway has: stages that serve something. */
export function prepareApiList(db: Db): () => PublishedApis {
  const apis = db.prepare<[], string>('SELECT body FROM apis ORDER BY id').pluck()
  const stages = db.prepare<[string], { stage: string; deployment: string }>(
    `SELECT s.body AS stage, d.body AS deployment FROM api_parts s
       JOIN api_parts d ON d.api_id = s.api_id AND d.kind = 'deployment' AND d.id = s.body ->> '$.deploymentId'
       WHERE s.api_id = ? AND s.kind = 'stage' ORDER BY s.id`
  )
  const mappings = db.prepare<[], MappingRow>('SELECT * FROM api_mappings ORDER BY domain, id')
  return () => ({
    apis: apis.all().map((body) => {
      const api = JSON.parse(body) as Api
      return {
        api,
        stages: stages.all(api.id).map(({ stage, deployment }) => ({
          stage: JSON.parse(stage) as ApiStage,
          snapshot: JSON.parse(deployment) as ApiDeployment
        }))
      }
    }),
    mappings: mappings.all().map(toMapping)
  })
}

function parsed<T>(body: string | undefined): T | undefined {
  return body === undefined ? undefined : (JSON.parse(body) as T)
}

function toMapping({ domain, id, api_id, stage, key }: MappingRow): ApiMapping {
  return { domain, id, apiId: api_id, stage, key }
}
