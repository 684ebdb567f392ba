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
import type { IdempotencyKeys, KeyedAnswer, KeyedRequest } from '@hearth/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { bytesOf } from './raw-bodies.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while a request with an Idempotency-Key is done for the first time. */
    keyed: KeyedRequest | null
    /** What its route asked for by itself, beside its own action. */
    asked: Asked[]
    /** Set while it is asked anew whether an answer may be given again. */
    again: AnswerAgain | null
  }
}

export interface IdempotencyOptions {
  readonly keys: IdempotencyKeys
  /** Makes fingerprints such that the database alone does not tell whether a guess of a body, a secret's say, is right. */
  readonly blindedBy: string
  readonly now: () => Date
}

/** What a caller needed to be allowed, as it is kept. */
export interface Asked {
  readonly action: string
  readonly resource: string
}

/**
 * Thrown where a route asks whether its caller may, once that is known: the work behind it is done, and its answer is
 * given again.
 */
export class AnswerAgain extends Error {
  readonly answer: KeyedAnswer
  /** What the caller needed when it was done. */
  readonly asked: readonly Asked[]

  constructor(answer: KeyedAnswer, asked: readonly Asked[]) {
    super('answered before')
    this.answer = answer
    this.asked = asked
  }

  send(reply: FastifyReply): unknown {
    const { status, headers, body } = this.answer
    void reply.code(status).header(REPLAYED_HEADER, 'true')
    for (let at = 0; at < headers.length; at += 2) {
      if (headers[at] !== ASKED) void reply.header(headers[at]!, headers[at + 1]!)
    }
    return reply.send(status === 204 ? undefined : Buffer.from(body))
  }
}

/** Kept among an answer's headers; none can have this name. */
const ASKED = ':asked'
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
    app.decorateRequest('again', null)
    app.decorateRequest('asked')
    app.addHook('onRequest', async (request) => {
      request.asked = []
    })

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
      const asked = askedIn(known.answer)
      if (asked === undefined) throw answerMissing(key, false)
      const again = new AnswerAgain(known.answer, asked)
      if (asked.length === 0) return again.send(reply)
      // The route knows what policies may ask of such a request: it goes on up to where it asks.
      request.again = again
      return undefined
    })

    app.addHook('onSend', async (request, reply, payload) => {
      const { keyed } = request
      if (keyed === null) return payload
      request.keyed = null
      try {
        if (reply.statusCode >= 400) keys.forget(keyed.caller, keyed.key)
        else keys.conclude(keyed, answerOf(request, reply, payload), now().getTime())
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
function answerOf(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
  const isWhole = payload === undefined || payload === null || typeof payload === 'string' || Buffer.isBuffer(payload)
  if (!isWhole) return undefined
  const headers = Object.entries(reply.getHeaders())
    .filter(([name, value]) => value !== undefined && !OF_THE_MOMENT.has(name))
    .flatMap(([name, value]) => [name, String(value)])
  headers.push(ASKED, JSON.stringify(request.asked))
  return { status: reply.statusCode, headers, body: Buffer.from(payload ?? '') }
}

/** @returns undefined: that was not kept */
function askedIn({ headers }: KeyedAnswer): readonly Asked[] | undefined {
  const at = headers.indexOf(ASKED)
  return at < 0 ? undefined : (JSON.parse(headers[at + 1]!) as readonly Asked[])
}

function idOf({ caller, key }: KeyedRequest): string {
  return `${caller}\n${key}`
}
