import type { IncomingMessage } from 'node:http'
import {
  answerMissing,
  HearthError,
  IDEMPOTENCY_ANSWER_BYTES,
  keyInFlight,
  keyReused,
  type Principal,
  REPLAYED_HEADER,
  readIdempotencyKey,
  requestFingerprint
} from '@hearth/shared'
import { type EventQueue, type KeyedAnswer, type KeyedRequest, QueueUnavailableError } from '@hearth/store'

type Keys = EventQueue['keys']

/** What a call is to those who see to it that it is done once. */
export interface Keyable {
  readonly req: IncomingMessage
  readonly principal: Principal | undefined
  /** Set when it is the first of its key. */
  keyed: KeyedCall | undefined
  respond(status: number, headers: string[], body: Buffer): void
  refuse(thrown: unknown): void
}

/** Calls that carry an Idempotency-Key: each is done once, and its answer given again. */
export interface Idempotency {
  /**
   * @param body - As it was sent.
   * @param enter - Called when the call is the first of its key; else it is answered here
   * @throws HearthError INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_FLIGHT
   */
  begin(call: Keyable, header: string, body: Buffer, enter: () => void): void
  /** Forgets keys that are older than a day. */
  prune(): Promise<void>
}

const PRUNE_ROWS = 1_000

/** @param now - Unix time in ms */
export function createIdempotency(keys: Keys, now: () => number, onError: (err: unknown) => void): Idempotency {
  /** Fingerprints of what this process is at. */
  const inFlight = new Map<string, string>()

  async function lookUp(call: Keyable, request: KeyedRequest, enter: () => void): Promise<void> {
    const { caller, key, fingerprint } = request
    const known = await keys.find(caller, key, now()).catch(refuse)
    if (known !== undefined) {
      inFlight.delete(idOf(request))
      if (known.fingerprint !== fingerprint) throw keyReused(key)
      if (known.answer === undefined) throw answerMissing(key, known.state !== 'not-kept')
      const { status, headers, body } = known.answer
      call.respond(status, [...headers, REPLAYED_HEADER, 'true'], Buffer.from(body))
      return
    }
    call.keyed = new KeyedCall(keys, request, now, onError, () => {
      inFlight.delete(idOf(request))
    })
    enter()
  }

  return {
    begin(call, header, body, enter) {
      const { method = '', url = '', headers } = call.req
      const key = readIdempotencyKey(header)
      const meaning = [headers['prefer'], headers['x-amz-invocation-type'], headers['x-amz-client-context']]
      const fingerprint = requestFingerprint(method, url, meaning, body)
      const request = { caller: call.principal?.arn ?? '', key, fingerprint }
      const running = inFlight.get(idOf(request))
      if (running !== undefined) throw running === fingerprint ? keyInFlight(key) : keyReused(key)
      inFlight.set(idOf(request), fingerprint)
      lookUp(call, request, enter).catch((err: unknown) => {
        if (call.keyed === undefined) inFlight.delete(idOf(request))
        call.refuse(err)
      })
    },

    async prune() {
      await keys.prune(now(), PRUNE_ROWS).catch(onError)
    }
  }
}

/**
 * One call under its key, from the moment that it is known to be the first until its answer is on disk. Whatever is on
 * disk is there before the caller hears of it.
 */
export class KeyedCall {
  readonly #keys: Keys
  readonly #request: KeyedRequest
  readonly #now: () => number
  readonly #onError: (err: unknown) => void
  readonly #release: () => void
  #isReserved = false
  #isOver = false

  constructor(
    keys: Keys,
    request: KeyedRequest,
    now: () => number,
    onError: (err: unknown) => void,
    release: () => void
  ) {
    this.#keys = keys
    this.#request = request
    this.#now = now
    this.#onError = onError
    this.#release = release
  }

  /** Before the function runs. @throws HearthError QUEUE_UNAVAILABLE, CAPACITY_EXHAUSTED */
  async reserve(): Promise<void> {
    const isReserved = await this.#keys.reserve(this.#request, this.#now()).catch(refuse)
    if (!isReserved) throw new HearthError('CAPACITY_EXHAUSTED', 'Too many Idempotency-Keys were sent in 24 hours.')
    this.#isReserved = true
  }

  /** What an event is written to disk with. */
  withAnswer(answer: KeyedAnswer): { readonly request: KeyedRequest; readonly answer: KeyedAnswer } {
    return { request: this.#request, answer }
  }

  /** The answer is on disk with its event. */
  kept(): void {
    this.#isOver = true
    this.#release()
  }

  /** Keeps the answer, then sends it. An answer that can't be kept is sent all the same. */
  conclude(answer: KeyedAnswer | undefined, send: () => void): void {
    if (this.#isOver) {
      send()
      return
    }
    this.#isOver = true
    // One that is too large is not even handed to the thread that writes.
    const kept = answer !== undefined && answer.body.length <= IDEMPOTENCY_ANSWER_BYTES ? answer : undefined
    this.#keys
      .conclude(this.#request, kept, this.#now())
      .catch(this.#onError)
      .finally(() => {
        this.#release()
        send()
      })
  }

  /** Nothing was done: the key may be used again. @param then - Called when it may */
  forget(then: () => void): void {
    if (this.#isOver) {
      then()
      return
    }
    this.#isOver = true
    const { caller, key } = this.#request
    const forgotten = this.#isReserved ? this.#keys.forget(caller, key).catch(this.#onError) : Promise.resolve()
    void forgotten.then(() => {
      this.#release()
      then()
    })
  }
}

function idOf({ caller, key }: KeyedRequest): string {
  return `${caller}\n${key}`
}

function refuse(cause: unknown): never {
  if (!(cause instanceof QueueUnavailableError)) throw cause
  throw new HearthError(
    'QUEUE_UNAVAILABLE',
    'Idempotency-Keys cannot be written now, so nothing was done. Try again later; the server log says why.',
    { cause }
  )
}
