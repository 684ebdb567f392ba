import { HearthError } from '@hearth/shared'
import {
  type Keyring,
  keyIdOf,
  type MasterKey,
  newMasterKey,
  type Resealer,
  type SecretBox,
  writeKeyring
} from '@hearth/store'

export interface MasterKeyStatus {
  /** Where the keys are: in data/master.key, which this server writes, or in the configuration. */
  readonly source: 'file' | 'configuration'
  /** The one that seals first. */
  readonly keys: readonly {
    readonly id: string
    /** Since when it only opens; ISO 8601, UTC. */
    readonly retiredAt: string | undefined
    /** Values in the database that are sealed under it. */
    readonly sealed: number
  }[]
  /** Values that no key opens. */
  readonly unreadable: number
}

/** The master key, and its change. */
export interface MasterKeys {
  status(): MasterKeyStatus
  /**
   * Makes a new master key. When this returns it is on the disk and seals; what was sealed before is sealed anew in the
   * background, and can be read all the while.
   *
   * @throws HearthError MASTER_KEY_CONFIGURED, LIMIT_EXCEEDED
   */
  rotate(): MasterKeyStatus
  stop(): void
}

export interface MasterKeysOptions {
  readonly dataDir: string
  readonly source: MasterKeyStatus['source']
  readonly keyring: Keyring
  readonly box: SecretBox
  readonly resealer: Resealer
  readonly now: () => Date
  readonly log: (level: 'info' | 'error', message: string, fields: Record<string, unknown>) => void
}

/** Values sealed anew between two turns of the event loop. */
const STEP = 50
const RETRY_MS = 60_000
const TIDY_MS = 3_600_000
/** Longer than sessions last: their tokens are sealed and nowhere kept. */
const KEEP_MS = 86_400_000
const MAX_KEYS = 8

export function startMasterKeys(options: MasterKeysOptions): MasterKeys {
  const { dataDir, source, box, resealer, now, log } = options
  let keyring = options.keyring
  let next: NodeJS.Immediate | undefined
  let retry: NodeJS.Timeout | undefined
  let done = 0

  const work = (): void => {
    next = undefined
    try {
      const count = resealer.step(STEP)
      done += count
      if (count > 0) {
        next = setImmediate(work)
        return
      }
      if (done > 0)
        log('info', 'all is sealed under the new master key', { sealed: done, unreadable: resealer.unreadable })
      done = 0
      tidy()
    } catch (err) {
      log('error', 'values could not be sealed under the new master key', { err })
      retry = setTimeout(begin, RETRY_MS).unref()
    }
  }
  const begin = (): void => {
    clearTimeout(retry)
    next ??= setImmediate(work)
  }

  /** A key goes when nothing is sealed under it, and no session can be either. */
  const tidy = (): void => {
    if (source !== 'file' || keyring.length === 1) return
    const counts = resealer.counts()
    const [current, ...others] = keyring
    const kept = others
      .map((one): MasterKey => ({ ...one, retiredAt: one.retiredAt ?? now().toISOString() }))
      .filter(
        ({ key, retiredAt = '' }) =>
          (counts.get(idOf(key)) ?? 0) > 0 || Date.parse(retiredAt) + KEEP_MS > now().getTime()
      )
    if (kept.length === others.length && others.every(({ retiredAt }) => retiredAt !== undefined)) return
    use([current, ...kept])
    log('info', 'a master key that nothing needs any more is gone', { keys: keyring.map(({ key }) => idOf(key)) })
  }

  const use = (keys: Keyring): void => {
    writeKeyring(dataDir, keys)
    keyring = keys
    box.setKeys(keys.map(({ key }) => key))
  }

  const status = (): MasterKeyStatus => {
    const counts = resealer.counts()
    return {
      source,
      keys: keyring.map(({ key, retiredAt }) => ({ id: idOf(key), retiredAt, sealed: counts.get(idOf(key)) ?? 0 })),
      unreadable: resealer.unreadable
    }
  }

  const timer = setInterval(() => {
    try {
      tidy()
    } catch (err) {
      log('error', 'data/master.key could not be written', { err })
    }
  }, TIDY_MS)
  timer.unref()
  // A change that a stop or a crash cut short, or a new key in the configuration.
  if (keyring.length > 1) {
    try {
      // Before this process gives out a session that the gateway could not open.
      resealer.first()
    } catch (err) {
      log('error', 'values could not be sealed under the new master key', { err })
    }
    begin()
  }

  return {
    status,
    rotate() {
      if (source !== 'file') {
        throw new HearthError(
          'MASTER_KEY_CONFIGURED',
          'The master key comes from the configuration: put a new key before the old one there, and start the server again.'
        )
      }
      if (keyring.length >= MAX_KEYS) {
        throw new HearthError(
          'LIMIT_EXCEEDED',
          'The master key was changed too often today: wait until old keys are gone.'
        )
      }
      const [current, ...others] = keyring
      const before = keyring
      use([{ key: newMasterKey(), retiredAt: undefined }, { ...current, retiredAt: now().toISOString() }, ...others])
      try {
        // In this very turn: the gateway is to know the key before it sees a session that was sealed under it.
        resealer.first()
      } catch (err) {
        box.setKeys([...before, keyring[0]].map(({ key }) => key))
        throw err
      }
      begin()
      log('info', 'a new master key', { keys: keyring.map(({ key }) => idOf(key)) })
      return status()
    },
    stop() {
      clearInterval(timer)
      clearTimeout(retry)
      clearImmediate(next)
    }
  }
}

function idOf(key: Buffer): string {
  return keyIdOf(key).toString('hex')
}
