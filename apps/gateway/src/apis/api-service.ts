import type { IncomingMessage, ServerResponse } from 'node:http'
import { API_ID, hostName } from '@hearth/shared'
import type { PublishedApis } from '@hearth/store'
import { atMostEvery } from '../at-most-every.ts'
import type { HostBook, ServeHost } from '../host-entrance.ts'
import type { Log } from '../log.ts'
import { refuse } from '../respond.ts'
import { OPAQUE_ORIGIN } from '../url-door.ts'
import { ApiCall } from './api-call.ts'
import { API_FAILURES, type ApiFailure, noteFailure } from './api-counts.ts'
import type { ApiHallway } from './api-hallway.ts'
import { API_PATH } from './api-paths.ts'
import { type ApiAddress, type ApiEntry, createApiTable } from './api-table.ts'

export interface ApiServiceOptions extends Omit<ApiHallway, 'onFailed' | 'route'> {
  /** APIs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly log: Log
}

/** HTTP APIs, at their hosts and at `/api/{id}` of the server's own. */
export interface ApiService extends HostBook {
  /** Serves what is published from now on. */
  readonly update: (published: PublishedApis) => void
  /** A request for `/api/{id}`, or below it. */
  enterByPath(req: IncomingMessage, res: ServerResponse, requestId: string): void
  /** By id, or by a name that only one has. */
  findNamed(name: string): ApiEntry | undefined
}

/** Answers remembered, as for function URLs. */
const ENTRIES = 4_096
/** No host name is longer: the rest is a port. */
const MAX_HEADER_CHARS = 260
const ID_IN_PATH = /^[^/?]*/
const TOLD_EVERY_MS = 10_000
/** The owner does not see these anywhere else. */
const TOLD: ReadonlySet<ApiFailure> = new Set(['permission', 'no_function', 'invalid_response', 'authorizer'])

export function createApiService(options: ApiServiceOptions): ApiService {
  const { base, scope, urlDomain } = options
  const table = createApiTable(scope, urlDomain)
  const suffix = `.${urlDomain}`
  const known = new Map<string, ServeHost | null>()
  let isKnown = false
  const tell = new Map(
    API_FAILURES.map((reason) => [
      reason,
      atMostEvery<object>(TOLD_EVERY_MS, (facts) => {
        options.log.warn(facts, 'requests for an API do not reach its function')
      })
    ])
  )
  const hallway: ApiHallway = {
    ...options,
    route: base.metrics.route('api'),
    onFailed({ api, counts }, stage, routeKey, reason, { requestId, traceId }) {
      base.metrics.apiFailed(reason)
      noteFailure(counts, { at: options.nowMs(), requestId, route: `${stage} ${routeKey}`, reason })
      if (TOLD.has(reason))
        tell.get(reason)!({ api: api.id, name: api.name, stage, route: routeKey, reason, requestId, traceId })
    }
  }

  const serveAt =
    (address: ApiAddress): ServeHost =>
    (req, res, id) => {
      new ApiCall(hallway, address, 0, [], req, res, id).start()
    }

  const lookUp = (header: string): ServeHost | undefined => {
    const host = hostName(header)
    if (!host.endsWith(suffix)) {
      const address = table.addressAt(host)
      return address && serveAt(address)
    }
    const id = host.slice(0, -suffix.length)
    // The other names are function URLs.
    return API_ID.test(id) && table.protocolOf(id) !== 'WEBSOCKET' ? serveAt(table.addressOf(id)) : undefined
  }

  return {
    update(published) {
      table.update(published)
      known.clear()
      isKnown = true
    },
    find(header) {
      if (!isKnown) return undefined
      base.directory.refresh()
      const found = known.get(header)
      if (found !== undefined) return found ?? undefined
      if (header.length > MAX_HEADER_CHARS) return undefined
      if (known.size >= ENTRIES) known.clear()
      const serve = lookUp(header)
      known.set(header, serve ?? null)
      return serve
    },
    enterByPath(req, res, requestId) {
      if (!isKnown) {
        refuse(req, res, {
          status: 503,
          headers: ['content-type', 'application/json', 'apigw-requestid', requestId],
          body: '{"message":"Service Unavailable"}'
        })
        return
      }
      // As it was sent: an id that is escaped is none.
      const [id] = ID_IN_PATH.exec(req.url!.slice(API_PATH.length)) ?? ['']
      const skip = API_PATH.length + id.length
      new ApiCall(hallway, table.addressOf(id), skip, OPAQUE_ORIGIN, req, res, requestId).start()
    },
    findNamed: (name) => table.findNamed(name)
  }
}
