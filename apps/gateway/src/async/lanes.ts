import { Lane } from './lane.ts'

/** The lanes of all functions that have events, and whose turn it is: round-robin, each asked until none begins anything. */
export class Lanes {
  readonly #step: (lane: Lane) => boolean
  readonly #byName = new Map<string, Lane>()
  /** Those that wait for their turn. */
  #ring: Lane[] = []
  #isOpen = false
  #isPumping = false

  /** @param step - Begins something of a lane, unless there is no room. @returns whether it did */
  constructor(step: (lane: Lane) => boolean) {
    this.#step = step
  }

  /** Whether turns are given: not before the start, nor after the stop. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  all(): readonly Lane[] {
    return [...this.#byName.values()]
  }

  find(functionName: string): Lane | undefined {
    return this.#byName.get(functionName)
  }

  of(functionName: string): Lane {
    let lane = this.#byName.get(functionName)
    if (lane === undefined) {
      lane = new Lane(functionName)
      this.#byName.set(functionName, lane)
    }
    return lane
  }

  /** Something of it has changed: it gets its turn if it has something to run, and is forgotten if it has nothing at all. */
  offer(lane: Lane): void {
    this.#queue(lane)
    // Another of the name may have come after it.
    if (lane.isIdle && this.#byName.get(lane.functionName) === lane) this.#byName.delete(lane.functionName)
    if (!this.#isPumping && this.#isOpen) this.#pump()
  }

  start(): void {
    this.#isOpen = true
    for (const lane of this.all()) this.offer(lane)
  }

  stop(): void {
    this.#isOpen = false
  }

  #queue(lane: Lane): void {
    if (lane.queued || !lane.isRunnable) return
    lane.queued = true
    this.#ring.push(lane)
  }

  #pump(): void {
    this.#isPumping = true
    // Each lane is asked until a whole round brings nothing.
    for (let moved = true; moved && this.#isOpen; ) {
      moved = false
      const round = this.#ring
      this.#ring = []
      for (const lane of round) {
        lane.queued = false
        if (this.#step(lane)) moved = true
        this.#queue(lane)
      }
    }
    this.#isPumping = false
  }
}
