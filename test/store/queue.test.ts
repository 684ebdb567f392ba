// The queue of events in SQLite: the contract of every driver, and what is its own.
import path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { openEventQueue, QueueUnavailableError } from '@hearth/store'
import t from 'tap'
import { DONE, delivery, event, queueContract } from './queue-contract.ts'

const migrationsDir = path.resolve('migrations/queue')

t.test('the embedded driver keeps the contract', async (t) => {
  const file = path.join(t.testdir(), 'queue.db')
  await queueContract(t, { open: () => openEventQueue({ file, migrationsDir }) })
})

t.test(
  'a thread that is lost is started again: nothing accepted is lost, nothing that runs is handed out',
  async (t) => {
    const file = path.join(t.testdir(), 'queue.db')
    const problems: (Error | undefined)[] = []
    let thread: Worker | undefined
    const onWorker = (worker: Worker): void => {
      thread ??= worker
    }
    process.on('worker', onWorker)
    t.teardown(() => process.off('worker', onWorker))
    let back = (): void => undefined
    const isBack = new Promise<void>((resolve) => {
      back = resolve
    })
    const queue = await openEventQueue({
      file,
      migrationsDir,
      onProblem(problem) {
        problems.push(problem)
        if (problem === undefined) back()
      }
    })
    t.teardown(() => queue.close())
    const [held, waiting, ended] = [event('f'), event('f'), event('f')]
    await Promise.all([queue.enqueue(held, true), queue.enqueue(waiting, false), queue.enqueue(ended, true)])
    const told = delivery(ended.requestId)
    await queue.complete(ended.requestId, 'Success', DONE, [told])
    t.equal((await queue.claimDeliveries(9_000, 1, [])).deliveries.length, 1)

    const gone = thread!.terminate()
    const cutOff = event('f')
    await t.rejects(queue.enqueue(cutOff, true), QueueUnavailableError)
    await gone
    t.match(problems, [Error])
    await t.rejects(queue.enqueue(event('f'), false), QueueUnavailableError, 'refused at once until it is back')
    await isBack
    t.equal(await queue.find(cutOff.requestId), undefined, 'what was refused is not there')
    t.match((await queue.claim('f', 9_000, 10)).events, [{ requestId: waiting.requestId }])
    t.match(await queue.find(held.requestId), { state: 'claimed' }, 'this process still runs it')
    t.strictSame((await queue.claimDeliveries(9_000, 10, [])).deliveries, [])
    await queue.complete(held.requestId, 'Success', DONE)
    t.match(await queue.find(held.requestId), { state: 'succeeded' })
  }
)

t.test('a file that another process has, or that is full, is said to be so', async (t) => {
  const file = path.join(t.testdir(), 'queue.db')
  const queue = await openEventQueue({ file, migrationsDir, maxPages: 60 })
  await t.rejects(openEventQueue({ file, migrationsDir, busyMs: 50 }), /cannot be opened: database is locked/)
  const first = event('f')
  await queue.enqueue(first, true)
  const big = () => event('f', { payload: Buffer.alloc(60_000, 'x') })
  const accepted: string[] = []
  for (let full = false; !full; ) {
    const one = big()
    await queue.enqueue(one, true).then(
      () => accepted.push(one.requestId),
      (err: unknown) => {
        t.type(err, QueueUnavailableError)
        full = true
      }
    )
  }
  await queue.complete(first.requestId, 'Success', DONE)
  t.match(await queue.find(first.requestId), { state: 'succeeded' }, 'what is over is noted all the same')
  for (const requestId of accepted) await queue.complete(requestId, 'Success', DONE)
  await queue.enqueue(big(), true)
  await queue.close()
  const after = await openEventQueue({ file, migrationsDir })
  t.match(await after.find(first.requestId), { state: 'succeeded' }, 'the lock ends with its holder')
  await after.close()
})
