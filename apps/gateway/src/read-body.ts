import type { IncomingMessage } from 'node:http'
import { HearthError } from '@hearth/shared'

/** @throws HearthError PAYLOAD_TOO_LARGE; REQUEST_TIMEOUT when the sender left */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = (): HearthError => new HearthError('PAYLOAD_TOO_LARGE', `The body may have ${limit} bytes.`)
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge()
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limit) {
        req.removeAllListeners('data')
        reject(tooLarge())
      } else chunks.push(chunk)
    })
    req.once('end', () => {
      resolve(Buffer.concat(chunks, bytes))
    })
    req.once('close', () => {
      reject(new HearthError('REQUEST_TIMEOUT', 'The request ended before its body did.'))
    })
  })
}
