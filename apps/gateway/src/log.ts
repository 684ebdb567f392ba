import type { LogTail } from '@hearth/shared'
import Fastify, { type FastifyBaseLogger } from 'fastify'

/** Where the gateway tells the operator what happens; never a function's output. */
export type Log = Pick<FastifyBaseLogger, 'info' | 'warn' | 'error' | 'fatal'>

/**
 * Fastify's own logger, but not attached to the server that serves: with a logger, Fastify makes a child and two
 * listeners for every request, some 8 % of a warm call.
 */
export function createLog(level: string, stream: LogTail): FastifyBaseLogger {
  return Fastify({ logger: { level, stream } }).log
}
