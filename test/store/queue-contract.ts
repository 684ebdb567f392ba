import { randomUUID } from 'node:crypto'
import { type EventQueue, type NewDelivery, type NewEvent, QueueUnavailableError } from '@hearth/store'
import type { Test } from 'tap'

/** What every driver of the queue of events must do: the suite is handed an open one, and a way to open it again. */
export interface QueueDriver {
  open(): Promise<EventQueue>
}

export function event(functionName: string, changes: Partial<NewEvent> = {}): NewEvent {
  return {
    requestId: randomUUID(),
    functionName,
    qualifier: '',
    traceId: 'Root=1',
    clientContext: '',
    payload: Buffer.from(`{"of":"${functionName}"}`),
    acceptedAt: 1_000,
    ...changes
  }
}

export const DONE = { startedAt: 1, endedAt: 2_000, attempts: 1, errorType: '', errorMessage: '' }
const FAILED = { ...DONE, errorType: 'Error', errorMessage: 'no luck' }

export function delivery(requestId: string, changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: randomUUID(),
    requestId,
    functionName: 'f',
    qualifier: '',
    purpose: 'OnSuccess',
    target: 'https://a.example',
    traceId: 'Root=1',
    attributes: '',
    body: Buffer.from('{}'),
    createdAt: 2_000,
    ...changes
  }
}

/** One queue for all of it: each part has functions of its own. */
export async function queueContract(t: Test, driver: QueueDriver): Promise<void> {
  let queue = await driver.open()
  t.teardown(() => queue.close())

  await t.test('events are claimed once, the oldest first, when they are due', async (t) => {
    const [late, early, later] = [2_000, 1_000, 9_000].map((acceptedAt) => event('due', { acceptedAt }))
    await Promise.all([late!, early!, later!].map((one) => queue.enqueue(one, false)))
    t.strictSame(
      (await queue.waiting()).filter(({ functionName }) => functionName === 'due'),
      [{ functionName: 'due', dueAt: 1_000 }]
    )
    const first = await queue.claim('due', 5_000, 10)
    t.strictSame(
      first.events.map(({ requestId }) => requestId),
      [early!.requestId, late!.requestId]
    )
    t.strictSame(first.events[0], { ...early!, attempts: 0, throttles: 0 }, 'as it was accepted')
    t.equal(first.nextDueAt, 9_000)
    t.strictSame((await queue.claim('due', 5_000, 10)).events, [], 'nobody else gets them')
    await queue.retry(early!.requestId, 7_000, 3, { ...FAILED, attempts: 1 })
    t.match(await queue.find(early!.requestId), {
      state: 'waiting',
      dueAt: 7_000,
      attempts: 1,
      errorMessage: 'no luck'
    })
    t.match((await queue.claim('due', 7_000, 1)).events, [{ requestId: early!.requestId, attempts: 1, throttles: 3 }])
  })

  await t.test('what is over stays over, and is told once', async (t) => {
    const one = event('over')
    await queue.enqueue(one, true)
    t.match(await queue.find(one.requestId), { state: 'claimed' })
    const told = delivery(one.requestId, { target: 'over' })
    await queue.complete(one.requestId, 'Success', DONE, [told])
    await queue.complete(one.requestId, 'RetriesExhausted', FAILED, [{ ...told, id: randomUUID() }])
    await queue.retry(one.requestId, 0, 0, DONE)
    t.match(await queue.find(one.requestId), { state: 'succeeded', condition: 'Success', endedAt: 2_000, attempts: 1 })
    const all = await queue.claimDeliveries(2_000, 10, [])
    t.strictSame(all.deliveries, [{ ...told, attempts: 0 }])
    await queue.endDelivery(told.id, true, { at: 3_000, attempts: 0, error: '' })
    t.match(await queue.listDeliveries(one.requestId), [{ id: told.id, state: 'delivered', endedAt: 3_000 }])
    await queue.enqueue({ ...one, payload: Buffer.from('2') }, false)
    t.match(await queue.find(one.requestId), { state: 'succeeded' }, 'an id that is there already changes nothing')
  })

  await t.test('deliveries wait for their time, and leave out targets that are told', async (t) => {
    const one = event('told')
    await queue.enqueue(one, true)
    const [a, b] = ['a', 'b'].map((target) => delivery(one.requestId, { target, createdAt: 2_000 }))
    t.strictSame(await queue.pendingDeliveries(), { count: 0, oldestAt: undefined })
    await queue.complete(one.requestId, 'RetriesExhausted', FAILED, [a!, b!])
    t.match((await queue.claimDeliveries(2_000, 10, ['a'])).deliveries, [{ id: b!.id }])
    await queue.retryDelivery(b!.id, 6_000, { at: 2_000, attempts: 1, error: 'status 500' })
    t.strictSame(await queue.pendingDeliveries(), { count: 2, oldestAt: 2_000 })
    const next = await queue.claimDeliveries(5_000, 10, ['a'])
    t.strictSame(next, { deliveries: [], nextDueAt: 6_000 })
    t.equal((await queue.claimDeliveries(6_000, 10, [])).deliveries.length, 2)
    t.strictSame(await queue.pendingDeliveries(), { count: 2, oldestAt: 2_000 }, 'also those that are on their way')
    await queue.endDelivery(b!.id, false, { at: 6_000, attempts: 2, error: 'status 410' })
    await queue.endDelivery(a!.id, true, { at: 6_000, attempts: 0, error: '' })
    const states = (await queue.listDeliveries(one.requestId)).map(({ id, state, error }) => [
      id === a!.id,
      state,
      error
    ])
    t.strictSame(new Set(states.map(String)), new Set(['true,delivered,', 'false,failed,status 410']))
  })

  await t.test('lists have the newest first, by status and in pages; failed events are redriven', async (t) => {
    const events = Array.from({ length: 7 }, (_, i) => event('list', { acceptedAt: 1_000 + Math.floor(i / 2) }))
    await Promise.all(events.map((one, i) => queue.enqueue(one, i < 5)))
    for (const [i, { requestId }] of events.entries()) {
      if (i < 2) await queue.complete(requestId, 'Success', DONE)
      else if (i < 4) await queue.complete(requestId, 'RetriesExhausted', FAILED)
    }
    const running = [events[4]!.requestId]
    const idsOf = async (status: 'queued' | 'running' | 'succeeded' | 'failed' | undefined) => {
      const ids: string[] = []
      for (let before: { acceptedAt: number; requestId: string } | undefined; ; ) {
        const page = await queue.list({ functionName: 'list', status, running, before, limit: 2 })
        ids.push(...page.map(({ requestId }) => requestId))
        if (page.length < 2) return ids
        before = page.at(-1)!
      }
    }
    const expected = events
      .toSorted((a, b) => b.acceptedAt - a.acceptedAt || (a.requestId < b.requestId ? 1 : -1))
      .map(({ requestId }) => requestId)
    const among = (...indexes: number[]) => expected.filter((id) => indexes.some((i) => events[i]!.requestId === id))
    t.strictSame(await idsOf(undefined), expected)
    t.strictSame(await idsOf('succeeded'), among(0, 1))
    t.strictSame(await idsOf('failed'), among(2, 3))
    t.strictSame(await idsOf('running'), among(4))
    t.strictSame(await idsOf('queued'), among(5, 6))
    const before = await queue.backlog(10)
    await Promise.all([1, 2, 3].map((i) => queue.enqueue(event('many', { acceptedAt: 1_002 + i }), false)))
    t.strictSame(
      await queue.backlog(1),
      {
        waiting: before.waiting + 3,
        oldestAt: before.oldestAt,
        functions: [{ functionName: 'many', waiting: 3, oldestAt: 1_003 }]
      },
      'totals are of all functions, also of those that are not named'
    )
    t.match(before.functions[0], { functionName: 'list', waiting: 2, oldestAt: 1_002 })
    t.equal(await queue.redrive('list', 50_000, 1), 1)
    const again = await queue.find(
      among(2, 3).find((id) => id === events[2]!.requestId || id === events[3]!.requestId)!
    )
    t.ok(again)
    t.equal(await queue.redrive('list', 50_000, 10), 1)
    t.match(await queue.find(events[2]!.requestId), {
      state: 'waiting',
      acceptedAt: 50_000,
      dueAt: 50_000,
      attempts: 0,
      condition: undefined,
      errorType: undefined,
      endedAt: undefined
    })
    t.match((await queue.claim('list', 50_000, 10)).events, { length: 4 }, 'with their payloads')
    t.equal((await queue.prune(2_001, 10)) > 0, true)
    t.equal(await queue.find(events[0]!.requestId), undefined)
    t.match(await queue.find(events[2]!.requestId), { state: 'claimed' }, 'what is not over is not forgotten')
  })

  await t.test('archives keep events, forget the oldest, and replays go on from where they were', async (t) => {
    const keep = (to: readonly string[], n: number, eventAt = n) =>
      queue.archives.keep(to, { eventAt, archivedAt: 1_000 + n, event: Buffer.from(`{"n":${n}}`) })
    await Promise.all([keep(['a', 'b'], 1), keep(['a'], 2), keep(['a'], 4, 3), keep(['a'], 3), keep(['a'], 9)])
    t.strictSame(await queue.archives.totals(), [
      { id: 'a', events: 5, bytes: 35 },
      { id: 'b', events: 1, bytes: 7 }
    ])
    const begun = { id: 'r', state: 'RUNNING', reason: '', position: undefined, endedAt: undefined }
    t.strictSame(await queue.archives.beginReplay('r'), begun)
    await keep(['a'], 2)
    const next = async () => {
      const query = { replay: 'r', archive: 'a', from: 2, until: 3, limit: 2 }
      const events = await queue.archives.readReplay(query)
      if (events.length > 0) await queue.archives.advanceReplay('r', events.at(-1)!)
      return events.map(({ event }) => event.toString())
    }
    t.strictSame(await next(), ['{"n":2}', '{"n":4}'], 'by their own time')
    await queue.close()
    queue = await driver.open()
    t.match(await queue.archives.beginReplay('r'), { state: 'RUNNING', position: { eventAt: 3 } })
    t.strictSame(await next(), ['{"n":3}'])
    t.strictSame(await next(), [], 'what came after it had begun is not of it')
    await queue.archives.endReplay('r', 'FAILED', 'why', 5_000)
    t.match(await queue.archives.listReplays(), [{ id: 'r', state: 'FAILED', reason: 'why', endedAt: 5_000 }])
    await queue.archives.forgetReplays(['r'])
    t.strictSame(await queue.archives.listReplays(), [])
    t.equal(await queue.archives.prune('a', 1_003, 2), 2, 'as many as were asked for')
    t.equal(await queue.archives.prune('a', 1_003, 2), 1)
    t.equal(await queue.archives.drop('b', 2), 1)
    t.strictSame(await queue.archives.totals(), [{ id: 'a', events: 3, bytes: 21 }])
    await Promise.all([1, 2, 3].map(() => queue.enqueue(event('full'), false)))
    t.equal(await queue.archives.countDue('full', 1_000, 2), 2)
    t.equal(await queue.archives.countDue('full', 999, 2), 0)
  })

  await t.test('of a delivery there are the events of the first alone, for as long as it is remembered', async (t) => {
    const receipt = (key: string, id: string, expiresAt = 5_000) => ({ key, id, expiresAt })
    const first = [event('twice', { receipt: receipt('a', 'one') }), event('twice', { receipt: receipt('a', 'one') })]
    const again = event('twice', { receipt: receipt('a', 'two') })
    t.strictSame(
      await Promise.all([...first, again].map((one) => queue.enqueue(one, false))),
      [undefined, undefined, 'one'],
      'also when they come together'
    )
    t.equal(await queue.receive(receipt('a', 'three'), 2_000), 'one')
    t.equal(await queue.receive(receipt('b', 'three'), 2_000), undefined)
    await queue.close()
    queue = await driver.open()
    t.equal(await queue.enqueue(again, false), 'one', 'and after a new start')
    t.equal((await queue.claim('twice', 5_000, 10)).events.length, 2)
    t.equal(
      await queue.enqueue({ ...again, acceptedAt: 5_000, receipt: receipt('a', 'two', 9_000) }, false),
      undefined,
      'it is forgotten by now'
    )
    t.equal((await queue.claim('twice', 5_000, 10)).events.length, 1)
    t.equal(await queue.pruneReceipts(5_000, 10), 1)
    t.equal(await queue.receive(receipt('b', 'four', 9_000), 5_000), undefined)
  })

  await t.test('one that cannot be written refuses none of the others', async (t) => {
    const good = [event('batch'), event('batch')]
    const results = await Promise.allSettled([
      queue.enqueue(good[0]!, false),
      queue.enqueue(event('batch', { traceId: null as never }), false),
      queue.enqueue(good[1]!, false)
    ])
    t.strictSame(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled']
    )
    t.type((results[1] as PromiseRejectedResult).reason, QueueUnavailableError)
    t.equal((await queue.claim('batch', 5_000, 10)).events.length, 2)
  })

  await t.test('what a process that ended had claimed waits again', async (t) => {
    const [mine, over] = [event('life'), event('life')]
    await Promise.all([mine, over].map((one) => queue.enqueue(one, true)))
    const told = delivery(over.requestId, { target: 'life' })
    await queue.complete(over.requestId, 'Success', DONE, [told])
    t.match((await queue.claimDeliveries(9_000, 10, [])).deliveries, [{ id: told.id }])
    await queue.close()
    await t.rejects(queue.enqueue(event('life'), false), QueueUnavailableError)
    queue = await driver.open()
    t.match((await queue.claim('life', 9_000, 10)).events, [{ requestId: mine.requestId }])
    t.match((await queue.claimDeliveries(9_000, 10, [])).deliveries, [{ id: told.id, body: Buffer.from('{}') }])
  })
}
