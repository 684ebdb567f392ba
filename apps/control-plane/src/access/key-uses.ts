import type { KeysRepository, KeyUse } from '@hearth/store'

/** When keys were last used. Noted in memory and written now and then: no request waits for it. */
export interface KeyUses {
  note(accessKeyId: string, use: KeyUse): void
  /** What is not written yet. */
  find(accessKeyId: string): KeyUse | undefined
  flush(): void
  /** Writes the rest. */
  stop(): void
}

export interface KeyUsesOptions {
  readonly intervalMs: number
  readonly exclusively: <T>(work: () => T) => T
  readonly onError: (err: unknown) => void
}

export function startKeyUses(keys: KeysRepository, { intervalMs, exclusively, onError }: KeyUsesOptions): KeyUses {
  const uses = new Map<string, KeyUse>()
  const flush = (): void => {
    if (uses.size === 0) return
    try {
      exclusively(() => {
        for (const [accessKeyId, use] of uses) keys.touch(accessKeyId, use)
      })
      uses.clear()
    } catch (err) {
      // What could not be written now is written later.
      onError(err)
    }
  }
  const timer = setInterval(flush, intervalMs)
  timer.unref()
  return {
    note: (accessKeyId, use) => void uses.set(accessKeyId, use),
    find: (accessKeyId) => uses.get(accessKeyId),
    flush,
    stop() {
      clearInterval(timer)
      flush()
    }
  }
}
