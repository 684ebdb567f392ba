import type { IncomingMessage, ServerResponse } from 'node:http'
import { insideOf } from './platform/inside.ts'

/**
 * Where the router is sent with requests for hosts that are not the server's own. Whoever asks for this path at the
 * server's own host is answered by the control plane, as for any path that there is not.
 */
export const OTHER_HOST = '/.other-host'

/** Takes over a request, whose `url` is as it was sent. */
export type ServeHost = (req: IncomingMessage, res: ServerResponse, id: string) => void

/** Hosts that lead to something of one kind: functions' URLs, APIs. */
export interface HostBook {
  /**
   * Who serves requests for a host; undefined: nobody here. Asked with every request of every host: a name that was seen
   * before costs one look into a map.
   *
   * @param header - The Host header, which anybody may set to anything
   */
  find(header: string): ServeHost | undefined
}

export interface HostEntrance {
  /** Whether the request is for another host than the server's own: then {@link serve} takes it there. */
  claims(req: IncomingMessage): boolean
  /** Serves a claimed request. @returns false when it is none */
  serve(req: IncomingMessage, res: ServerResponse, id: string): boolean
}

const kServe = Symbol('serve')
const kUrl = Symbol('url')

interface ClaimedRequest extends IncomingMessage {
  [kServe]?: ServeHost
  [kUrl]?: string
}

/** Tells requests for other hosts by their Host header, before there is a route. @param books - The first that knows it */
export function createHostEntrance(books: readonly HostBook[]): HostEntrance {
  const find = (host: string): ServeHost | undefined => {
    for (const book of books) {
      const serve = book.find(host)
      if (serve !== undefined) return serve
    }
    return undefined
  }
  return {
    claims(req: ClaimedRequest) {
      const { host } = req.headers
      // Functions reach the API from inside, whatever they call it.
      const serve = host === undefined || insideOf(req) !== undefined ? undefined : find(host)
      if (serve === undefined) return false
      req[kServe] = serve
      req[kUrl] = req.url!
      return true
    },
    serve(req: ClaimedRequest, res, id) {
      const serve = req[kServe]
      if (serve === undefined) return false
      req.url = req[kUrl]!
      serve(req, res, id)
      return true
    }
  }
}
