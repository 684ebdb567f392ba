import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ArnScope, Config } from '@hearth/shared'
import { codeDirOf, type EventQueue } from '@hearth/store'
import { type ApiService, createApiService } from '../apis/api-service.ts'
import type { Guard } from '../apis/guard.ts'
import { createGuard, type OpenGuard } from '../apis/guards/create-guard.ts'
import { createPublishedApis, type PublishedApisWatch } from '../apis/published-apis.ts'
import { createStaticFiles } from '../apis/static-files.ts'
import type { Clock } from '../async/clock.ts'
import { atMostEvery } from '../at-most-every.ts'
import type { Entry } from '../function-routes.ts'
import type { Hallway } from '../hallway.ts'
import { createHostEntrance, type HostEntrance } from '../host-entrance.ts'
import type { Log } from '../log.ts'
import { createTriggerService, type TriggerService } from '../triggers/trigger-service.ts'
import { createUrlDoor, isOwnKey, URL_BY_HOST } from '../url-door.ts'
import { createUrlHosts } from '../url-hosts.ts'
import type { UrlTable } from '../url-table.ts'
import { createWebSocketService, type WebSocketService } from '../websockets/websocket-service.ts'

export interface EntrancesOptions {
  readonly hallway: Hallway
  readonly scope: ArnScope
  readonly config: Pick<Config, 'dataDir' | 'urlDomain' | 'webhookNetworks'> &
    Partial<Pick<Config, 'webSocketConnections' | 'keySetsDir'>>
  readonly clock: Clock
  readonly queue: EventQueue
  readonly log: Log
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** Asked who may use routes of HTTP APIs. Default: this server's authorizers, API keys and plans. */
  readonly guard: Guard | undefined
  /** Function URLs; undefined until the database is there. */
  readonly urls: () => UrlTable | undefined
}

/** What leads to functions beside their own routes. */
export interface Entrances {
  readonly guard: OpenGuard
  readonly apis: ApiService
  readonly triggers: TriggerService
  readonly sockets: WebSocketService
  /** APIs of both kinds, as they are read. */
  readonly published: PublishedApisWatch
  /** All that has a host of its own. */
  readonly hosts: HostEntrance
}

/** Connections of WebSocket APIs, if nothing else is said. */
const SOCKETS = 1_000
const TELL_MS = 10_000

/** Function URLs, HTTP and WebSocket APIs, and triggers; none of them leads anywhere before the database is there. */
export function createEntrances(server: Server, options: EntrancesOptions): Entrances {
  const { hallway, scope, config, clock, queue, log, find } = options
  const { urlDomain } = config
  const access = () => hallway.access
  const guard = createGuard({
    scope,
    find,
    access,
    metrics: hallway.metrics,
    traces: hallway.traces,
    queue,
    log,
    networks: config.webhookNetworks,
    keySetsDir: config.keySetsDir,
    isOwnKey: (authorization) => isOwnKey(hallway, authorization),
    now: () => clock.now()
  })
  const apis = createApiService({
    base: hallway,
    scope,
    urlDomain,
    guard: options.guard ?? guard,
    files: createStaticFiles((artifact) => codeDirOf(config.dataDir, artifact)),
    nowMs: Date.now,
    log
  })
  const triggers = createTriggerService({
    scope,
    clock,
    queue,
    dispatcher: hallway.dispatcher,
    hallway,
    find,
    access,
    log,
    onError: atMostEvery(TELL_MS, (err: unknown) => {
      log.error({ err }, 'triggers cannot work as they should')
    })
  })
  const sockets = createWebSocketService({
    hallway,
    scope,
    urlDomain,
    guard,
    log,
    limit: config.webSocketConnections ?? SOCKETS,
    clock
  })
  server.on('upgrade', (req, socket: Socket, head) => {
    sockets.upgrade(req, socket, head)
  })
  const door = createUrlDoor(hallway, scope, Date.now, URL_BY_HOST)
  return {
    guard,
    apis,
    triggers,
    sockets,
    published: createPublishedApis([apis.update, sockets.update]),
    hosts: createHostEntrance([
      sockets,
      apis,
      createUrlHosts({ hallway, door, urlDomain, table: options.urls }),
      triggers.loadBalancers.hosts
    ])
  }
}
