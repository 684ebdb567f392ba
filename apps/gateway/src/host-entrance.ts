import type { IncomingMessage } from 'node:http'
import { hostName } from '@hearth/shared'
import { insideOf } from './platform/inside.ts'
import type { NOWHERE, UrlTable, UrlTarget } from './url-table.ts'

/**
 * Where the router is sent with requests for functions' hosts. Whoever asks for this path at the server's own host is
 * answered by the control plane, as for any path that there is not.
 */
export const FUNCTION_HOST = '/.function-host'

/** `starting`: a function's host, but its function cannot be looked up yet. */
export type HostTarget = UrlTarget | typeof NOWHERE | 'starting'

export interface HostEntrance {
  /** Whether the request is for a function's host: then {@link take} has where it leads. */
  claims(req: IncomingMessage): boolean
  /** Where a claimed request leads; its `url` is as it was sent again. */
  take(req: IncomingMessage): HostTarget | undefined
}

export interface HostEntranceSources {
  readonly refresh: () => void
  /** Undefined until the database is there. */
  readonly table: () => UrlTable | undefined
}

const kTarget = Symbol('target')
const kUrl = Symbol('url')

interface ClaimedRequest extends IncomingMessage {
  [kTarget]?: HostTarget
  [kUrl]?: string
}

/** Tells requests for functions by their Host header, which anybody may set to anything, before there is a route. */
export function createHostEntrance(urlDomain: string, { refresh, table }: HostEntranceSources): HostEntrance {
  const suffix = `.${urlDomain}`

  const targetOf = (host: string): HostTarget | undefined => {
    const urls = table()
    if (urls === undefined) return hostName(host).endsWith(suffix) ? 'starting' : undefined
    refresh()
    return urls.byHost(host)
  }

  return {
    claims(req: ClaimedRequest) {
      const { host } = req.headers
      // Functions reach the API from inside, whatever they call it.
      const target = host === undefined || insideOf(req) !== undefined ? undefined : targetOf(host)
      if (target === undefined) return false
      req[kTarget] = target
      req[kUrl] = req.url!
      return true
    },
    take(req: ClaimedRequest) {
      const target = req[kTarget]
      if (target !== undefined) req.url = req[kUrl]!
      return target
    }
  }
}
