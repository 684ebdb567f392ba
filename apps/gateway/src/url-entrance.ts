import type { IncomingMessage, ServerResponse } from 'node:http'
import { HearthError } from '@hearth/shared'
import { Call, type Door } from './call.ts'
import type { Hallway } from './hallway.ts'
import { forbidden, toRefusal } from './refusal.ts'
import { refuse, respond } from './respond.ts'
import { NOWHERE, type UrlTarget } from './url-table.ts'

/**
 * A request for a function's URL: a preflight is answered here, everything else goes through the door.
 *
 * @param target - Undefined when nothing can be looked up yet
 */
export function enterUrl(
  hallway: Hallway,
  door: Door,
  req: IncomingMessage,
  res: ServerResponse,
  id: string,
  target: UrlTarget | typeof NOWHERE | undefined
): void {
  if (target !== undefined && target !== NOWHERE && target.cors?.isPreflight(req) !== true && req.url![0] === '/') {
    const call = new Call(hallway, door, req, res, id, '')
    call.url = target
    call.start()
    return
  }
  countAnswer(hallway, door.route, req, res)
  if (target === NOWHERE) refuse(req, res, forbidden(null, id))
  else if (target === undefined) {
    refuse(req, res, toRefusal(new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting.'), 'url', id))
  } else if (target.cors?.isPreflight(req) === true) {
    respond(res, 200, ['x-amzn-requestid', id, ...target.cors.preflightHeaders(req)], '')
  } else {
    // `OPTIONS *`, or a whole URL as proxies are sent.
    refuse(req, res, toRefusal(new HearthError('INVALID_REQUEST', 'The path must begin with a slash.'), 'url', id))
  }
}

function countAnswer({ metrics, now }: Hallway, route: number, req: IncomingMessage, res: ServerResponse): void {
  const startedAt = now()
  res.on('close', () => {
    metrics.answered(route, req.method ?? '', res.headersSent ? res.statusCode : 499, (now() - startedAt) / 1_000)
  })
}
