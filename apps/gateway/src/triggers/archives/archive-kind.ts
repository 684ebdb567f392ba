import type { EventArchive } from '@hearth/shared'
import type { ArchiveTotal, Receipt } from '@hearth/store'
import type { BusEvent } from '../events/new-event.ts'
import type { TriggerKind } from '../kind.ts'
import { createArchiveTable } from './archive-table.ts'
import { createReplayer, type ReplayerOptions } from './replayer.ts'

export interface ArchiveKind extends TriggerKind {
  /**
   * Keeps an event in the archives that want it.
   *
   * @param eventAt - Its own time, Unix time in ms
   * @param receipt - Of a sender who may send it again: only the first is kept
   * @returns undefined when none does; resolves when it is on disk. @throws QueueUnavailableError
   */
  keep(bus: string, event: BusEvent, eventAt: number, receipt?: Receipt): Promise<void> | undefined
  /** What the control plane is to know, as JSON; undefined: it knows. */
  report(): string | undefined
  /** It has taken what {@link report} gave. */
  taken(report: string): void
}

const DAY_MS = 86_400_000
/** How often what is in archives is looked at, and what was kept for long enough. */
const LOOK_MS = 1_000
const PRUNE_MS = 60_000
const PRUNED = 1_000
/** After which all is said again: whoever was told may have been started anew. */
const AGAIN_MS = 10_000

/** Archives and replays of event buses. */
export function createArchiveKind(options: ReplayerOptions): ArchiveKind {
  const { clock, archives: store, onError } = options
  const table = createArchiveTable(onError)
  const replayer = createReplayer(options)
  let archives: readonly EventArchive[] = []
  let totals: readonly ArchiveTotal[] = []
  let isStarted = false
  let isStopped = false
  /** Something was kept since the totals were read. */
  let isChanged = true
  let isLooking = false
  let prunedAt = 0
  let cancel = (): void => undefined
  let said: { readonly report: string; readonly at: number } | undefined

  /** Goes on as long as there is anything to look after. */
  function look(): void {
    if (isLooking || !isStarted || isStopped) return
    isLooking = true
    cancel()
    lookAfter().then(
      () => {
        isLooking = false
        if (archives.length > 0 || totals.length > 0) cancel = clock.after(LOOK_MS, look)
        else if (isChanged) look()
      },
      (err: unknown) => {
        isLooking = false
        isChanged = true
        if (isStopped) return
        onError(err)
        cancel = clock.after(LOOK_MS, look)
      }
    )
  }

  async function lookAfter(): Promise<void> {
    const now = clock.now()
    if (now - prunedAt >= PRUNE_MS) {
      prunedAt = now
      for (const { id, retentionDays } of archives) {
        if (retentionDays > 0) await untilFew(() => store.prune(id, now - retentionDays * DAY_MS, PRUNED))
      }
    }
    if (!isChanged) return
    isChanged = false
    totals = await store.totals()
    const ids = new Set(archives.map(({ id }) => id))
    for (const { id } of totals) if (!ids.has(id)) await untilFew(() => store.drop(id, PRUNED))
    totals = totals.filter(({ id }) => ids.has(id))
  }

  async function untilFew(step: () => Promise<number>): Promise<void> {
    for (let gone = PRUNED; gone === PRUNED && !isStopped; ) {
      gone = await step()
      if (gone > 0) isChanged = true
    }
  }

  return {
    update(triggers) {
      archives = triggers.archives
      table.update(triggers)
      replayer.update(triggers.replays)
      isChanged = true
      look()
    },
    start() {
      isStarted = true
      look()
      replayer.start()
    },
    stop() {
      isStopped = true
      cancel()
      replayer.stop()
    },
    health: () => replayer.health(),
    keep(bus, { value, text }, eventAt, receipt) {
      const ids = table.find(bus, value)
      if (ids.length === 0) return undefined
      isChanged = true
      return store.keep(ids, { eventAt, archivedAt: clock.now(), event: Buffer.from(text), receipt })
    },
    report() {
      const replays = replayer.progress().map(({ id, state, reason, position, endedAt }) => ({
        id,
        state,
        reason,
        lastEventAt: position?.eventAt,
        endedAt
      }))
      const isNothing = totals.length === 0 && replays.length === 0
      const report = JSON.stringify({ archives: totals, replays })
      if (said === undefined) return isNothing ? undefined : report
      const isSame = said.report === report
      return isSame && (isNothing || clock.now() - said.at < AGAIN_MS) ? undefined : report
    },
    taken(report) {
      said = { report, at: clock.now() }
    }
  }
}
