import type { Booted, StockKey } from './boot.ts'
import { createDemand } from './stock-demand.ts'

/** What a sandbox is taken to need before one of its kind has been booted. */
const USUAL_BYTES = 24 * 1_048_576
/** A measurement below this is of no runtime. */
const MIN_BYTES = 4 * 1_048_576
/** A kind that no function has asked for since then is not kept ready any more. */
const FORGET_MS = 30 * 60_000
/** Kinds that are kept ready at most; the least recently used one gives way, and none in use to one that is not. */
const MAX_KINDS = 64
/** A kind is in use this long after a sandbox of it was wanted, and while functions have instances of it. */
const IN_USE_MS = 60_000

/** One kind of sandbox and those of it that are ready. */
export class Shelf {
  readonly key: StockKey
  readonly demand = createDemand()
  readonly #ready: Booted[] = []
  booting = 0
  /** Boots in a row that came to nothing. */
  failures = 0
  /** How many may be ready. */
  target = 0
  /** When a function was deployed or called that wants this kind. */
  usedAt = 0
  /** When one was taken, or a function had instances of this kind. */
  inUseAt = Number.NEGATIVE_INFINITY
  /** Kept even when nothing uses it: what a first function is likely to want. */
  isDefault = false
  #bytes = USUAL_BYTES

  constructor(key: StockKey) {
    this.key = key
  }

  /** How many are ready. */
  get size(): number {
    return this.#ready.length
  }

  /** Memory of one of them, as measured at the end of its boot. */
  get bytes(): number {
    return this.#bytes
  }

  isInUseAt(now: number): boolean {
    return now - this.inUseAt <= IN_USE_MS
  }

  /** One is ready. @param onLost - Called when it has ended here */
  put(booted: Booted, onLost: () => void): void {
    this.#ready.push(booted)
    this.#bytes = Math.max(MIN_BYTES, booted.usedBytes ?? booted.peakBytes ?? USUAL_BYTES)
    void booted.sandbox.exited.then(() => {
      const at = this.#ready.indexOf(booted)
      if (at < 0) return
      this.#ready.splice(at, 1)
      onLost()
    })
  }

  /** The last that was put there. */
  take(): Booted | undefined {
    return this.#ready.pop()
  }

  /** Ends those that are too many, the first that were put there. */
  cutTo(size: number): void {
    while (this.#ready.length > size) this.#ready.shift()!.sandbox.kill()
  }
}

/** Kinds of sandbox that are kept ready, in the order of their use. Times are monotonic, in ms. */
export class Shelves implements Iterable<Shelf> {
  /** The least recently used first. */
  readonly #all = new Map<string, Shelf>();

  [Symbol.iterator](): IterableIterator<Shelf> {
    return this.#all.values()
  }

  /** The most recently used first. */
  lastUsedFirst(): Shelf[] {
    return [...this.#all.values()].reverse()
  }

  find(key: StockKey): Shelf | undefined {
    return this.#all.get(idOf(key))
  }

  /** @returns the shelf of a kind, which is not kept where there are only kinds in use and it is not */
  use(key: StockKey, isInUse: boolean, now: number): Shelf {
    const id = idOf(key)
    const shelf = this.#all.get(id) ?? new Shelf(key)
    shelf.usedAt = now
    if (isInUse) shelf.inUseAt = now
    // Re-inserted, so that the map's order is the order of use.
    this.#all.delete(id)
    this.#all.set(id, shelf)
    if (this.#all.size > MAX_KINDS) {
      const others = [...this.#all.values()].filter((other) => !other.isDefault)
      this.#drop(others.find((other) => !other.isInUseAt(now)) ?? others[0]!)
    }
    return shelf
  }

  /** Functions have instances of it. Nothing was asked for: the order of use stays. */
  stay(key: StockKey, now: number): void {
    const shelf = this.find(key) ?? this.use(key, true, now)
    shelf.usedAt = now
    shelf.inUseAt = now
  }

  /** Lets go of kinds that nobody has asked for since long ago. */
  forgetUnused(now: number): void {
    for (const shelf of this) if (now - shelf.usedAt > FORGET_MS && !shelf.isDefault) this.#drop(shelf)
  }

  clear(): void {
    for (const shelf of this) this.#drop(shelf)
  }

  #drop(shelf: Shelf): void {
    this.#all.delete(idOf(shelf.key))
    shelf.cutTo(0)
  }
}

function idOf(key: StockKey): string {
  return `${key.runtime}/${key.memoryMiB}/${key.tmpMiB}/${key.network}`
}
