import { createArchiveClient } from './archive-client.ts'
import { Batches, type QueueOptions } from './batches.ts'
import { createFunctionUsageClient } from './function-usage-table.ts'
import type { Delivery, EventQueue, NewDelivery, QueuedEvent } from './types.ts'

/**
 * Opens the queue that lies in one file, with a thread that writes it: an fsync never stops this one.
 *
 * @throws QueueUnavailableError when the file can't be opened, or another process has it
 */
export async function openEventQueue(options: QueueOptions): Promise<EventQueue> {
  const batches = new Batches(options)
  await batches.open()
  return {
    enqueue(event, claimed) {
      const { start, length } = batches.add(event.payload)
      // Written out: this is the way of every event, and copies by rest and spread are slow.
      return batches.ask({
        kind: 'enqueue',
        claimed,
        requestId: event.requestId,
        functionName: event.functionName,
        qualifier: event.qualifier,
        traceId: event.traceId,
        clientContext: event.clientContext,
        acceptedAt: event.acceptedAt,
        keyed: event.keyed,
        fired: event.fired,
        receipt: event.receipt,
        start,
        length
      })
    },
    async claim(functionName, now, limit) {
      const { events, nextDueAt } = await batches.ask<{
        readonly events: readonly QueuedEvent[]
        readonly nextDueAt: number | undefined
      }>({ kind: 'claim', functionName, now, limit })
      return { events: events.map((event) => ({ ...event, payload: asBuffer(event.payload) })), nextDueAt }
    },
    complete: (requestId, condition, result, deliveries = []) =>
      batches.ask({ kind: 'complete', requestId, condition, result, deliveries: deliveries.map(spanned) }),
    retry: (requestId, dueAt, throttles, result, traceId) =>
      batches.ask({ kind: 'retry', requestId, dueAt, throttles, result, traceId }),
    waiting: () => batches.ask({ kind: 'waiting' }),
    find: (requestId) => batches.ask({ kind: 'find', requestId }),
    list: (query) => batches.ask({ kind: 'list', query }),
    backlog: (limit) => batches.ask({ kind: 'backlog', limit }),
    pendingDeliveries: () => batches.ask({ kind: 'pending-deliveries' }),
    async claimDeliveries(now, limit, except) {
      const { deliveries, nextDueAt } = await batches.ask<{
        readonly deliveries: readonly Delivery[]
        readonly nextDueAt: number | undefined
      }>({ kind: 'claim-deliveries', now, limit, except })
      return { deliveries: deliveries.map((one) => ({ ...one, body: asBuffer(one.body) })), nextDueAt }
    },
    endDelivery: (id, isDelivered, result) => batches.ask({ kind: 'end-delivery', id, isDelivered, result }),
    retryDelivery: (id, dueAt, result) => batches.ask({ kind: 'retry-delivery', id, dueAt, result }),
    listDeliveries: (requestId) => batches.ask({ kind: 'list-deliveries', requestId }),
    redrive: (functionName, now, limit) => batches.ask({ kind: 'redrive', functionName, now, limit }),
    prune: (endedBefore, limit) => batches.ask({ kind: 'prune', endedBefore, limit }),
    listFires: () => batches.ask({ kind: 'list-fires' }),
    noteFire: (fire) => batches.ask({ kind: 'note-fire', fire }),
    forgetFires: (keys) => batches.ask({ kind: 'forget-fires', keys }),
    receive: (receipt, now) => batches.ask({ kind: 'receive', receipt, now }),
    pruneReceipts: (now, limit) => batches.ask({ kind: 'prune-receipts', now, limit }),
    keys: {
      find: (caller, key, now) => batches.ask({ kind: 'findKey', caller, key, now }),
      reserve: (request, now) => batches.ask({ kind: 'reserveKey', request, now }),
      conclude: (request, answer, now) => batches.ask({ kind: 'concludeKey', request, answer, now }),
      forget: (caller, key) => batches.ask({ kind: 'forgetKey', caller, key }),
      prune: (now, limit) => batches.ask({ kind: 'pruneKeys', now, limit })
    },
    archives: createArchiveClient(batches),
    usage: {
      list: (query) => batches.ask({ kind: 'list-usage', query }),
      put: (days) => batches.ask({ kind: 'put-usage', days }),
      prune: (before, limit) => batches.ask({ kind: 'prune-usage', before, limit })
    },
    functionUsage: createFunctionUsageClient(batches),
    schema: () => batches.ask({ kind: 'schema' }),
    close: () => batches.close()
  }

  function spanned({ body, ...delivery }: NewDelivery) {
    return { ...delivery, ...batches.add(body) }
  }
}

/** What comes from another thread has lost its class. */
function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
