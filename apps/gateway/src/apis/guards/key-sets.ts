import { type CryptoKey, importJWK } from 'jose'
import { type PublicKey, readKeys } from './public-keys.ts'

/** Signature keys of token issuers, remembered. */
export interface KeySets {
  /**
   * @returns undefined when the issuer has no such key
   * @throws whatever {@link KeySetsOptions.load} does, when nothing good is remembered
   */
  find(issuer: string, kid: string, alg: string): Promise<CryptoKey | undefined>
}

export interface KeySetsOptions {
  /** Gets an issuer's key set as it stands, unchecked. */
  readonly load: (issuer: string) => Promise<unknown>
  /** Unix time in ms. */
  readonly now: () => number
  /** Told of each load. @param err - Undefined: it went well */
  readonly onLoaded: (issuer: string, err: unknown) => void
}

interface Slot {
  keys: readonly PublicKey[]
  /** When `keys` were asked for, Unix time in ms. */
  loadedAt: number
  /** When they were last asked for, and what went wrong then. */
  triedAt: number
  failure: Error | undefined
  pending: Promise<void> | undefined
  /** By key and algorithm. */
  imported: Map<string, Promise<CryptoKey | undefined>>
}

/** After this keys are asked for again, in the background; as AWS, none is used for longer than two hours. */
const FRESH_MS = 3_600_000
const GOOD_MS = 7_200_000
/** Anybody can send key ids that nobody knows: so often at most does that make a request to the issuer. */
const UNKNOWN_MS = 10_000
/** How long an issuer that did not answer is left alone. */
const FAILED_MS = 5_000
/** Issuers remembered; those that were made first go first. */
const ISSUERS = 1_000

export function createKeySets({ load, now, onLoaded }: KeySetsOptions): KeySets {
  const slots = new Map<string, Slot>()

  const slotOf = (issuer: string): Slot => {
    const known = slots.get(issuer)
    if (known !== undefined) return known
    if (slots.size >= ISSUERS) slots.delete(slots.keys().next().value!)
    const never = Number.NEGATIVE_INFINITY
    const slot = {
      keys: [],
      loadedAt: never,
      triedAt: never,
      failure: undefined,
      pending: undefined,
      imported: new Map()
    }
    slots.set(issuer, slot)
    return slot
  }

  /** Never rejects: whoever waits looks at the slot. All who wait share one request. */
  const refresh = (issuer: string, slot: Slot): Promise<void> => {
    slot.pending ??= (async () => {
      slot.triedAt = now()
      try {
        slot.keys = readKeys(await load(issuer))
        slot.imported = new Map()
        slot.loadedAt = slot.triedAt
        slot.failure = undefined
      } catch (err) {
        slot.failure = err instanceof Error ? err : new Error(String(err))
      }
      slot.pending = undefined
      onLoaded(issuer, slot.failure)
    })()
    return slot.pending
  }

  return {
    async find(issuer, kid, alg) {
      const slot = slotOf(issuer)
      const age = now() - slot.loadedAt
      if (age > GOOD_MS) {
        if (slot.failure === undefined || now() - slot.triedAt >= FAILED_MS) await refresh(issuer, slot)
        if (slot.failure !== undefined) throw slot.failure
      } else if (age > FRESH_MS && now() - slot.triedAt >= UNKNOWN_MS) void refresh(issuer, slot)
      const known = findKey(slot.keys, kid, alg)
      if (known !== undefined) return importKey(slot, known, alg)
      if (slot.pending === undefined && now() - slot.triedAt < UNKNOWN_MS) return undefined
      // Perhaps they were changed.
      await refresh(issuer, slot)
      const found = findKey(slot.keys, kid, alg)
      return found && importKey(slot, found, alg)
    }
  }
}

function findKey(keys: readonly PublicKey[], kid: string, alg: string): PublicKey | undefined {
  return keys.find((key) => key.kid === kid && key.algorithms.includes(alg))
}

/** A key that is none, such as a point beside its curve, is as one that is not there. */
function importKey(slot: Slot, key: PublicKey, alg: string): Promise<CryptoKey | undefined> {
  const name = `${alg} ${key.kid}`
  const known = slot.imported.get(name)
  if (known !== undefined) return known
  const made = (importJWK(key.jwk, alg) as Promise<CryptoKey>).catch(() => undefined)
  slot.imported.set(name, made)
  return made
}
