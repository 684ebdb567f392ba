import type { ArnScope } from '@hearth/shared'
import type { AlarmRecord, AlarmsRepository, MetricStore } from '@hearth/store'
import { childrenOf, parseRule } from './composite.ts'
import { judgeComposite, judgeMetric } from './judge.ts'
import { isCompositeAlarm, isMetricAlarm, periodOf } from './model.ts'
import type { ChangeState } from './state-changes.ts'

export interface EvaluatorDeps {
  readonly repository: Pick<AlarmsRepository, 'find' | 'list'>
  readonly metrics: Pick<MetricStore, 'points'>
  readonly changeState: ChangeState
  readonly scope: ArnScope
  readonly now: () => Date
  /** @param alarm - Its name; empty: it was no one alarm's */
  readonly onError: (err: unknown, alarm: string) => void
}

export interface Evaluator {
  /** Looks at one alarm soon, after what runs now. */
  soon(name: string): void
  /** An alarm has another state: those that depend on it are looked at soon. */
  changed(name: string): void
  /**
   * Looks at every alarm once, some at a time, so that nothing else has to wait for long.
   *
   * @param which - Those with periods below a minute, or all
   */
  round(which: 'short' | 'all'): Promise<void>
  /** From now on rounds come by themselves, the first one at once. */
  start(): void
  stop(): void
}

/** How long one turn may take, in ms. */
const TURN_MS = 10
const PAGE = 100
const SHORT_MS = 10_000
const LONG_MS = 60_000
/** After the end of a period: what was measured in it has arrived by then. */
const AFTER_MS = 3_000

/** Looks at alarms again and again. What was missed while nobody looked is not made up for: the state now counts. */
export function createEvaluator(deps: EvaluatorDeps): Evaluator {
  const { repository, metrics, changeState, scope, now, onError } = deps
  const wanted = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isStopped = false

  function look(alarm: AlarmRecord): void {
    try {
      const at = now().getTime()
      const found = isMetricAlarm(alarm)
        ? judgeMetric(alarm, at, metrics)
        : isCompositeAlarm(alarm)
          ? judgeComposite(alarm, scope, (name) => repository.find(name))
          : undefined
      if (found === undefined) return
      // A state that stays is not written again, but for the first time after a change of the settings.
      const isNews = found.value !== alarm.status.value || alarm.status.updatedAt <= alarm.configuredAt
      if (isNews && changeState(alarm, found, at)) changed(alarm.name)
    } catch (err) {
      onError(err, alarm.name)
    }
  }

  function changed(name: string): void {
    for (const alarm of all('CompositeAlarm')) {
      if (isCompositeAlarm(alarm) && childrenOf(parseRule(alarm.settings.rule, scope)).includes(name)) soon(alarm.name)
    }
  }

  function* all(type: 'MetricAlarm' | 'CompositeAlarm'): Generator<AlarmRecord> {
    let after = ''
    for (;;) {
      const page = repository.list(after, PAGE, { types: [type] })
      yield* page
      if (page.length < PAGE) return
      after = page.at(-1)!.name
    }
  }

  async function round(which: 'short' | 'all'): Promise<void> {
    let began = performance.now()
    for (const type of which === 'all' ? (['MetricAlarm', 'CompositeAlarm'] as const) : (['MetricAlarm'] as const)) {
      for (const alarm of all(type)) {
        if (isStopped) return
        if (which === 'short' && isMetricAlarm(alarm) && periodOf(alarm.settings) >= 60) continue
        look(alarm)
        if (performance.now() - began < TURN_MS) continue
        await new Promise((resolve) => setImmediate(resolve))
        began = performance.now()
      }
    }
  }

  async function run(which: 'short' | 'all'): Promise<void> {
    // One that takes longer than its time is not begun again beside itself.
    if (isRunning || isStopped) return
    isRunning = true
    try {
      await round(which)
    } catch (err) {
      onError(err, '')
    }
    isRunning = false
  }

  function plan(): void {
    const at = Date.now() - AFTER_MS
    const next = (Math.floor(at / SHORT_MS) + 1) * SHORT_MS
    timer = setTimeout(() => {
      plan()
      void run(next % LONG_MS === 0 ? 'all' : 'short')
    }, next - at)
    timer.unref()
  }

  function soon(name: string): void {
    if (wanted.size === 0) setImmediate(lookAtWanted)
    wanted.add(name)
  }

  function lookAtWanted(): void {
    const names = [...wanted]
    wanted.clear()
    for (const name of names) {
      if (isStopped) return
      const alarm = repository.find(name)
      if (alarm !== undefined) look(alarm)
    }
  }

  return {
    soon,
    changed,
    round,
    start() {
      void run('all')
      plan()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    }
  }
}
