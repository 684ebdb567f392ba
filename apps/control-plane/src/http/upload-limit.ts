import { HearthError } from '@hearth/shared'
import fp from 'fastify-plugin'

/** Bytes of bodies that may be on their way or being worked on at the same time: five packages of the largest size. */
const TOTAL_BYTES = 256 * 1_048_576
/** Smaller bodies are let in in any case: what the number of connections allows is bounded too. */
const SMALL_BYTES = 262_144

/**
 * Bounds the memory that uploads take together. A body counts with what it may become from before its first byte is
 * read until its answer is out.
 */
export const uploadLimit = fp(
  async (app) => {
    let taken = 0
    app.addHook('preParsing', async (request, reply) => {
      const limit = request.routeOptions.bodyLimit
      const declared = request.headers['content-length']
      if (declared === undefined && request.headers['transfer-encoding'] === undefined) return
      // What is longer than its route allows is refused without being kept.
      const bytes = Math.min(declared === undefined ? limit : Number(declared), limit)
      if (bytes <= SMALL_BYTES) return
      if (taken + bytes > TOTAL_BYTES) {
        throw new HearthError(
          'CAPACITY_EXHAUSTED',
          'Too many packages are being uploaded at once. Try again in a moment.'
        )
      }
      taken += bytes
      reply.raw.once('close', () => {
        taken -= bytes
      })
    })
  },
  { name: 'upload-limit', dependencies: ['authentication'] }
)
