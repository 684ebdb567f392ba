import { IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

const kUpgrade = Symbol('upgrade')

/**
 * A request as Node's server makes it, which asks for another protocol only where it asks for WebSocket. Since somebody
 * listens for upgrades, Node would take all that ask for any protocol to that listener, with their bodies unread: `h2c` as
 * some clients send it with each request is to be ignored, as before.
 */
export class UpgradableRequest extends IncomingMessage {
  declare [kUpgrade]: boolean | null

  /** Node's: set when the request has an Upgrade header or is a CONNECT. */
  get upgrade(): boolean | null {
    if (this[kUpgrade] !== true) return this[kUpgrade]
    return this.method === 'CONNECT' || (this.method === 'GET' && isWebSocket(this))
  }

  set upgrade(value: boolean | null) {
    this[kUpgrade] = value
  }
}

/** Whether a request asks for a WebSocket. */
function isWebSocket({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket'
}

/** As `ws` checks it, which does so too late: the function of `$connect` would have run. */
const KEY = /^[+/0-9A-Za-z]{22}==$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** What is wrong with a handshake, if anything is. @see RFC 6455 §4.2.1 */
export function handshakeFault({ headers, httpVersion }: IncomingMessage): 'key' | 'version' | 'protocol' | undefined {
  if (httpVersion !== '1.1' || !KEY.test(headers['sec-websocket-key'] ?? '')) return 'key'
  if (headers['sec-websocket-version'] !== '13') return 'version'
  const protocols = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  const isSound = protocols.every((name) => TOKEN.test(name)) && new Set(protocols).size === protocols.length
  return isSound ? undefined : 'protocol'
}

/** Answers a request that asked for a WebSocket with something else, and hangs up. @param headers - Flat: name, value, … */
export function answerUpgrade(socket: Socket, status: number, headers: readonly string[], body: string | Buffer): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`)
  socket.end(body)
  socket.destroySoon()
  // What still comes is read and forgotten: unread, it would reset the connection before the answer is out.
  socket.resume()
}
