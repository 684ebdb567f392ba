import type { LogReader } from '@hearth/store'

export interface GroupWatchOptions {
  readonly reader: Pick<LogReader, 'groups'>
  /** Those that may have new events; at first, all. */
  readonly onChanged: (groups: readonly string[]) => void
  /** After the first look: all that there are. */
  readonly onListed: (groups: ReadonlySet<string>) => void
  readonly onError: (err: unknown) => void
  /** Least time between two looks, in ms. */
  readonly everyMs?: number
}

const EVERY_MS = 250
/** Looking takes at most this part of the time, however many groups there are. */
const SHARE = 0.1

/** Notices which log groups grow, by their sizes on disk. @returns stops it */
export function watchGroups(options: GroupWatchOptions): () => void {
  const { reader, onChanged, onListed, onError, everyMs = EVERY_MS } = options
  let sizes: ReadonlyMap<string, number> | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  async function look(): Promise<void> {
    const startedAt = performance.now()
    try {
      const now = new Map((await reader.groups()).map(({ name, storedBytes }) => [name, storedBytes]))
      const before = sizes
      if (isStopped) return
      sizes = now
      if (before === undefined) onListed(new Set(now.keys()))
      const changed = [...now].filter(([name, bytes]) => before?.get(name) !== bytes).map(([name]) => name)
      if (changed.length > 0) onChanged(changed)
    } catch (err) {
      onError(err)
    }
    if (isStopped) return
    const took = performance.now() - startedAt
    timer = setTimeout(() => void look(), Math.max(everyMs, took * (1 / SHARE - 1)))
    timer.unref()
  }

  void look()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
