import { createScalingRate, type ScalingRate } from './capacity.ts'
import type { Flight } from './flight.ts'
import type { Invocation, ThrottleReason } from './types.ts'
import { createWaitQueue, type Waiting, type WaitQueue } from './wait-queue.ts'

export interface AdmissionOptions {
  /** Events in flight at once, over all functions. */
  readonly concurrency: number
  /** How long an event over a limit waits for its turn, in ms; 0: not at all. */
  readonly waitMs: number
  /** Events that may wait at each limit. */
  readonly lineLength: number
  /** Instances that one function may start in 10 s. */
  readonly scalingBurst: number
}

/** Whose events they are. */
export interface Applicant {
  /** Its turn has come, and its place is taken. */
  admitted(flight: Flight): void
  /** There was no place for it. */
  turnedAway(flight: Flight, reason: ThrottleReason): void
}

interface InLine extends Waiting {
  readonly flight: Flight
  readonly share: Share
  readonly applicant: Applicant
}

/** Places for events in flight, and those that wait for one. Integers only: every event passes here. */
class Limit {
  readonly reason: ThrottleReason
  readonly line: WaitQueue<InLine>
  inUse = 0
  capacity = 0
  #advancing = false

  constructor(reason: ThrottleReason, { lineLength, waitMs }: AdmissionOptions) {
    this.reason = reason
    this.line = createWaitQueue(waitMs === 0 ? 0 : lineLength, waitMs, (item) => {
      item.applicant.turnedAway(item.flight, reason)
    })
  }

  give(): void {
    this.inUse--
    if (this.line.length > 0) this.advance()
  }

  /** Lets in who waits, as far as there is room. */
  advance(): void {
    // Who is let in may be refused further on, which makes room again: the loop below sees that.
    if (this.#advancing) return
    this.#advancing = true
    while (this.inUse < this.capacity) {
      const item = this.line.shift()
      if (item === undefined) break
      item.share.take()
      item.applicant.admitted(item.flight)
    }
    // No turn will come while a function is switched off.
    if (this.capacity === 0) this.refuseAll()
    this.#advancing = false
  }

  refuseAll(): void {
    for (const item of this.line.clear()) item.applicant.turnedAway(item.flight, this.reason)
  }
}

/** What of the account's concurrency is one function's, over all its versions. */
export class Share {
  readonly name: string
  /** How fast it may get instances. */
  readonly rate: ScalingRate
  readonly #admission: Admission
  /** The function's own limit, or the account's. */
  #limit: Limit
  /** Events in flight that took a place at the limit. */
  #inUse = 0
  #reserved: number | undefined
  /** Places of its versions with provisioned concurrency. */
  #guaranteed = 0
  /** Versions that have instances or may get some. */
  pools = 0

  constructor(name: string, admission: Admission, rate: ScalingRate) {
    this.name = name
    this.rate = rate
    this.#admission = admission
    this.#limit = admission.account
  }

  get reserved(): number | undefined {
    return this.#reserved
  }

  get guaranteed(): number {
    return this.#guaranteed
  }

  /** @returns false when there is no place left */
  take(): boolean {
    const limit = this.#limit
    if (limit.inUse >= limit.capacity) return false
    limit.inUse++
    this.#inUse++
    return true
  }

  /** Gives a place back. */
  give(): void {
    this.#inUse--
    this.#limit.give()
  }

  /** For an event that found no place: it waits for one, or is turned away at once. */
  apply(flight: Flight, applicant: Applicant): void {
    const { line, reason, capacity } = this.#limit
    const { invocation, arrivedAt } = flight
    const mayWait = capacity > 0 && line.push({ invocation, arrivedAt, flight, share: this, applicant })
    if (!mayWait) applicant.turnedAway(flight, reason)
  }

  /** @returns whether it was waiting in line */
  cancel(invocation: Invocation): boolean {
    return this.#limit.line.remove(invocation) !== undefined
  }

  /** Takes whoever of the applicant waits first out of the line; it needs no place any more. */
  leaveLine(applicant: Applicant): Flight | undefined {
    const { line } = this.#limit
    const first = line.find((item) => item.applicant === applicant)
    return first && line.remove(first.invocation)?.flight
  }

  /** More, or fewer, places belong to versions with provisioned concurrency. @param moved - Events in flight that go with them */
  guarantee(places: number, moved: number): void {
    this.#guaranteed += places
    this.#inUse -= moved
    this.#limit.inUse -= moved
    this.#admission.divide()
  }

  /** Takes effect on the next event; what is in flight counts on. @param reserved - Undefined: it shares the account's */
  reserve(reserved: number | undefined): void {
    const before = this.#limit
    const { account } = this.#admission
    this.#reserved = reserved
    if (reserved === undefined) this.#limit = account
    else if (before === account) this.#limit = this.#admission.ownLimit()
    if (this.#limit !== before) this.#move(before)
    this.#admission.divide()
  }

  /** As of {@link reserve} and {@link guarantee}. */
  update(): void {
    if (this.#reserved === undefined) return
    this.#limit.capacity = Math.max(0, this.#reserved - this.#guaranteed)
    this.#limit.advance()
  }

  /** Whoever waits at its own limit is turned away. */
  refuseAll(): void {
    if (this.#reserved !== undefined) this.#limit.refuseAll()
  }

  #move(before: Limit): void {
    before.inUse -= this.#inUse
    this.#limit.inUse += this.#inUse
    for (const item of before.line.clear()) {
      const { line, reason } = item.share === this ? this.#limit : before
      if (!line.push(item)) item.applicant.turnedAway(item.flight, reason)
    }
  }
}

/**
 * Who may run: counts events in flight, as Lambda's concurrency does. Reserved concurrency takes places out of the
 * account's and bounds its function; provisioned concurrency takes them out of its function's, or else the account's.
 */
export class Admission {
  readonly account: Limit
  readonly #options: AdmissionOptions
  readonly #shares = new Map<string, Share>()
  /** Events turned away, by reason. */
  readonly throttles: Record<ThrottleReason, number> = { function: 0, account: 0, queue: 0 }

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.account = new Limit('account', options)
    this.account.capacity = options.concurrency
  }

  get concurrency(): number {
    return this.#options.concurrency
  }

  /** Places that functions without a reservation share. */
  get unreserved(): number {
    return this.account.capacity
  }

  /** Functions that are at work or have a reservation. */
  shares(): Iterable<Share> {
    return this.#shares.values()
  }

  /** For a version of the function; to be given back through {@link close}. */
  open(name: string): Share {
    const share = this.#share(name)
    share.pools++
    return share
  }

  close(share: Share): void {
    share.pools--
    this.#forget(share)
  }

  /** @param reserved - Undefined: the function shares the account's */
  setReserved(name: string, reserved: number | undefined): void {
    const known = this.#shares.get(name)
    if (known?.reserved === reserved) return
    const share = known ?? this.#share(name)
    share.reserve(reserved)
    this.#forget(share)
  }

  /** Divides the account anew. */
  divide(): void {
    let left = this.#options.concurrency
    for (const share of this.#shares.values()) {
      left -= share.reserved ?? share.guaranteed
      share.update()
    }
    this.account.capacity = Math.max(0, left)
    this.account.advance()
  }

  /** Whoever still waits is turned away. */
  shutdown(): void {
    this.account.refuseAll()
    for (const share of this.#shares.values()) share.refuseAll()
  }

  /** A limit of one function alone. */
  ownLimit(): Limit {
    return new Limit('function', this.#options)
  }

  #share(name: string): Share {
    let share = this.#shares.get(name)
    if (share === undefined) {
      share = new Share(name, this, createScalingRate(this.#options.scalingBurst))
      this.#shares.set(name, share)
    }
    return share
  }

  #forget(share: Share): void {
    if (share.pools === 0 && share.reserved === undefined) this.#shares.delete(share.name)
  }
}
