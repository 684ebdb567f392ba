import { type AlarmRecord, type AlarmsRepository, type MetricStore, parseStatistic } from '@hearth/store'
import { type ComputeMath, slotsOf, windowOf } from './alarm-data.ts'
import { type EvaluationRules, evaluate, type MissingData, samplesFor } from './evaluate.ts'
import { isMetricAlarm, type MetricAlarm, periodOf } from './model.ts'
import { reasonDataFor, reasonFor } from './reason.ts'
import type { ChangeState } from './state-changes.ts'

export interface EvaluatorDeps {
  readonly repository: Pick<AlarmsRepository, 'find' | 'list'>
  readonly metrics: Pick<MetricStore, 'points'>
  readonly compute: ComputeMath
  readonly changeState: ChangeState
  /** An alarm has another state now. */
  readonly onChange: (alarm: AlarmRecord) => void
  readonly now: () => Date
  readonly onError: (err: unknown, alarm: string) => void
}

export interface Evaluator {
  /** Looks at one alarm soon, after what runs now. */
  soon(name: string): void
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
const AFTER_MS = 2_000

/** Looks at alarms again and again. What was missed while nobody looked is not made up for: the state now counts. */
export function createEvaluator(deps: EvaluatorDeps): Evaluator {
  const { repository, metrics, compute, changeState, onChange, now, onError } = deps
  const wanted = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isStopped = false

  function look(alarm: MetricAlarm): void {
    try {
      const at = now().getTime()
      const found = judge(alarm, at, metrics, compute)
      if (found === undefined) return
      // A state that stays is not written again, but for the first time after a change of the settings.
      const isNews = found.value !== alarm.status.value || alarm.status.updatedAt <= alarm.configuredAt
      if (isNews && changeState(alarm, found, at)) onChange(alarm)
    } catch (err) {
      onError(err, alarm.name)
    }
  }

  async function round(which: 'short' | 'all'): Promise<void> {
    let after = ''
    let began = performance.now()
    for (;;) {
      const page = repository.list(after, PAGE, { types: ['MetricAlarm'] })
      for (const alarm of page) {
        if (isStopped) return
        if (!isMetricAlarm(alarm) || (which === 'short' && periodOf(alarm.settings) >= 60)) continue
        look(alarm)
        if (performance.now() - began < TURN_MS) continue
        await new Promise((resolve) => setImmediate(resolve))
        began = performance.now()
      }
      if (page.length < PAGE) return
      after = page.at(-1)!.name
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

  return {
    soon(name) {
      if (wanted.size === 0) {
        setImmediate(() => {
          const names = [...wanted]
          wanted.clear()
          if (isStopped) return
          for (const each of names) {
            const alarm = repository.find(each)
            if (alarm !== undefined && isMetricAlarm(alarm)) look(alarm)
          }
        })
      }
      wanted.add(name)
    },
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

/** @param at - Unix time in ms @returns undefined: the state stays */
function judge(alarm: MetricAlarm, at: number, metrics: Pick<MetricStore, 'points'>, compute: ComputeMath) {
  const { settings } = alarm
  const window = windowOf(alarm, at)
  const rules = rulesOf(alarm)
  const found = evaluate(slotsOf(alarm, window, metrics, compute), rules)
  if (found.state === undefined) return undefined
  const shown = settings.queries?.find((query) => query.returnData !== false)
  const facts = {
    queriedAt: at,
    statistic: settings.stat ?? shown?.metricStat?.stat,
    unit: settings.unit ?? shown?.metricStat?.unit,
    period: window.period
  }
  return {
    value: found.state,
    reason: reasonFor(found.state, found, rules),
    reasonData: reasonDataFor(found, rules, facts)
  }
}

function rulesOf({ settings }: MetricAlarm): EvaluationRules {
  const { evaluationPeriods, datapointsToAlarm, threshold, comparisonOperator, treatMissingData, metric } = settings
  return {
    evaluationPeriods,
    datapointsToAlarm,
    threshold,
    comparisonOperator,
    // Source: monitoring §5.2: tables' metrics have no values while nothing is asked of the tables.
    treatMissingData:
      metric?.namespace === 'AWS/DynamoDB' ? 'ignore' : ((treatMissingData ?? 'missing') as MissingData),
    minSamples: settings.lowSampleCount === 'ignore' ? samplesOf(settings.stat) : undefined
  }
}

function samplesOf(stat: string | undefined): number | undefined {
  if (stat === undefined) return undefined
  const statistic = parseStatistic(stat)
  return statistic.kind === 'percentile' ? samplesFor(statistic.percent) : undefined
}
