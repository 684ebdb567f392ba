import { createConnection, createServer } from 'node:net'
import { PATHS } from '../job.ts'

/** Makes the builder's proxy, a unix socket, into what every tool knows: one on the loopback. @returns its URL */
export function startForwarder(): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const proxy = createConnection({ path: PATHS.proxy, allowHalfOpen: true })
    client.on('error', () => proxy.destroy())
    proxy.on('error', () => client.destroy())
    client.pipe(proxy).pipe(client)
  })
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
    })
  })
}
