import { HearthError } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Every body arrives as the bytes that were sent, whatever its content type: curl sends none with -T and a form's with
 * -d, and a signature is over the bytes.
 */
export const rawBodies = fp(
  async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body)
    })
  },
  { name: 'raw-bodies' }
)

/** @returns the body's bytes; empty when there is none */
export function bytesOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/**
 * Reads a body as a JSON object.
 *
 * @throws HearthError INVALID_PAYLOAD
 */
export function parseJsonObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw notAnObject(`Could not parse request body into json: ${(cause as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw notAnObject('Could not parse request body into json: an object is expected')
  }
  return value as Record<string, unknown>
}

function notAnObject(message: string): HearthError {
  return new HearthError('INVALID_PAYLOAD', message)
}
