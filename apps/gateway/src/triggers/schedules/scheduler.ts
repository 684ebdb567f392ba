import { createHash } from 'node:crypto'
import type { ScheduleExpression } from '@hearth/shared'
import type { Fire } from '@hearth/store'
import type { Clock } from '../../async/clock.ts'

/** Something that is due again and again. */
export interface Timed {
  /** Under which its due times are noted. */
  readonly key: string
  /** Anything else than before: it is to be planned anew. */
  readonly version: string
  readonly expression: ScheduleExpression
  /** Only what is due after this moment, Unix time in ms. */
  readonly after: number
  /** Nothing that is due later. */
  readonly until: number
  /** It fires at some moment within so many ms after it is due; 0: at once. */
  readonly windowMs: number
  /** What is later than this is let pass, in ms. */
  readonly lateMs: number
  /** Resolves when it is on disk that it was fired for this time. */
  fire(dueAt: number): Promise<unknown>
  skipped(dueAt: number): void
  /** There is no next time. */
  completed(): void
}

export interface SchedulerOptions {
  readonly clock: Clock
  /** What was fired before. */
  readonly loadFires: () => Promise<readonly Fire[]>
  readonly forget: (keys: readonly string[]) => Promise<void>
  readonly onError: (err: unknown) => void
  /** Something is fired, so many ms after its time. */
  readonly onFire: (lateMs: number) => void
  /** It could not be written, and is tried again. */
  readonly onFailed: () => void
}

export interface Scheduler {
  update(timed: readonly Timed[]): void
  start(): void
  stop(): void
  health(): string | undefined
}

interface Plan {
  readonly timed: Timed
  /** The last time that was fired, or let pass. */
  last: number
  dueAt: number
  fireAt: number
  isFiring: boolean
}

/** Node's longest timer is 2^31 ms; a clock that is set is noticed after this long, too. */
const MAX_TIMER_MS = 60_000
const DISK_RETRY_MS = 1_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Fires what is due, once for each due time: the queue notes the time together with the event. After a pause (the server
 * was down) the latest time that was missed is made up for if it is not too late, and the others are let pass.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, onError } = options
  const plans = new Map<string, Plan>()
  let wanted: readonly Timed[] = []
  let fired: Map<string, number> | undefined
  let isLoading = false
  let isStopped = false
  let problem: string | undefined
  let cancel = (): void => undefined

  function load(): void {
    if (isLoading || isStopped) return
    isLoading = true
    options.loadFires().then(
      (fires) => {
        isLoading = false
        problem = undefined
        fired = new Map(fires.map(({ key, dueAt }) => [key, dueAt]))
        plan(wanted)
      },
      (err: unknown) => {
        isLoading = false
        problem = 'the queue cannot be read'
        onError(err)
        clock.after(DISK_RETRY_MS, load)
      }
    )
  }

  function plan(list: readonly Timed[]): void {
    if (fired === undefined || isStopped) return
    const keys = new Set(list.map(({ key }) => key))
    const gone = [...fired.keys()].filter((key) => !keys.has(key) && plans.get(key)?.isFiring !== true)
    for (const key of plans.keys()) if (!keys.has(key)) plans.delete(key)
    if (gone.length > 0) {
      for (const key of gone) fired.delete(key)
      options.forget(gone).catch(onError)
    }
    for (const timed of list) {
      const known = plans.get(timed.key)
      if (known?.timed.version === timed.version) continue
      const last = Math.max(timed.after, fired.get(timed.key) ?? Number.NEGATIVE_INFINITY)
      const made: Plan = { timed, last, dueAt: NEVER, fireAt: NEVER, isFiring: known?.isFiring ?? false }
      plans.set(timed.key, made)
      guarded(() => planNext(made))
    }
    tick()
  }

  /** Finds the time that is next; of several that have passed the latest. */
  function planNext(one: Plan): void {
    const { timed } = one
    const now = clock.now()
    const earliest = now - timed.lateMs - timed.windowMs
    let due = next(timed, one.last)
    if (due !== undefined && due < earliest) {
      timed.skipped(due)
      due = next(timed, earliest - 1)
    }
    for (let later = due; later !== undefined && fireAtOf(timed, later) <= now; later = next(timed, later)) {
      if (due !== undefined && later > due) timed.skipped(due)
      due = later
    }
    if (due === undefined) {
      one.dueAt = NEVER
      one.fireAt = NEVER
      timed.completed()
      return
    }
    one.dueAt = due
    one.fireAt = fireAtOf(timed, due)
  }

  function tick(): void {
    cancel()
    if (isStopped) return
    const now = clock.now()
    let soonest = NEVER
    for (const one of plans.values()) {
      if (one.isFiring) continue
      // A time that has passed may have been overtaken by another while this process stood still.
      if (one.fireAt <= now) guarded(() => planNext(one))
      if (one.fireAt <= now) fire(one)
      else if (one.fireAt < soonest) soonest = one.fireAt
    }
    if (soonest === NEVER) return
    cancel = clock.after(Math.min(soonest - now, MAX_TIMER_MS), tick)
  }

  function fire(one: Plan): void {
    const { timed, dueAt } = one
    one.isFiring = true
    options.onFire(clock.now() - one.fireAt)
    timed.fire(dueAt).then(
      () => {
        problem = undefined
        fired?.set(timed.key, dueAt)
        settle(one, dueAt)
      },
      (err: unknown) => {
        problem = 'what is due cannot be written'
        options.onFailed()
        onError(err)
        clock.after(DISK_RETRY_MS, () => {
          settle(one, one.last)
        })
      }
    )
  }

  function settle(one: Plan, last: number): void {
    // It may have been planned anew meanwhile, under the same key.
    const current = plans.get(one.timed.key)
    if (current === undefined) return
    current.isFiring = false
    current.last = Math.max(current.last, last)
    guarded(() => planNext(current))
    tick()
  }

  function guarded(step: () => void): void {
    try {
      step()
    } catch (err) {
      onError(err)
    }
  }

  return {
    update(list) {
      wanted = list
      plan(list)
    },
    start: load,
    stop() {
      isStopped = true
      cancel()
    },
    health: () => problem
  }
}

function next({ expression, until }: Timed, after: number): number | undefined {
  const due = expression.next(after)
  return due === undefined || due > until ? undefined : due
}

/** The same moment for the same time at every start. */
function fireAtOf({ key, windowMs }: Timed, dueAt: number): number {
  if (windowMs === 0) return dueAt
  const hash = createHash('sha256').update(`${key}/${dueAt}`).digest().readUInt32BE(0)
  return dueAt + Math.floor((hash / 2 ** 32) * windowMs)
}
