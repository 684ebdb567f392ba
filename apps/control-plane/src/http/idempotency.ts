import { createHmac } from 'node:crypto'
import {
  answerMissing,
  HearthError,
  keyInFlight,
  keyReused,
  REPLAYED_HEADER,
  readIdempotencyKey,
  requestFingerprint
} from '@hearth/shared'
import type { IdempotencyKeys, KeyedRequest } from '@hearth/store'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { bytesOf } from './raw-bodies.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while a request with an Idempotency-Key is done for the first time. */
    keyed: KeyedRequest | null
  }
}

export interface IdempotencyOptions {
  readonly keys: IdempotencyKeys
  /** Makes fingerprints such that the database alone does not tell whether a guess of a body, a secret's say, is right. */
  readonly blindedBy: string
  readonly now: () => Date
}

const METHODS = new Set(['POST', 'PUT', 'PATCH'])
/** Said anew with each answer. */
const OF_THE_MOMENT = new Set(['x-amzn-requestid', 'date', 'content-length', 'connection', 'keep-alive'])

/**
 * Requests that carry an Idempotency-Key, on every route that changes something: each is done once, and its answer is
 * given again. What was refused was not done, so its key is free again.
 */
export const idempotency = fp<IdempotencyOptions>(
  async (app, { keys, blindedBy, now }) => {
    /** Fingerprints of what this process is at. */
    const inFlight = new Map<string, string>()
    app.decorateRequest('keyed', null)

    // After the caller is known, and before a route makes something else of the bytes.
    app.addHook('preValidation', async (request, reply) => {
      const header = request.headers['idempotency-key']
      if (header === undefined || request.principal === null || !METHODS.has(request.method)) return
      const key = readIdempotencyKey(String(header))
      const meaning = ['if-match', 'if-none-match', 'x-amz-target'].map((name) => request.headers[name])
      const plain = requestFingerprint(request.method, request.raw.url ?? '', meaning, bytesOf(request))
      const fingerprint = createHmac('sha256', blindedBy).update(plain).digest('hex')
      const keyed = { caller: request.principal.arn, key, fingerprint }
      const running = inFlight.get(idOf(keyed))
      if (running !== undefined) throw running === fingerprint ? keyInFlight(key) : keyReused(key)
      const known = keys.find(keyed.caller, key, now().getTime())
      if (known === undefined) {
        if (!keys.reserve(keyed, now().getTime())) {
          throw new HearthError('CAPACITY_EXHAUSTED', 'Too many Idempotency-Keys were sent in 24 hours.')
        }
        inFlight.set(idOf(keyed), fingerprint)
        request.keyed = keyed
        return
      }
      if (known.fingerprint !== fingerprint) throw keyReused(key)
      if (known.answer === undefined) throw answerMissing(key, known.state !== 'not-kept')
      const { status, headers, body } = known.answer
      void reply.code(status).header(REPLAYED_HEADER, 'true')
      for (let at = 0; at < headers.length; at += 2) void reply.header(headers[at]!, headers[at + 1]!)
      return reply.send(status === 204 ? undefined : Buffer.from(body))
    })

    app.addHook('onSend', async (request, reply, payload) => {
      const { keyed } = request
      if (keyed === null) return payload
      request.keyed = null
      try {
        if (reply.statusCode >= 400) keys.forget(keyed.caller, keyed.key)
        else keys.conclude(keyed, answerOf(reply, payload), now().getTime())
      } catch (err) {
        // It was done, and its caller is told so. Whoever asks again is told that the answer is missing.
        request.log.error({ err }, 'the answer under an Idempotency-Key cannot be kept')
      } finally {
        inFlight.delete(idOf(keyed))
      }
      return payload
    })
  },
  { name: 'idempotency', dependencies: ['authentication', 'raw-bodies'] }
)

/** @returns undefined for one that is not here as a whole */
function answerOf(reply: FastifyReply, payload: unknown) {
  const isWhole = payload === undefined || payload === null || typeof payload === 'string' || Buffer.isBuffer(payload)
  if (!isWhole) return undefined
  const headers = Object.entries(reply.getHeaders())
    .filter(([name, value]) => value !== undefined && !OF_THE_MOMENT.has(name))
    .flatMap(([name, value]) => [name, String(value)])
  return { status: reply.statusCode, headers, body: Buffer.from(payload ?? '') }
}

function idOf({ caller, key }: KeyedRequest): string {
  return `${caller}\n${key}`
}
