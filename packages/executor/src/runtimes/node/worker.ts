import { MessageChannel, parentPort, threadId, workerData } from 'node:worker_threads'
import { applyNodePath } from './environment.ts'
import { EventGroup } from './event-group.ts'
import type { Handler } from './handler-loader.ts'
import { createLogger, patchConsole } from './logger.ts'
import { activeResources, later, sliceBytes, startTimer, stopTimer } from './primordials.ts'
import { catchStrays, type Die, loadOrDie } from './serve.ts'
import type { WorkerAnswer, WorkerCredit, WorkerHello, WorkerMessage, WorkerSetup } from './thread-protocol.ts'
import type { InvokeEvent } from './wire.ts'

/** How often the loop is looked at while it holds events: a worker's loop, which has Piscina's port, never ends itself. */
const LOOP_CHECK_MS = 10

/** Loads the function on this thread. @returns what Piscina calls with each event */
async function startWorker({ message }: WorkerSetup): Promise<(event: InvokeEvent) => Promise<WorkerAnswer>> {
  const { port1, port2 } = new MessageChannel()
  const post = port1.postMessage.bind(port1) as (message: WorkerMessage) => void
  const hello: WorkerHello = { thread: threadId, port: port2 }
  parentPort?.postMessage(hello, [port2])

  let leaving = false
  const answers = new Map<number, (answer: WorkerAnswer) => void>()
  let holds = 0
  const events = new EventGroup(message, {
    port: {
      start: (seq, contentType) => {
        post({ kind: 'start', seq, thread: threadId, contentType })
      },
      data: (seq, chunk, from, to, isLast) => {
        // Posting copies the whole memory behind a view, so the piece gets memory of its own.
        post({ kind: 'data', seq, bytes: sliceBytes(chunk, from, to), isLast })
      },
      hold: (on) => {
        holds += on ? 1 : -1
      }
    },
    answer: (seq, micros, { errorType, body, streamed }) => {
      const resolve = answers.get(seq)
      answers.delete(seq)
      if (leaving) post({ kind: 'answer', seq, micros, errorType, body, streamed })
      else resolve?.({ thread: threadId, micros, errorType, body, streamed })
    },
    turnEnds: () => undefined,
    log: (seq, atMs, level, text) => {
      post({ kind: 'log', seq, atMs, level, text })
    }
  })
  const logger = createLogger(message.logFormat, message.logLevel, events.requestId, events.log)
  events.logTo(logger)
  const die: Die = (answer, code, log) => {
    const { errorType } = answer
    const body = answer.body as string
    const culprits = events.takeCulprits(log).map((event) => ({
      seq: event.seq,
      micros: event.micros(),
      streamed: event.failing(answer).streamed
    }))
    post({ kind: 'fatal', culprits, errorType, body, code })
  }

  port1.on('message', ({ seq, cost }: WorkerCredit) => {
    events.credit(seq, cost)
  })
  applyNodePath()
  patchConsole(logger)
  catchStrays(logger, die)
  process.on('exit', (code) => {
    // No promise resolves any more.
    leaving = true
    events.finish()
    post({ kind: 'exit', code })
  })
  const handler: Handler = await loadOrDie(message, logger, die)
  later(() => {
    post({ kind: 'ready' })
  })

  const checkLoop = createLoopCheck(events, () => holds > 0)
  return (event) =>
    new Promise((resolve) => {
      answers.set(event.seq, resolve)
      events.start(event, handler)
      checkLoop()
    })
}

/** Tells the events of this thread when nothing is left on its loop that could wake them. */
function createLoopCheck(events: EventGroup, isHeld: () => boolean): () => void {
  let timer: NodeJS.Timeout | undefined
  let due = false
  const check = (): void => {
    due = false
    if (events.size === 0) {
      if (timer !== undefined) stopTimer(timer)
      timer = undefined
      return
    }
    // The ports are ours and Piscina's.
    if (!isHeld() && activeResources().every((resource) => resource === 'MessagePort')) events.loopIsEmpty()
    timer ??= startTimer(check, LOOP_CHECK_MS).unref()
  }
  return () => {
    if (due || events.size === 0) return
    due = true
    later(check)
  }
}

/** Piscina waits for this before it calls it. */
export default startWorker(workerData as WorkerSetup)
