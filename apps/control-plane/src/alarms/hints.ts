import type { ArnScope } from '@hearth/shared'
import type { AlarmRecord, MetricKey, MetricStore } from '@hearth/store'
import type { ServiceInvoker } from '../service-invoker.ts'
import { ALARM_SERVICE, alarmArn, allActionsOf } from './model.ts'

export interface HintDeps {
  readonly metrics: Pick<MetricStore, 'list'>
  readonly invoker: Pick<ServiceInvoker, 'check'>
  readonly scope: ArnScope
}

/** What is allowed, and is perhaps not meant: metrics that nothing has sent yet, functions that refuse the alarm. */
export async function hintsFor(
  { name, settings }: AlarmRecord,
  { metrics, invoker, scope }: HintDeps
): Promise<string[]> {
  const hints: string[] = []
  if (settings.type === 'MetricAlarm') {
    const watched = [settings.metric, ...(settings.queries ?? []).map(({ metricStat }) => metricStat?.metric)]
    for (const metric of watched) {
      if (metric === undefined || isKnown(metric, metrics)) continue
      hints.push(
        `No value of ${textOf(metric)} has come in the last two weeks: until one comes, data is missing. Names and dimensions must be exactly those of the metric.`
      )
    }
  }
  const targets = allActionsOf(settings)
  if (targets.length === 0) hints.push('It has no actions: it changes its state, and tells nobody.')
  for (const functionArn of targets) {
    if (!functionArn.startsWith('arn:')) continue
    // A gateway that is away says nothing about the alarm.
    const answer = await invoker
      .check({ functionArn, service: ALARM_SERVICE, sourceArn: alarmArn(scope, name) })
      .catch(() => undefined)
    if (answer?.status === 'refused') hints.push(`${functionArn} would not be called: ${answer.message}`)
  }
  return hints
}

function isKnown({ namespace, name, dimensions }: MetricKey, metrics: HintDeps['metrics']): boolean {
  const wanted = JSON.stringify(dimensions)
  return metrics.list({ namespace, name }).some((key) => JSON.stringify(key.dimensions) === wanted)
}

function textOf({ namespace, name, dimensions }: MetricKey): string {
  return `${namespace} ${name}${dimensions.length === 0 ? '' : ` (${dimensions.map(([key, value]) => `${key}=${value}`).join(', ')})`}`
}
