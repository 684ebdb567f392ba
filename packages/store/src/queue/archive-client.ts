import type { EventArchives } from './archive-types.ts'
import type { Batches } from './batches.ts'

/** The archives' part of the way to the thread that writes. */
export function createArchiveClient(batches: Batches): EventArchives {
  return {
    keep: (archives, { event, eventAt, archivedAt, receipt }) =>
      batches.ask({ kind: 'archive', archives, eventAt, archivedAt, receipt, ...batches.add(event) }),
    totals: () => batches.ask({ kind: 'archive-totals' }),
    prune: (archive, before, limit) => batches.ask({ kind: 'prune-archive', archive, before, limit }),
    drop: (archive, limit) => batches.ask({ kind: 'drop-archive', archive, limit }),
    beginReplay: (id) => batches.ask({ kind: 'begin-replay', id }),
    async readReplay(query) {
      const found = await batches.ask<Awaited<ReturnType<EventArchives['readReplay']>>>({ kind: 'read-replay', query })
      // What comes from another thread has lost its class.
      return found.map((one) => ({ ...one, event: Buffer.from(one.event) }))
    },
    advanceReplay: (id, position) => batches.ask({ kind: 'advance-replay', id, position }),
    endReplay: (id, state, reason, at) => batches.ask({ kind: 'end-replay', id, state, reason, at }),
    listReplays: () => batches.ask({ kind: 'list-replays' }),
    forgetReplays: (ids) => batches.ask({ kind: 'forget-replays', ids }),
    countDue: (functionName, now, most) => batches.ask({ kind: 'count-due', functionName, now, most })
  }
}
