import { dayOf, periodStart, type QuotaPeriod, type UsagePlan } from '@hearth/shared'
import type { EventQueue, UsageDay } from '@hearth/store'

export interface UsageMeterOptions {
  readonly counts: EventQueue['usage']
  /** Unix time in ms. */
  readonly now: () => number
  readonly onError: (err: unknown) => void
}

/** Counts what API keys do under usage plans, and says when it is enough. */
export interface UsageMeter {
  /** False: what was counted before is not known yet. */
  readonly isReady: boolean
  /** Resolves when it is. @throws QueueUnavailableError when it could not be read now; it is tried again */
  ready(): Promise<void>
  /** One request more, if the plan allows it: only then is it counted. Only when {@link isReady}. */
  take(plan: UsagePlan, keyId: string): 'taken' | 'too-fast' | 'over-quota'
  /** What a plan's keys did, day by day, with what was counted just now. */
  list(planId: string, from: number, to: number): Promise<readonly UsageDay[]>
  /** Writes what is counted, and ends. */
  close(): Promise<void>
}

/** A key under a plan. */
interface Meter {
  readonly planId: string
  readonly keyId: string
  /** Requests by day, of the days that a period may reach back. */
  readonly days: Map<number, number>
  /** Which sum `before` is. */
  period: QuotaPeriod | undefined
  day: number
  /** Of the period's days before `day`. */
  before: number
  tokens: number
  /** When `tokens` was so many, Unix time in ms; undefined: nothing was taken yet. */
  filledAt: number | undefined
}

/** How long a count may be in memory only: what a crash of this process forgets. */
const WRITE_MS = 1_000
const RETRY_MS = 1_000
/** Days that a period can have. */
const PERIOD_DAYS = 31
/** How long counts can be asked for. */
const KEPT_DAYS = 92
const PRUNED_AT_ONCE = 1_000

export function createUsageMeter({ counts, now, onError }: UsageMeterOptions): UsageMeter {
  const meters = new Map<string, Meter>()
  const changed = new Set<Meter>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let loading: Promise<void> | undefined
  let isReady = false
  let isClosed = false
  let today = 0

  function meterOf(planId: string, keyId: string): Meter {
    const name = `${planId} ${keyId}`
    const known = meters.get(name)
    if (known !== undefined) return known
    const made: Meter = {
      planId,
      keyId,
      days: new Map(),
      period: undefined,
      day: -1,
      before: 0,
      tokens: 0,
      filledAt: undefined
    }
    meters.set(name, made)
    return made
  }

  async function load(): Promise<void> {
    today = dayOf(now())
    for (const { planId, keyId, day, used } of await counts.list({ from: today - PERIOD_DAYS, to: today })) {
      meterOf(planId, keyId).days.set(day, used)
    }
    isReady = true
    forget()
  }

  /** Forgets days that nobody asks for any more, and who did nothing in the others. */
  function forget(): void {
    for (const [name, meter] of meters) {
      for (const day of meter.days.keys()) if (day < today - PERIOD_DAYS) meter.days.delete(day)
      if (meter.days.size === 0 && !changed.has(meter)) meters.delete(name)
    }
    const prune = async (): Promise<void> => {
      while (!isClosed && (await counts.prune(today - KEPT_DAYS, PRUNED_AT_ONCE)) === PRUNED_AT_ONCE);
    }
    prune().catch(onError)
  }

  function note(meter: Meter): void {
    changed.add(meter)
    if (timer !== undefined || isClosed) return
    timer = setTimeout(() => {
      void write()
    }, WRITE_MS)
    timer.unref()
  }

  /** Writes what has changed, after what is being written; what fails is tried again. */
  function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(async () => {
      if (changed.size === 0) return
      const taken = [...changed]
      changed.clear()
      try {
        await counts.put(taken.flatMap(toRows))
      } catch (err) {
        onError(err)
        for (const meter of taken) note(meter)
      }
    })
    return writing
  }

  /** Also yesterday's: midnight may have come since it was written. */
  function toRows({ planId, keyId, days }: Meter): UsageDay[] {
    return [...days].filter(([day]) => day >= today - 1).map(([day, used]) => ({ planId, keyId, day, used }))
  }

  /** What was used in the period that `day` is in. */
  function usedIn(meter: Meter, period: QuotaPeriod, day: number): number {
    if (meter.period !== period || meter.day !== day) {
      const first = periodStart(day, period)
      meter.before = 0
      for (const [other, used] of meter.days) if (other >= first && other < day) meter.before += used
      meter.period = period
      meter.day = day
    }
    return meter.before + (meter.days.get(day) ?? 0)
  }

  return {
    get isReady() {
      return isReady
    },
    ready() {
      loading ??= load().catch((err: unknown) => {
        onError(err)
        setTimeout(() => {
          loading = undefined
        }, RETRY_MS).unref()
        throw err
      })
      return loading
    },
    take({ id, throttle, quota }, keyId) {
      const at = now()
      const meter = meterOf(id, keyId)
      const day = dayOf(at)
      if (day !== today) {
        today = day
        forget()
      }
      if (quota !== undefined && usedIn(meter, quota.period, day) >= quota.limit) return 'over-quota'
      if (throttle !== undefined && !takeToken(meter, throttle, at)) return 'too-fast'
      meter.days.set(day, (meter.days.get(day) ?? 0) + 1)
      note(meter)
      return 'taken'
    },
    async list(planId, from, to) {
      await write()
      return counts.list({ planId, from, to })
    },
    async close() {
      isClosed = true
      await write()
    }
  }
}

/** A bucket that holds `burst`, and is filled by `rate` each second. */
function takeToken(meter: Meter, { rate, burst }: NonNullable<UsagePlan['throttle']>, at: number): boolean {
  const since = meter.filledAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, at - meter.filledAt)
  // Nothing comes into a bucket of rate 0, not even at first.
  meter.tokens = rate === 0 ? 0 : Math.min(burst, meter.tokens + (since / 1_000) * rate)
  meter.filledAt = at
  if (meter.tokens < 1) return false
  meter.tokens -= 1
  return true
}
