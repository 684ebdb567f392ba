import { createRequire } from 'node:module'
import path from 'node:path'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { INVOKE, type InitMessage, WINDOW } from '../../protocol.ts'
import { putAnswer } from './answers.ts'
import { LOG_BYTES, type Surroundings } from './backend.ts'
import { describeError } from './errors.ts'
import { exit, later } from './primordials.ts'
import { UNCAUGHT_EXCEPTION } from './serve.ts'
import { createStreamPort } from './stream-port.ts'
import type { WorkerAnswer, WorkerCredit, WorkerHello, WorkerMessage, WorkerSetup } from './thread-protocol.ts'
import type { InvokeEvent } from './wire.ts'

/** Memory of a thread that its JavaScript heap is not, in MiB: V8's own, stacks, native parts of Node. */
const THREAD_OVERHEAD_MIB = 10
const PROCESS_OVERHEAD_MIB = 30
const MIN_HEAP_MIB = 16

/**
 * Serves events on warm worker threads, several on each; this thread only moves frames. The threads share one fate, as
 * one process would: when one ends, what is answered is sent and the instance ends.
 */
export function serveOnThreads(message: InitMessage, around: Surroundings): void {
  const { channel } = around
  const { inbox, outbox } = channel
  const ports = new Map<number, MessagePort>()
  const streams = createStreamPort(channel)
  /** The thread that streams the answer to an event. */
  const streaming = new Map<number, number>()
  let ready = 0
  let serving = false

  const { Piscina: Pool } = loadPiscina()
  const setup: WorkerSetup = { message }
  const pool = new Pool({
    filename: path.join(__dirname, 'worker.cjs'),
    workerData: setup,
    minThreads: message.threads,
    maxThreads: message.threads,
    concurrentTasksPerWorker: Math.ceil(message.concurrency / message.threads),
    idleTimeout: Number.POSITIVE_INFINITY,
    // The default stops a thread between tasks, and with it what a function does in the background.
    atomics: 'disabled',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB(message) }
  })

  let flushDue = false
  const flushSoon = (): void => {
    if (flushDue) return
    flushDue = true
    later(() => {
      flushDue = false
      channel.flush()
    })
  }

  const take = (told: WorkerMessage): void => {
    switch (told.kind) {
      case 'log':
        outbox.log(told.seq, told.atMs, told.level, told.text)
        if (outbox.length > LOG_BYTES) channel.flush()
        else flushSoon()
        return
      case 'start':
        streaming.set(told.seq, told.thread)
        streams.start(told.seq, told.contentType)
        return
      case 'data':
        streams.data(told.seq, told.bytes, 0, told.bytes.length, told.isLast)
        return
      case 'ready':
        if (++ready === message.threads) serve()
        return
      case 'answer':
        putAnswer(outbox, told.seq, told.micros, told)
        return
      case 'fatal':
        if (!serving) outbox.initError(told.errorType, told.body)
        for (const { seq, micros, streamed } of told.culprits) {
          putAnswer(outbox, seq, micros, { errorType: told.errorType, body: told.body, streamed })
        }
        end(told.code)
        return
      case 'exit':
        end(told.code)
    }
  }
  /** What a thread told before it answered comes first, though it came over another port. */
  const drain = (port: MessagePort): void => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as WorkerMessage)
    }
  }
  const end = (code: number): void => {
    channel.flush()
    exit(code)
  }
  /** A thread is gone without a word, e.g. out of memory. */
  const lost = (error: unknown): void => {
    for (const port of ports.values()) drain(port)
    outbox.log(0, Date.now(), 4, `A worker thread ended: ${describeError(error).errorMessage}`)
    end(UNCAUGHT_EXCEPTION)
  }

  pool.on('message', ({ thread, port }: WorkerHello) => {
    ports.set(thread, port)
    port.on('message', take)
  })
  pool.on('error', lost)

  const arrived = (): void => {
    const events: InvokeEvent[] = []
    while (inbox.ready()) {
      if (inbox.type === WINDOW) {
        const { seq } = inbox
        const credit: WorkerCredit = { seq, cost: inbox.takeWindow() }
        ports.get(streaming.get(seq) ?? -1)?.postMessage(credit)
        continue
      }
      if (inbox.type !== INVOKE) {
        inbox.skip()
        continue
      }
      events.push(inbox.takeInvoke())
    }
    const last = events.at(-1)
    // Noted before any of them begins, at once for all that came together.
    if (last !== undefined) around.progress(last.seq)
    for (const event of events) {
      const run = pool.run(event) as Promise<WorkerAnswer>
      run.then((answer) => {
        const port = ports.get(answer.thread)
        if (port !== undefined) drain(port)
        streaming.delete(event.seq)
        putAnswer(outbox, event.seq, answer.micros, answer)
        flushSoon()
      }, lost)
    }
  }
  const serve = (): void => {
    serving = true
    outbox.initOk()
    channel.flush()
    arrived()
  }
  // From the start, so that a gateway that goes away ends this process.
  channel.keepAlive(true)
  channel.listen(() => {
    if (serving) arrived()
  })
}

/** What each thread's heap may hold, so that all of them together stay within the function's memory. */
function heapMiB({ memoryMiB, threads }: InitMessage): number {
  const share = (memoryMiB * 0.9 - PROCESS_OVERHEAD_MIB) / threads - THREAD_OVERHEAD_MIB
  return Math.max(MIN_HEAP_MIB, Math.floor(share))
}

/** Piscina lies beside the bundle, and is loaded only by instances that have threads. */
function loadPiscina(): { Piscina: typeof Piscina } {
  const load = createRequire(__filename)
  return load(path.join(__dirname, 'host/node_modules/piscina')) as { Piscina: typeof Piscina }
}
