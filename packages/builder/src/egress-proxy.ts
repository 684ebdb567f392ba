import { chmod, rm } from 'node:fs/promises'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AllowedHosts, RefusedError } from './allowed-hosts.ts'

export interface EgressProxyOptions {
  /** Path of the unix socket, at most 107 bytes. */
  readonly path: string
  readonly hosts: AllowedHosts
  /** Told of every connection that was refused or failed, in words for the deployer. */
  readonly onRefused: (line: string) => void
}

export interface EgressProxy {
  close(): Promise<void>
}

const CONNECTIONS = 64
const CONNECT_MS = 15_000
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'upgrade']

/**
 * The only way out of a build's sandbox: an HTTP proxy on a unix socket that is mounted into that one sandbox. It
 * connects to the very address that it has checked, so that a name can't change its mind in between.
 */
export async function startEgressProxy({ path, hosts, onRefused }: EgressProxyOptions): Promise<EgressProxy> {
  const open = new Set<Duplex>()
  const track = <T extends Duplex>(socket: T): T => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    return socket
  }
  const refuse = (target: string, thrown: unknown): number => {
    const why = thrown instanceof RefusedError ? thrown.message : (thrown as Error).message
    onRefused(`hearth: no connection to ${target.slice(0, 200)}: ${why}`)
    return thrown instanceof RefusedError ? 403 : 502
  }

  const server = http.createServer((req, res) => void forward(req, res))
  server.maxConnections = CONNECTIONS
  server.on('connection', (socket: Socket) => track(socket))
  server.on('clientError', (_error, socket) => socket.destroy())
  server.on('connect', (req, client, head) => void tunnel(req, client, head))

  async function tunnel(req: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy())
    try {
      const { host, port } = splitAuthority(req.url ?? '')
      const upstream = track(connect({ host: await hosts.resolve(host, port), port, timeout: CONNECT_MS }))
      await connected(upstream)
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    } catch (thrown) {
      const status = refuse(req.url ?? '', thrown)
      client.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
  }

  async function forward(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const url = new URL(req.url ?? '')
      if (url.protocol !== 'http:') throw new RefusedError('only http and https pass')
      const port = url.port === '' ? 80 : Number(url.port)
      const address = await hosts.resolve(url.hostname, port)
      const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !HOP_BY_HOP.includes(name)))
      const upstream = http.request({
        host: address,
        port,
        method: req.method,
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, host: url.host, connection: 'close' },
        timeout: CONNECT_MS,
        agent: false
      })
      upstream.on('response', (answer) => {
        res.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers))
        answer.on('error', () => res.destroy())
        answer.pipe(res)
      })
      upstream.on('timeout', () => upstream.destroy(new Error('no answer in time')))
      upstream.on('error', (error) => {
        if (res.headersSent) return void res.destroy()
        res.writeHead(refuse(url.host, error)).end()
      })
      res.on('close', () => upstream.destroy())
      req.pipe(upstream)
    } catch (thrown) {
      res.writeHead(refuse(targetOf(req), thrown), { connection: 'close' }).end()
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  // Another uid connects to it; who can is decided by where it is mounted.
  await chmod(path, 0o666)
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
      await rm(path, { force: true })
    }
  }
}

function splitAuthority(authority: string): { host: string; port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:@/\s]+):(\d{1,5})$/.exec(authority) ?? []
  if (host === undefined || Number(port) > 65_535) throw new RefusedError('that is no host and port')
  return { host, port: Number(port) }
}

/** Without path and query: they may hold what is nobody's business. */
function targetOf(req: IncomingMessage): string {
  try {
    return new URL(req.url ?? '').host
  } catch {
    return 'a URL that cannot be read'
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.setTimeout(0)
      resolve()
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer in time')))
    socket.once('error', reject)
  })
}

function withoutHops(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name) && name !== 'transfer-encoding')
  )
}
