import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HearthError } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import { bytesOf } from './raw-bodies.ts'

const unzip = promisify(gunzip)

/** As CloudWatch takes them: 1 MB of metrics, more where names are repeated as forms do. */
export const BODY_BYTES = 1_048_576
const INFLATED_BYTES = 4 * BODY_BYTES

/** Whether the body is compressed: SDKs do that with metrics from 10 KB on. */
export function isCompressed({ headers }: FastifyRequest): boolean {
  return (headers['content-encoding'] ?? 'identity') !== 'identity'
}

/**
 * The body as it was before it was compressed. Only for callers that are known: a few bytes can become megabytes.
 *
 * @throws HearthError UNSUPPORTED_MEDIA_TYPE for anything but gzip, PAYLOAD_TOO_LARGE, INVALID_PAYLOAD
 */
export async function wholeBody(request: FastifyRequest): Promise<Buffer> {
  const bytes = bytesOf(request)
  if (!isCompressed(request)) return bytes
  if (request.headers['content-encoding'] !== 'gzip') {
    throw new HearthError('UNSUPPORTED_MEDIA_TYPE', 'The body may come as it is, or compressed with gzip.')
  }
  try {
    return await unzip(bytes, { maxOutputLength: INFLATED_BYTES })
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HearthError('PAYLOAD_TOO_LARGE', `The body may have ${INFLATED_BYTES} bytes when it is unpacked.`, {
        cause
      })
    }
    throw new HearthError('INVALID_PAYLOAD', 'The body is not gzip.', { cause })
  }
}
