import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FilterMinutes, LogCursors, LogEvent, MetricStore } from '@hearth/store'
import type { LogPipelineCounts } from './counts.ts'
import type { Definitions } from './definitions.ts'
import type { DirtyGroups } from './dirty-groups.ts'
import { type MetricValues, readEmbeddedMetrics } from './emf.ts'
import type { Follower, Stretch } from './follower.ts'
import { applyMetricFilter, defaultsOf, minuteOf } from './metric-filters.ts'
import { createTolerantPut } from './metric-put.ts'
import { gatherSamples } from './metric-samples.ts'

export interface MetricsReaderOptions {
  readonly follower: Follower
  readonly cursors: Pick<LogCursors, 'transaction'>
  readonly minutes: FilterMinutes
  readonly metrics: Pick<MetricStore, 'put'>
  readonly definitions: Definitions
  readonly dirty: DirtyGroups
  readonly counts: LogPipelineCounts
  /** Unix time in ms. */
  readonly now: () => number
  /** How long after its last event a minute gets its default, in ms. */
  readonly quietMs?: number
}

const LIMITS = { events: 2_000, characters: 1_048_576 }
/** Events looked at between two turns of the event loop. */
const SLICE = 200
const QUIET_MS = 90_000
const MINUTES_AT_ONCE = 200

interface Found {
  readonly emf: readonly MetricValues[]
  readonly filtered: readonly MetricValues[]
  readonly malformed: number
  readonly minutes: readonly { readonly filter: string; readonly minute: number; readonly isMatched: boolean }[]
}

/** Makes metrics of what is in logs: the embedded metric format, and metric filters. A turn is one group's. */
export function createMetricsReader(options: MetricsReaderOptions) {
  const { follower, cursors, minutes, metrics, definitions, dirty, counts, now } = options
  const put = createTolerantPut(metrics)

  async function look(group: string, events: readonly LogEvent[]): Promise<Found> {
    const filters = definitions.metricFilters(group)
    const emf: MetricValues[] = []
    const filtered: MetricValues[] = []
    const touched = new Map<string, { filter: string; minute: number; isMatched: boolean }>()
    let malformed = 0
    for (const [i, event] of events.entries()) {
      if (i % SLICE === SLICE - 1) await nextTurn()
      const embedded = readEmbeddedMetrics(event.message, event.at, now())
      if (embedded !== undefined) {
        for (const one of embedded.metrics) emf.push(one)
        malformed += embedded.faults
      }
      for (const filter of filters) {
        if (event.ingestedAt < filter.definition.createdAt) continue
        const values = applyMetricFilter(filter, event)
        for (const one of values ?? []) filtered.push(one)
        if (!filter.hasDefault) continue
        const { name } = filter.definition
        const minute = minuteOf(event.at)
        const isMatched = values !== undefined && values.length > 0
        const known = touched.get(`${name}/${minute}`)
        if (known === undefined) touched.set(`${name}/${minute}`, { filter: name, minute, isMatched })
        else known.isMatched ||= isMatched
      }
    }
    return { emf, filtered, malformed, minutes: [...touched.values()] }
  }

  function write(stretch: Stretch, { emf, filtered, minutes: touched }: Found): readonly [number, number] {
    const refused: [number, number] = [0, 0]
    cursors.transaction(() => {
      refused[0] = put(gatherSamples(emf))
      refused[1] = put(gatherSamples(filtered))
      for (const { filter, minute, isMatched } of touched) {
        minutes.note({ group: stretch.group, filter, minute }, isMatched, now())
      }
      follower.finish(stretch)
    })
    return refused
  }

  return {
    /** @returns whether there is more to do now */
    async turn(): Promise<boolean> {
      const group = dirty.take()
      if (group === undefined) return false
      try {
        const stretch = await follower.next(group, LIMITS)
        if (stretch !== undefined) {
          const found = await look(group, stretch.events)
          const refused = write(stretch, found)
          note('emf', found.emf, refused[0])
          note('filter', found.filtered, refused[1])
          if (found.malformed > 0) counts.metricValues('emf', 'malformed', found.malformed)
          if (!stretch.isAll) dirty.add(group)
        }
      } catch (err) {
        dirty.add(group)
        throw err
      }
      return dirty.size > 0
    },
    /** Gives minutes that are over and had no match the values that filters say. */
    fillIn(): void {
      cursors.transaction(() => {
        const quiet = minutes.takeQuiet(now() - (options.quietMs ?? QUIET_MS), MINUTES_AT_ONCE)
        const values = quiet.flatMap(({ group, filter, minute }) => {
          const found = definitions.metricFilters(group).find(({ definition }) => definition.name === filter)
          return found === undefined ? [] : defaultsOf(found.definition, minute)
        })
        put(gatherSamples(values))
      })
    }
  }

  function note(source: 'emf' | 'filter', values: readonly MetricValues[], refused: number): void {
    const all = values.reduce((sum, one) => sum + one.values.length, 0)
    if (all > refused) counts.metricValues(source, 'taken', all - refused)
    if (refused > 0) counts.metricValues(source, 'refused', refused)
  }
}
