import { IDEMPOTENCY_ANSWER_BYTES, IDEMPOTENCY_KEEP_MS } from '@hearth/shared/idempotency'
import type { Db } from './sqlite-addon.ts'

/** Ours: what all kept answers and all keys may come to. */
const MAX_BYTES = 268_435_456
const MAX_KEYS = 1_000_000

const RUNNING = 0
const ANSWERED = 1
const NOT_KEPT = 2
const CUT = 3
const STATES = ['running', 'answered', 'not-kept', 'cut'] as const

/** A response that is given again. */
export interface KeyedAnswer {
  readonly status: number
  /** Flat: name, value, … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

/** A caller's key, and the request that it stands for. */
export interface KeyedRequest {
  /** ARN. */
  readonly caller: string
  readonly key: string
  readonly fingerprint: string
}

export interface KeyRecord {
  readonly fingerprint: string
  /** `running`: in this process. `not-kept`: it ended. `cut`: the process that ran it died. */
  readonly state: (typeof STATES)[number]
  /** Of `answered`. */
  readonly answer: KeyedAnswer | undefined
}

/** What was done under which key, in the database that the work itself is written to. */
export interface IdempotencyKeys {
  /** @returns undefined also for a key that is older than a day */
  find(caller: string, key: string, now: number): KeyRecord | undefined
  /** To be on disk before the work begins. @returns false when there are too many keys */
  reserve(request: KeyedRequest, now: number): boolean
  /** How it ended; without a reservation too. @param answer - Undefined: it is not kept, as one that is too large */
  conclude(request: KeyedRequest, answer: KeyedAnswer | undefined, now: number): void
  /** Nothing was done after all. */
  forget(caller: string, key: string): void
  /** Forgets keys that are older than a day. @returns how many, at most `limit` */
  prune(now: number, limit: number): number
}

/** @param seal - Bodies may hold secrets of whoever made the request; the database alone shall not tell them */
export function createIdempotencyKeys(db: Db, seal: BodySeal = PLAIN): IdempotencyKeys {
  const select = db.prepare<[string, string, number], Row>(
    'SELECT * FROM idempotency_keys WHERE caller = ? AND key = ? AND created_at > ?'
  )
  const insert = db.prepare(`INSERT OR REPLACE INTO idempotency_keys
    (caller, key, fingerprint, state, status, headers, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const update = db.prepare(
    'UPDATE idempotency_keys SET state = ?, status = ?, headers = ?, body = ? WHERE caller = ? AND key = ?'
  )
  const remove = db.prepare('DELETE FROM idempotency_keys WHERE caller = ? AND key = ?')
  const drop = db.prepare(`DELETE FROM idempotency_keys WHERE rowid IN (
    SELECT rowid FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)`)
  const measure = db.prepare<[], { keys: number; bytes: number }>(
    'SELECT count(*) AS keys, coalesce(sum(length(body)), 0) AS bytes FROM idempotency_keys'
  )
  // Whether that had an effect, nobody can say.
  db.prepare('UPDATE idempotency_keys SET state = ? WHERE state = ?').run(CUT, RUNNING)
  // Near enough between two prunings: what a transaction took back is counted until then.
  let held = measure.get()!

  return {
    find(caller, key, now) {
      const row = select.get(caller, key, now - IDEMPOTENCY_KEEP_MS)
      if (row === undefined) return undefined
      const { state, status, headers, body } = row
      const answer =
        status === null || body === null
          ? undefined
          : {
              status,
              headers: JSON.parse(headers ?? '[]') as string[],
              body: seal.open(body, keyedBodyRecord(caller, key))
            }
      return { fingerprint: row.fingerprint, state: STATES[state] ?? 'cut', answer }
    },

    reserve({ caller, key, fingerprint }, now) {
      if (held.keys >= MAX_KEYS) return false
      insert.run(caller, key, fingerprint, RUNNING, null, null, null, now)
      held.keys++
      return true
    },

    conclude({ caller, key, fingerprint }, answer, now) {
      const isKept =
        answer !== undefined &&
        answer.body.length <= IDEMPOTENCY_ANSWER_BYTES &&
        held.bytes + answer.body.length <= MAX_BYTES
      const { status, headers } = answer ?? { status: null, headers: [] }
      const body = isKept ? seal.seal(answer.body, keyedBodyRecord(caller, key)) : null
      const values = isKept ? [ANSWERED, status, JSON.stringify(headers), body] : [NOT_KEPT, null, null, null]
      if (update.run(...values, caller, key).changes === 0) {
        insert.run(caller, key, fingerprint, ...values, now)
        held.keys++
      }
      held.bytes += body?.length ?? 0
    },

    forget(caller, key) {
      held.keys -= remove.run(caller, key).changes
    },

    prune(now, limit) {
      const { changes } = drop.run(now - IDEMPOTENCY_KEEP_MS, limit)
      if (changes > 0) held = measure.get()!
      return changes
    }
  }
}

/** How bodies lie in the database. */
export interface BodySeal {
  seal(body: Uint8Array, record: string): Uint8Array
  open(sealed: Uint8Array, record: string): Uint8Array
}

const PLAIN: BodySeal = { seal: (body) => body, open: (sealed) => sealed }

interface Row {
  readonly fingerprint: string
  readonly state: number
  readonly status: number | null
  readonly headers: string | null
  readonly body: Uint8Array | null
}

export function keyedBodyRecord(caller: string, key: string): string {
  return `idempotency-keys/${caller}/${key}`
}
