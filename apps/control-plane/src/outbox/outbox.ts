import { WebhookError } from '@hearth/shared'

/** Something that waits on disk until it has arrived. */
export interface OutboxMessage {
  /** The receiver's id of it, however often it is sent. */
  readonly id: string
  /** Unix time in ms. */
  readonly createdAt: number
  /** That have failed. */
  readonly attempts: number
}

/** Where messages wait. */
export interface OutboxStore<Message> {
  /** Those that are due, the oldest first. @param now - Unix time in ms */
  due(now: number, limit: number): readonly Message[]
  nextDueAt(): number | undefined
  /** It is not sent again. @param problem - Why it is given up; undefined: it has arrived */
  end(message: Message, problem: string | undefined): void
  /** An attempt has failed; the next one is at `dueAt`. */
  retry(message: Message, dueAt: number, problem: string): void
}

export interface OutboxDeps<Message> {
  readonly store: OutboxStore<Message>
  /** Messages of one lane go one after the other. */
  readonly laneOf: (message: Message) => string
  /** @param signal - Aborted when the outbox is closed. @throws DeliveryFailure, WebhookError; what else is thrown is tried again */
  readonly deliver: (message: Message, signal: AbortSignal) => Promise<void>
  readonly now: () => Date
  readonly onResult: (message: Message, result: 'delivered' | 'retried' | 'failed', problem: string) => void
  /** The disk, or a failure that says nothing by itself. */
  readonly onError: (err: unknown) => void
}

export interface Outbox<Message> {
  /** There may be something to send. */
  wake(): void
  /** Sends one message now, past the disk. @returns what went wrong */
  sendNow(message: Message): Promise<string | undefined>
  /** Breaks off what is under way, which is sent again after the next start. */
  close(): Promise<void>
}

/** Why something did not arrive; shown to whoever asks. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
  /** Trying again would not help. */
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean) {
    super(message)
    this.isFinal = isFinal
  }
}

/** On their way at once. */
const AT_ONCE = 16
/** Looked at together: those of lanes that are busy are among them. */
const LOOKED_AT = 200
const BACKOFF_MS = { first: 1_000, most: 300_000 }
/** Until what cannot be sent is given up. */
const GIVE_UP_MS = 86_400_000
const MAX_TIMER_MS = 3_600_000
const DISK_RETRY_MS = 1_000

/**
 * Sends what waits, until each message has arrived or a day has passed. One is noted as delivered after it has arrived:
 * whatever ends this process before is sent again under the same id, by which its receiver knows it.
 */
export function createOutbox<Message extends OutboxMessage>(deps: OutboxDeps<Message>): Outbox<Message> {
  const { store, laneOf, deliver, now, onResult, onError } = deps
  const busy = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let isPlanned = false

  function pump(): void {
    isPlanned = false
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    try {
      const at = now().getTime()
      for (const message of store.due(at, LOOKED_AT)) {
        if (busy.size >= AT_ONCE) break
        const lane = laneOf(message)
        if (busy.has(lane)) continue
        const done = send(message).finally(() => {
          busy.delete(lane)
          wake()
        })
        busy.set(lane, done)
      }
      const next = store.nextDueAt()
      if (next !== undefined && busy.size === 0) plan(next - at)
    } catch (err) {
      onError(err)
      plan(DISK_RETRY_MS)
    }
  }

  function plan(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(pump, Math.min(Math.max(delayMs, 1), MAX_TIMER_MS))
    timer.unref()
  }

  function wake(): void {
    if (isPlanned) return
    isPlanned = true
    setImmediate(pump)
  }

  async function send(message: Message): Promise<void> {
    const failure = await attempt(message)
    // What was broken off is sent again by the next who opens the outbox.
    if (stopping.signal.aborted && failure !== undefined) return
    for (;;) {
      try {
        settle(message, failure)
        return
      } catch (err) {
        onError(err)
        if (stopping.signal.aborted) return
        await new Promise((resolve) => setTimeout(resolve, DISK_RETRY_MS).unref())
      }
    }
  }

  async function attempt(message: Message): Promise<DeliveryFailure | undefined> {
    try {
      await deliver(message, stopping.signal)
      return undefined
    } catch (err) {
      if (err instanceof DeliveryFailure) return err
      if (err instanceof WebhookError) return new DeliveryFailure(err.message, err.isFinal)
      onError(err)
      return new DeliveryFailure('the gateway could not take it', false)
    }
  }

  function settle(message: Message, failure: DeliveryFailure | undefined): void {
    const { attempts, createdAt } = message
    if (failure === undefined) {
      store.end(message, undefined)
      onResult(message, 'delivered', '')
      return
    }
    const problem = failure.message
    const dueAt = now().getTime() + Math.min(BACKOFF_MS.first * 2 ** Math.min(attempts, 20), BACKOFF_MS.most)
    if (failure.isFinal || dueAt > createdAt + GIVE_UP_MS) {
      store.end(message, problem)
      onResult(message, 'failed', problem)
      return
    }
    store.retry(message, dueAt, problem)
    onResult(message, 'retried', problem)
  }

  return {
    wake,
    async sendNow(message) {
      return (await attempt(message))?.message
    },
    async close() {
      clearTimeout(timer)
      stopping.abort()
      await Promise.all(busy.values())
    }
  }
}
