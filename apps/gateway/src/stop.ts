import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Executor } from '@hearth/executor'

/** How often connections that have become idle are looked for. */
const SWEEP_MS = 25
/** What answers of the very last invocations get to reach their callers. */
const FLUSH_MS = 250

/** The open connections of a server, from now on. */
export function trackConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
    })
  })
  return connections
}

/**
 * Stops accepting, lets requests finish for up to `drainMs`, then ends what still runs and hangs up.
 * The listener closes first, so that nothing new begins while the rest is counted down.
 */
export async function stopServer(
  server: Server,
  connections: ReadonlySet<Socket>,
  executor: Executor,
  drainMs: number
): Promise<void> {
  const deadline = performance.now() + drainMs
  let closed = false
  const allGone = new Promise<void>((resolve) => {
    // Also called, with an error, when it never listened.
    server.close(() => {
      closed = true
      resolve()
    })
  })
  // Keep-alive connections turn idle one by one as their last answers go out.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
  }, SWEEP_MS)
  server.closeIdleConnections()
  // Node takes a connection that never said anything for a busy one.
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
  await within(allGone, drainMs)
  await executor.close(Math.max(0, deadline - performance.now()))
  if (!closed) await within(allGone, FLUSH_MS)
  clearInterval(sweep)
  server.closeAllConnections()
  await allGone
}

async function within(done: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done, elapsed])
  clearTimeout(timer)
}
