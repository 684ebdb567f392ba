import http from 'node:http'
import net from 'node:net'
import { INIT, INVOKE, SHUTDOWN, WINDOW } from '../../../protocol.ts'
import { type Frame, Gateway, readFrames } from './channel.ts'
import { Supervisor } from './supervisor.ts'

/** The channel to the gateway. */
const CHANNEL_FD = 3
const HOST = '127.0.0.1'
const PORT = 9001

/**
 * Serves the Runtime, Extensions and Telemetry APIs to what runs in this sandbox, and frames to the gateway. Usage:
 * `server.cjs run [command…]` for a runtime that speaks the Runtime API, `server.cjs wrap command…` for one of Hearth's.
 */
function main([mode = 'run', ...command]: string[]): void {
  for (const stream of [process.stdout, process.stderr]) makeBlocking(stream)
  const socket = new net.Socket({ fd: CHANNEL_FD, readable: true, writable: true })
  socket.once('close', () => process.exit(0))
  const gateway = new Gateway(socket)
  let missing = mode === 'wrap' ? 2 : 1
  const isUp = (): void => {
    if (--missing === 0) gateway.ready()
  }
  const supervisor = new Supervisor(gateway, `${HOST}:${PORT}`, command, mode === 'wrap', isUp)
  const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (req, res) => {
    supervisor.handle(req, res)
  })
  server.timeout = 0
  server.listen(PORT, HOST, isUp)
  readFrames(socket, (frame: Frame) => {
    if (frame.type === INIT) supervisor.init(frame)
    else if (frame.type === INVOKE) supervisor.invoke(frame)
    else if (frame.type === WINDOW) supervisor.credit(frame)
    else if (frame.type === SHUTDOWN) supervisor.shutdown(frame.payload.toString(), frame.meta.readUInt32LE(0))
  })
}

/**
 * Node makes its standard streams non-blocking, and children share that: programs that do not expect it lose what they
 * print while the gateway catches up.
 */
function makeBlocking(stream: NodeJS.WriteStream): void {
  const { _handle: handle } = stream as unknown as { _handle?: { setBlocking?(blocking: boolean): void } }
  handle?.setBlocking?.(true)
}

main(process.argv.slice(2))
