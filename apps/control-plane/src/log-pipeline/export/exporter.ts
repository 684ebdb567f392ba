import type { OtlpTarget } from '@hearth/shared'
import type { LogCursors } from '@hearth/store'
import type { ExportTarget, LogPipelineCounts } from '../counts.ts'
import type { DirtyGroups } from '../dirty-groups.ts'
import type { Follower, Stretch } from '../follower.ts'
import type { Encoding, ExportedEvent } from './encoding.ts'
import { post } from './post.ts'

export interface ExporterOptions {
  readonly name: ExportTarget
  readonly target: OtlpTarget
  readonly encoding: Encoding
  readonly follower: Follower
  readonly cursors: Pick<LogCursors, 'transaction'>
  readonly dirty: DirtyGroups
  readonly counts: LogPipelineCounts
  /** The target does not want events, and will not: they are passed over. */
  readonly onRejected: (events: number, why: string) => void
}

const BATCH = { events: 2_000, characters: 1_048_576 }
/** One that is this much smaller is taken by targets that have halved it often enough. */
const LEAST_SHARE = 1 / 1_024

/**
 * Sends what is logged to a target, batch by batch in the order of each group, and goes on from where it was. An event is
 * sent again when nobody knows whether it arrived.
 */
export function createExporter(options: ExporterOptions) {
  const { name, target, encoding, follower, cursors, dirty, counts } = options
  /** Of a whole batch: less after the target said that one was too large. */
  let share = 1

  /** From as many groups as fill a batch. */
  async function gather(): Promise<readonly Stretch[]> {
    const stretches: Stretch[] = []
    let events = Math.max(1, Math.floor(BATCH.events * share))
    let characters = Math.max(1, Math.floor(BATCH.characters * share))
    try {
      while (events > 0 && characters > 0) {
        const group = dirty.take()
        if (group === undefined) break
        const stretch = await follower.next(group, { events, characters })
        if (stretch === undefined) continue
        stretches.push(stretch)
        events -= stretch.events.length
        for (const { message } of stretch.events) characters -= message.length
      }
    } catch (err) {
      giveBack(stretches)
      throw err
    }
    return stretches
  }

  function giveBack(stretches: readonly Stretch[]): void {
    for (const { group } of stretches) dirty.add(group)
  }

  async function send(stretches: readonly Stretch[], signal: AbortSignal): Promise<void> {
    const events = stretches.flatMap(({ group, events: all }) => all.map((event): ExportedEvent => ({ group, event })))
    counts.exportWaits(name, Math.min(...events.map(({ event }) => event.ingestedAt)))
    const posted = await post(target, encoding.encode(events), signal)
    if (posted.result === 'too-large' && events.length > 1 && share > LEAST_SHARE) {
      share /= 2
      giveBack(stretches)
      return
    }
    const rejected = posted.result === 'taken' ? encoding.rejectedIn(posted.answer) : events.length
    cursors.transaction(() => {
      for (const stretch of stretches) follower.finish(stretch)
    })
    share = Math.min(1, share * 2)
    if (rejected > 0) {
      counts.exported(name, 'rejected', rejected)
      options.onRejected(
        rejected,
        posted.result === 'unwanted' ? `it answered with status ${posted.status}: ${posted.reason}` : posted.result
      )
    }
    counts.exported(name, 'sent', events.length - rejected)
    for (const { group, isAll } of stretches) if (!isAll) dirty.add(group)
  }

  return {
    /** @returns whether there is more to do now */
    async turn(signal: AbortSignal): Promise<boolean> {
      const stretches = await gather()
      if (stretches.length > 0) {
        try {
          await send(stretches, signal)
        } catch (err) {
          giveBack(stretches)
          if (!signal.aborted) counts.exportFailed(name)
          throw err
        }
      }
      if (dirty.size === 0) counts.exportWaits(name, undefined)
      return dirty.size > 0
    }
  }
}
