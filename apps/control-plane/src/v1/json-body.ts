import type { FastifyRequest } from 'fastify'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'

/** For preValidation: the bytes are what is signed, so they are parsed only now. No body counts as an empty object. */
export async function parseBody(request: FastifyRequest): Promise<void> {
  const bytes = bytesOf(request)
  request.body = bytes.length === 0 ? {} : parseJsonObject(bytes)
}
