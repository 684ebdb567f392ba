import { connect, type Socket } from 'node:net'
import { LIMITS } from '@hearth/shared'
import t from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { SOURCE, startControlPlane } from './support.ts'

const TOTAL_BYTES = 256 * 1_048_576

t.test('uploads that are under way take a bounded amount of memory together', async (t) => {
  const plane = await startControlPlane(t)
  await plane.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = plane.app.server.address() as { port: number }
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  /** Announces a package of the largest size and sends the beginning of it. */
  const announce = (length: string): { socket: Socket; answer: () => string } => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', () => {})
    socket.write(
      `PUT /v1/functions/big HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${plane.token}\r\n${length}\r\n\r\n2\r\nPK\r\n`
    )
    return { socket, answer: () => text }
  }
  const LARGEST = `Content-Length: ${LIMITS.zipBytes}`
  const room = Math.floor(TOTAL_BYTES / LIMITS.zipBytes)
  const all = Array.from({ length: room + 1 }, () => announce(LARGEST))
  const refused = await eventually(() => all.find(({ answer }) => answer() !== ''))
  t.match(refused.answer(), /^HTTP\/1\.1 429 /)
  t.match(refused.answer(), /"code":"CAPACITY_EXHAUSTED"/)
  const chunked = announce('Transfer-Encoding: chunked')
  t.match(await eventually(() => chunked.answer() || undefined), /^HTTP\/1\.1 429 /, 'of unknown length: the largest')
  t.equal(all.filter(({ answer }) => answer() === '').length, room, 'those before it go on')
  t.equal((await plane.put('small', SOURCE)).statusCode, 201, 'and small ones are let in')

  for (const { socket } of all) socket.destroy()
  const again = await eventually(async () => {
    const response = await plane.put('medium.mjs', SOURCE + '/'.repeat(2) + ' '.repeat(400_000))
    return response.statusCode === 201 ? response : undefined
  })
  t.equal(again.statusCode, 201, 'who leaves makes room')
})
