import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BatchAnswer, Operation, Span, WriterData } from './operations.ts'
import { type Delivery, type QueuedEvent, QueueUnavailableError } from './types.ts'

export interface QueueOptions {
  readonly file: string
  readonly migrationsDir: string
  /** Bounds the file, in pages of 4 KiB; 0: the disk does. */
  readonly maxPages?: number
  /** How long an open waits for a process that is about to end, in ms. Default: 5,000. */
  readonly busyMs?: number
  /** The thread that writes is lost and is being started again, or (undefined) works again. */
  readonly onProblem?: (problem: Error | undefined) => void
}

interface Asked {
  readonly operation: Operation
  readonly resolve: (answer: unknown) => void
  readonly reject: (err: Error) => void
}

const BUSY_MS = 5_000
/**
 * Under load a batch begins this long after the one before at the earliest, or when it is as large: what a batch costs,
 * whatever is in it (two wake-ups, one sync of the disk), is more than an event's own share.
 */
const PAUSE_MS = 2
/** Operations of a batch from which on that counts as load. Who sends one event after the other does not wait. */
const LOAD = 8

/** Before a thread that was lost is started again, in ms; doubles. */
const RESTART_MS = { first: 50, most: 5_000 }

/**
 * The way to the thread that writes: what is asked in one turn of the event loop goes there as one message. A thread that
 * is lost is started again; what it was asked and did not answer is refused.
 */
export class Batches {
  readonly #options: QueueOptions
  #worker: Worker | undefined
  #asked: Asked[] = []
  #payloads: Buffer[] = []
  #size = 0
  #sent: Asked[][] = []
  /** Of the last one that was sent: operations, and when, in `performance.now()` ms. */
  #lastSize = 0
  #lastAt = 0
  #pause: NodeJS.Timeout | undefined
  /** What this process has claimed: of anything else a new thread says that nobody has it. */
  readonly #events = new Set<string>()
  readonly #deliveries = new Set<string>()
  #refused: string[] = []
  #isClosing = false
  #problem: QueueUnavailableError | undefined
  #restarts = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** @throws QueueUnavailableError */
  async open(): Promise<void> {
    const { file, migrationsDir, maxPages = 0, busyMs = BUSY_MS } = this.#options
    const held = { events: [...this.#events], deliveries: [...this.#deliveries], refused: this.#refused }
    const workerData: WriterData = { file, migrationsDir, maxPages, busyMs, held }
    const worker = new Worker(new URL('./writer.js', import.meta.url), { workerData })
    const opening = await Promise.race([
      once(worker, 'message').then(([answer]) => answer as BatchAnswer),
      once(worker, 'exit').then(() => undefined)
    ]).catch((err: unknown): BatchAnswer => ({ opened: false, message: (err as Error).message }))
    if (opening === undefined || !('opened' in opening) || !opening.opened) {
      await worker.terminate()
      throw new QueueUnavailableError(
        `the queue at ${file} cannot be opened: ${opening !== undefined && 'message' in opening ? opening.message : ''}`
      )
    }
    this.#refused = []
    this.#worker = worker
    let reason = 'its thread has ended'
    worker.on('message', (answer: BatchAnswer) => {
      this.#onAnswer(answer)
    })
    worker.on('error', (err) => {
      reason = err.message
    })
    worker.on('exit', () => {
      if (this.#worker === worker) this.#onExit(reason)
    })
  }

  /** Adds a payload to the batch of the next {@link ask}. */
  add(payload: Buffer): Span {
    const span = { start: this.#size, length: payload.length }
    // Nobody will send it.
    if (this.#problem !== undefined || this.#isClosing) return span
    this.#payloads.push(payload)
    this.#size += payload.length
    return span
  }

  /** Resolves when it is on disk. @throws QueueUnavailableError */
  ask<T>(operation: Operation): Promise<T> {
    if (this.#problem !== undefined) return Promise.reject(this.#problem)
    if (this.#isClosing) return Promise.reject(new QueueUnavailableError('the queue is closed'))
    if (this.#asked.length === 0) setImmediate(flush, this)
    else if (this.#pause !== undefined && this.#asked.length >= this.#lastSize) {
      clearTimeout(this.#pause)
      this.#pause = undefined
      setImmediate(flush, this)
    }
    return new Promise<T>((resolve, reject) => {
      this.#asked.push({ operation, resolve: resolve as (answer: unknown) => void, reject })
    })
  }

  /** For {@link ask}. One batch at a time: the slower the disk, the more go into the next one. */
  flush(): void {
    if (this.#sent.length > 0 || this.#pause !== undefined) return
    const isFew = this.#asked.length < this.#lastSize
    const left = isFew && this.#lastSize >= LOAD ? this.#lastAt + PAUSE_MS - performance.now() : 0
    if (left <= 0) this.#send()
    else this.#pause = setTimeout(endPause, left, this)
  }

  /** For {@link flush}. */
  endPause(): void {
    this.#pause = undefined
    this.flush()
  }

  #send(): void {
    const asked = this.#asked
    if (asked.length === 0 || this.#worker === undefined) return
    const bytes = new Uint8Array(this.#size)
    let at = 0
    for (const payload of this.#payloads) {
      bytes.set(payload, at)
      at += payload.length
    }
    this.#asked = []
    this.#payloads = []
    this.#size = 0
    this.#sent.push(asked)
    this.#lastSize = asked.length
    this.#lastAt = performance.now()
    this.#worker.postMessage({ operations: asked.map(({ operation }) => operation), bytes }, [bytes.buffer])
  }

  /** Finishes what was asked. */
  async close(): Promise<void> {
    this.#send()
    this.#isClosing = true
    clearTimeout(this.#restart)
    clearTimeout(this.#pause)
    const worker = this.#worker
    if (worker === undefined) return
    const gone = once(worker, 'exit')
    worker.postMessage('close')
    await gone
  }

  #onAnswer(answer: BatchAnswer): void {
    if ('opened' in answer) return
    const batch = this.#sent.shift()!
    if (this.#asked.length > 0) setImmediate(flush, this)
    const failed = new Set(answer.failed)
    for (const [index, { operation, resolve, reject }] of batch.entries()) {
      if (failed.has(index)) {
        reject(new QueueUnavailableError(answer.message))
        continue
      }
      this.#keep(operation, answer.answers[index])
      resolve(answer.answers[index])
    }
  }

  #keep(operation: Operation, answer: unknown): void {
    switch (operation.kind) {
      case 'enqueue':
        if (operation.claimed) this.#events.add(operation.requestId)
        return
      case 'claim':
        for (const { requestId } of (answer as { events: QueuedEvent[] }).events) this.#events.add(requestId)
        return
      case 'complete':
      case 'retry':
        this.#events.delete(operation.requestId)
        return
      case 'claim-deliveries':
        for (const { id } of (answer as { deliveries: Delivery[] }).deliveries) this.#deliveries.add(id)
        return
      case 'end-delivery':
      case 'retry-delivery':
        this.#deliveries.delete(operation.id)
        return
      default:
    }
  }

  #onExit(reason: string): void {
    this.#worker = undefined
    const problem = new QueueUnavailableError(this.#isClosing ? 'the queue is closed' : reason)
    for (const batch of [...this.#sent, this.#asked]) {
      for (const { operation, reject } of batch) {
        // It may have been written; who asked is told that it was not.
        // A fire is asked again for the same due time, and a delivery is sent again.
        if (operation.kind === 'enqueue' && operation.fired === undefined && operation.receipt === undefined) {
          this.#refused.push(operation.requestId)
        }
        reject(problem)
      }
    }
    this.#sent = []
    this.#asked = []
    this.#payloads = []
    this.#size = 0
    if (this.#isClosing) return
    this.#problem = problem
    this.#options.onProblem?.(problem)
    this.#startAgain()
  }

  #startAgain(): void {
    const wait = Math.min(RESTART_MS.first * 2 ** this.#restarts, RESTART_MS.most)
    this.#restarts += 1
    this.#restart = setTimeout(() => {
      this.open().then(
        () => {
          if (this.#isClosing) {
            this.#worker?.postMessage('close')
            return
          }
          this.#problem = undefined
          this.#restarts = 0
          this.#options.onProblem?.(undefined)
        },
        (err: unknown) => {
          if (this.#isClosing) return
          this.#options.onProblem?.(err as Error)
          this.#startAgain()
        }
      )
    }, wait)
  }
}

function flush(batches: Batches): void {
  batches.flush()
}

function endPause(batches: Batches): void {
  batches.endPause()
}
