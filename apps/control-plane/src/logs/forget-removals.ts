import type { LogGroupsRepository, LogReader } from '@hearth/store'

export interface ForgetRemovalsDeps {
  readonly repository: Pick<LogGroupsRepository, 'listAllRemovals' | 'forgetRemovals'>
  readonly reader: Pick<LogReader, 'kept'>
  /** Unix time in ms. */
  readonly now: () => number
}

/** Lines wait for the disk for a tenth of a second, or while it fails: so much later none of before comes. */
const MARGIN_MS = 3_600_000
const EVERY_MS = 600_000

/**
 * Forgets what was removed of log groups once no file has any of it: what is left was taken later, or there is no folder.
 * That of a whole group also says when the group began anew, until its folder was made again.
 */
export async function forgetRemovals({ repository, reader, now }: ForgetRemovalsDeps): Promise<void> {
  const latest = now() - MARGIN_MS
  const groups = new Set(
    repository
      .listAllRemovals()
      .filter(({ at }) => at <= latest)
      .map(({ group }) => group)
  )
  for (const group of groups) {
    const kept = await reader.kept(group)
    const streams = Math.min(latest, (kept?.since ?? Number.POSITIVE_INFINITY) - 1)
    const whole = Math.min(streams, (kept?.madeAt ?? Number.POSITIVE_INFINITY) - 1)
    // One that was noted meanwhile is later than that.
    repository.forgetRemovals(group, { whole, streams })
  }
}

/** Now and again. @returns stops it: resolves when nothing of it is under way */
export function forgetRemovalsOften(deps: ForgetRemovalsDeps, onError: (err: unknown) => void): () => Promise<void> {
  let running = Promise.resolve()
  const run = (): void => {
    running = running.then(() => forgetRemovals(deps)).catch(onError)
  }
  run()
  const timer = setInterval(run, EVERY_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
