import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Paths of the Lambda API and of Scheduler's, the one that all other services have, CloudWatch's, those of connections of
 * WebSocket APIs, and the links that GetFunction gives.
 */
const REACHABLE =
  /^\/(20\d\d-\d\d-\d\d\/|$|\?|(schedules|schedule-groups|v2)(\/|\?|$)|tags\/|service\/GraniteServiceVersion20100801\/operation\/\w+$|(api\/[a-z0-9]{10}\/[^/?]+\/)?@connections\/[^/?]+$|v1\/functions\/[^/?]+\/code\?|v1\/layers\/[^/?]+\/versions\/\d+\/content\?)/

/** Whether a path may be reached from inside of a function: AWS's API, and nothing else. */
export function isReachable(rawUrl: string): boolean {
  return REACHABLE.test(rawUrl)
}

const kInside = Symbol('inside')

interface InsideSocket extends Socket {
  [kInside]?: string
}

/** From now on this connection is known to come from inside of a function. */
export function markInside(socket: Socket, functionName: string): void {
  ;(socket as InsideSocket)[kInside] = functionName
}

/** Name of the function that a request comes from the inside of; undefined when it comes from outside. */
export function insideOf(req: IncomingMessage): string | undefined {
  return (req.socket as InsideSocket)[kInside]
}
