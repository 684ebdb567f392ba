import { type ArnScope, type EventReplay, parseFunctionRef, uuidOf } from '@hearth/shared'
import type { EventArchives, ReplayProgress } from '@hearth/store'
import type { Clock } from '../../async/clock.ts'
import type { ReadyEvents } from '../../async/dispatcher.ts'
import type { Traces } from '../../tracing/traces.ts'
import { firingsOf } from '../events/put-events.ts'
import type { RuleTable } from '../events/rule-table.ts'
import type { FireEvent, Firing } from '../firing.ts'

export interface ReplayerOptions {
  readonly scope: ArnScope
  readonly clock: Clock
  readonly archives: EventArchives
  readonly table: Pick<RuleTable, 'busOf'>
  readonly fire: FireEvent
  /** What waits in memory. */
  readonly ready: () => readonly ReadyEvents[]
  readonly traces: Traces
  readonly onError: (err: unknown) => void
}

/** Runs the replays that have not ended. */
export interface Replayer {
  update(replays: readonly EventReplay[]): void
  start(): void
  stop(): void
  /** How far each is. */
  progress(): readonly ReplayProgress[]
  health(): string | undefined
}

/** Events between two writes of how far it is, and the rest after them: a thousand events in a second at most. */
const BATCH = 100
const PAUSE_MS = 100
/** Events of one function that may wait: what is new must not stand behind all of a replay. */
const MOST_WAITING = 1_000
const FULL_MS = 1_000
const RETRY_MS = 1_000

/**
 * Sends archived events to the rules of their bus, by the events' own time. How far it is lies in the queue, so that it
 * goes on after the process ended; what it sent and had not noted is sent again under the same ids.
 */
export function createReplayer(options: ReplayerOptions): Replayer {
  const { scope, clock, archives, table, onError } = options
  let wanted = new Map<string, EventReplay>()
  const known = new Map<string, ReplayProgress>()
  const running = new Set<string>()
  let isStarted = false
  let isStopped = false
  let problem: string | undefined

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(ms, resolve)
    })

  function runAll(): void {
    if (!isStarted || isStopped) return
    for (const { id } of wanted.values()) {
      if (running.has(id) || (known.get(id)?.state ?? 'RUNNING') !== 'RUNNING') continue
      running.add(id)
      void keepRunning(id)
    }
  }

  async function keepRunning(id: string): Promise<void> {
    while (!isStopped && wanted.has(id)) {
      try {
        await run(id)
        problem = undefined
        break
      } catch (err) {
        if (isStopped) return
        problem = 'a replay cannot go on'
        onError(err)
        await pause(RETRY_MS)
      }
    }
    running.delete(id)
    if (!wanted.has(id)) known.delete(id)
  }

  async function run(id: string): Promise<void> {
    let progress = await archives.beginReplay(id)
    known.set(id, progress)
    while (progress.state === 'RUNNING') {
      const replay = wanted.get(id)
      if (isStopped || replay === undefined) return
      progress = await step(replay, progress)
      known.set(id, progress)
      if (progress.state === 'RUNNING') await pause(PAUSE_MS)
    }
  }

  /** One batch, or the end. */
  async function step(replay: EventReplay, progress: ReplayProgress): Promise<ReplayProgress> {
    const { id, archiveId, eventsFrom, eventsUntil } = replay
    if (replay.state === 'CANCELLING') return await end(progress, 'CANCELLED')
    const query = { replay: id, archive: archiveId, from: eventsFrom, until: eventsUntil, limit: BATCH }
    const batch = await archives.readReplay(query)
    const last = batch.at(-1)
    if (last === undefined) return await end(progress, 'COMPLETED')
    const firings = batch.flatMap(({ seq, event }) => firingsFor(replay, seq, event.toString()))
    if (await isFull(firings)) {
      await pause(FULL_MS)
      return progress
    }
    await Promise.all(firings.map((firing) => options.fire(firing)))
    const position = { eventAt: last.eventAt, seq: last.seq }
    await archives.advanceReplay(id, position)
    return { ...progress, position }
  }

  async function end(progress: ReplayProgress, state: 'COMPLETED' | 'CANCELLED'): Promise<ReplayProgress> {
    const endedAt = clock.now()
    await archives.endReplay(progress.id, state, '', endedAt)
    return { ...progress, state, endedAt }
  }

  function firingsFor({ id, name, bus, rules }: EventReplay, seq: number, archived: string): readonly Firing[] {
    const text = `${archived.slice(0, -1)},"replay-name":${JSON.stringify(name)}}`
    const event = { id: `${id}/${seq}`, text, value: JSON.parse(text) as object }
    const at = clock.now()
    return (table.busOf(bus)?.find(event.value) ?? [])
      .filter(({ arn }) => rules.length === 0 || rules.includes(arn))
      .flatMap((rule) => firingsOf(rule, event, at, options.traces.ofEvent(uuidOf(event.id), undefined, 'pubsub')))
  }

  /** Whether a function has enough to do. */
  async function isFull(firings: readonly Firing[]): Promise<boolean> {
    const names = new Set(firings.map(({ target }) => parseFunctionRef(scope, target).name))
    const ready = new Map(options.ready().map(({ functionName, count }) => [functionName, count]))
    const waiting = await Promise.all(
      [...names].map(async (name) => {
        const onDisk = await archives.countDue(name, clock.now(), MOST_WAITING)
        return onDisk + (ready.get(name) ?? 0)
      })
    )
    return waiting.some((count) => count >= MOST_WAITING)
  }

  /** What an earlier process had, and is nobody's any more. */
  async function forgetOthers(): Promise<void> {
    const gone = (await archives.listReplays()).map(({ id }) => id).filter((id) => !wanted.has(id))
    if (gone.length > 0) await archives.forgetReplays(gone)
  }

  return {
    update(replays) {
      wanted = new Map(replays.map((replay) => [replay.id, replay]))
      const gone = [...known.keys()].filter((id) => !wanted.has(id))
      for (const id of gone) known.delete(id)
      if (gone.length > 0) archives.forgetReplays(gone).catch(onError)
      runAll()
    },
    start() {
      isStarted = true
      forgetOthers().catch(onError)
      runAll()
    },
    stop() {
      isStopped = true
    },
    progress: () => [...known.values()],
    health: () => problem
  }
}
