import { parentPort, workerData } from 'node:worker_threads'
import { type EmbeddedQueue, openEmbeddedQueue } from './embedded.ts'
import type { Batch, BatchAnswer, WriterData } from './operations.ts'

/** The thread that writes the queue: each message is one transaction, answered once it is on disk. */
const port = parentPort!
const options = workerData as WriterData

function open(): EmbeddedQueue | undefined {
  try {
    const queue = openEmbeddedQueue(options)
    port.postMessage({ opened: true } satisfies BatchAnswer)
    return queue
  } catch (err) {
    port.postMessage({ opened: false, message: (err as Error).message } satisfies BatchAnswer)
    return undefined
  }
}

const queue = open()
port.on('message', (batch: Batch | 'close') => {
  if (queue === undefined) return
  if (batch !== 'close') {
    port.postMessage(answer(queue, batch))
    return
  }
  queue.close()
  port.close()
})

function answer(to: EmbeddedQueue, { operations, bytes }: Batch): BatchAnswer {
  try {
    return { answers: to.apply(operations, bytes), failed: [], message: '' }
  } catch (err) {
    return inPart(to, { operations, bytes }, (err as Error).message)
  }
}

/** One that cannot be done does not keep the others from it. */
function inPart(to: EmbeddedQueue, batch: Batch, message: string): BatchAnswer {
  try {
    return { ...to.applySome(batch.operations, batch.bytes), message }
  } catch {
    return oneByOne(to, batch, message)
  }
}

/** A full disk refuses new events; what is over may still be noted, which needs no room to speak of. */
function oneByOne(to: EmbeddedQueue, { operations, bytes }: Batch, message: string): BatchAnswer {
  const answers: unknown[] = []
  const failed: number[] = []
  for (const [index, operation] of operations.entries()) {
    try {
      if (operation.kind === 'enqueue' || operation.kind === 'archive') throw new Error('not tried again')
      answers[index] = to.apply([operation], bytes)[0]
    } catch {
      failed.push(index)
    }
  }
  return { answers, failed, message }
}
