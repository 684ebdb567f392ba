import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { sniffPackage } from '../packages/package-kind.ts'

export const packageResponse = {
  description: 'The package',
  content: {
    'application/zip': { schema: z.string().meta({ format: 'binary' }) },
    'application/gzip': { schema: z.string().meta({ format: 'binary' }) }
  }
}

/** Sends a package as it was uploaded. @param bytes - Its size. @param name - Of the file, without extension */
export async function sendPackage(reply: FastifyReply, file: string, bytes: number, name: string): Promise<void> {
  const isZip = sniffPackage(await firstBytes(file)) === 'zip'
  void reply
    .header('content-type', isZip ? 'application/zip' : 'application/gzip')
    .header('content-length', bytes)
    .header('content-disposition', `attachment; filename="${name}${isZip ? '.zip' : '.tar.gz'}"`)
  // A stream is sent as it is; the response's schema describes its bytes.
  await reply.send(createReadStream(file))
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    return (await handle.read(Buffer.alloc(4), 0, 4, 0)).buffer
  } finally {
    await handle.close()
  }
}
