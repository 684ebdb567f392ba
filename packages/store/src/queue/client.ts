import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BatchAnswer, Operation, WriterData } from './operations.ts'
import { type Claimed, type EventQueue, type QueuedEvent, QueueUnavailableError } from './types.ts'

export interface QueueOptions {
  readonly file: string
  readonly migrationsDir: string
  /** Bounds the file, in pages of 4 KiB; 0: the disk does. */
  readonly maxPages?: number
}

interface Asked {
  readonly resolve: (answer: unknown) => void
  readonly reject: (err: Error) => void
}

/**
 * Opens the queue that lies in one file, with a thread that writes it: an fsync never stops this one.
 *
 * @throws QueueUnavailableError when the file can't be opened, or another process has it
 */
export async function openEventQueue({ file, migrationsDir, maxPages = 0 }: QueueOptions): Promise<EventQueue> {
  const workerData: WriterData = { file, migrationsDir, maxPages }
  const worker = new Worker(new URL('./writer.js', import.meta.url), { workerData })
  const [opening] = (await once(worker, 'message')) as [BatchAnswer]
  if (!('opened' in opening) || !opening.opened) {
    await worker.terminate()
    throw new QueueUnavailableError(
      `the queue at ${file} cannot be opened: ${'message' in opening ? opening.message : ''}`
    )
  }
  let operations: Operation[] = []
  let payloads: Buffer[] = []
  let size = 0
  let asked: Asked[] = []
  const sent: Asked[][] = []
  let ended: QueueUnavailableError | undefined

  worker.on('message', (answer: BatchAnswer) => {
    if ('opened' in answer) return
    const batch = sent.shift()!
    const failed = new Set(answer.failed)
    for (const [index, { resolve, reject }] of batch.entries()) {
      if (failed.has(index)) reject(new QueueUnavailableError(answer.message))
      else resolve(answer.answers[index])
    }
  })
  const fail = (message: string): void => {
    ended ??= new QueueUnavailableError(message)
    for (const batch of [...sent.splice(0), asked]) for (const { reject } of batch) reject(ended)
    asked = []
  }
  worker.on('error', (err) => {
    fail(err.message)
  })
  const gone = once(worker, 'exit').then(() => {
    fail('the queue is closed')
  })

  function flush(): void {
    if (asked.length === 0 || ended !== undefined) return
    const bytes = new Uint8Array(size)
    let at = 0
    for (const payload of payloads) {
      bytes.set(payload, at)
      at += payload.length
    }
    sent.push(asked)
    worker.postMessage({ operations, bytes }, [bytes.buffer])
    operations = []
    payloads = []
    size = 0
    asked = []
  }

  function ask<T>(operation: Operation): Promise<T> {
    if (ended !== undefined) return Promise.reject(ended)
    if (asked.length === 0) setImmediate(flush)
    operations.push(operation)
    return new Promise<T>((resolve, reject) => {
      asked.push({ resolve: resolve as (answer: unknown) => void, reject })
    })
  }

  return {
    enqueue({ payload, ...event }, claimed) {
      const start = size
      payloads.push(payload)
      size += payload.length
      return ask({ ...event, kind: 'enqueue', claimed, start, length: payload.length })
    },
    async claim(functionName, now, limit) {
      const { events, nextDueAt } = await ask<Claimed>({ kind: 'claim', functionName, now, limit })
      return { events: events.map(withBuffer), nextDueAt }
    },
    complete: (requestId, condition, result) => ask({ kind: 'complete', requestId, condition, result }),
    retry: (requestId, dueAt, throttles, result) => ask({ kind: 'retry', requestId, dueAt, throttles, result }),
    waiting: () => ask({ kind: 'waiting' }),
    find: (requestId) => ask({ kind: 'find', requestId }),
    list: (functionName, states, limit) => ask({ kind: 'list', functionName, states, limit }),
    redrive: (functionName, now, limit) => ask({ kind: 'redrive', functionName, now, limit }),
    prune: (endedBefore, limit) => ask({ kind: 'prune', endedBefore, limit }),
    keys: {
      find: (caller, key, now) => ask({ kind: 'findKey', caller, key, now }),
      reserve: (request, now) => ask({ kind: 'reserveKey', request, now }),
      conclude: (request, answer, now) => ask({ kind: 'concludeKey', request, answer, now }),
      forget: (caller, key) => ask({ kind: 'forgetKey', caller, key }),
      prune: (now, limit) => ask({ kind: 'pruneKeys', now, limit })
    },
    async close() {
      flush()
      worker.postMessage('close')
      await gone
    }
  }
}

/** What comes from another thread has lost its class. */
function withBuffer(event: QueuedEvent): QueuedEvent {
  const { buffer, byteOffset, length } = event.payload as Uint8Array
  return { ...event, payload: Buffer.from(buffer, byteOffset, length) }
}
