import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** Clients that wait for `100 Continue` before they send a body. */
export interface Expectations {
  /** Whether the client of this request waits. */
  has(req: IncomingMessage): boolean
  /** Tells the client to go on, if it waits. */
  meet(req: IncomingMessage, res: ServerResponse): void
}

/** Node answers `Expect: 100-continue` by itself, before anyone looked at the headers; this leaves it to the routes. */
export function watchExpectations(server: Server): Expectations {
  const waiting = new WeakSet<IncomingMessage>()
  let everWaited = false
  server.on('checkContinue', (req, res) => {
    everWaited = true
    waiting.add(req)
    server.emit('request', req, res)
  })
  return {
    has: (req) => waiting.has(req),
    meet(req, res) {
      // Most clients never send it; then this costs nothing.
      if (everWaited && waiting.delete(req)) res.writeContinue()
    }
  }
}
