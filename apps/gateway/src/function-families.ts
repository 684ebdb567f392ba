import {
  BILLED_SECONDS,
  BUCKET,
  CODE_CLASSES,
  COLD_STARTS,
  CPU_SECONDS,
  DEAD_LETTER_ERRORS,
  DESTINATION_FAILURES,
  DROPPED,
  DROPS,
  DURATION_BUCKETS,
  DURATION_SUM,
  MEMORY,
  MEMORY_BEFORE,
  OUTPUT_PAUSED_SECONDS,
  RECEIVED,
  RECURSIVE,
  RUNNING,
  STATUS,
  STATUSES,
  THROTTLE,
  THROTTLES,
  URL_CLASS,
  USES_QUEUE,
  USES_URL
} from './function-columns.ts'
import { renderHistogram } from './histogram-set.ts'

/** One metric of functions. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Text of one function's series. @param at - Where its row begins @param label - As between the braces */
  readonly lines: (values: Float64Array, at: number, label: string) => string
}

const DURATION = 'hearth_invocation_duration_seconds'

export const FAMILIES: readonly Family[] = [
  byLabel('hearth_invocations_total', 'Invocations by outcome.', 'status', STATUSES, STATUS),
  byLabel('hearth_throttles_total', 'Invocations refused before they ran.', 'reason', THROTTLES, THROTTLE),
  single('hearth_cold_starts_total', 'counter', 'Invocations that initialised an instance.', COLD_STARTS),
  single('hearth_concurrent_executions', 'gauge', 'Invocations that wait or run.', RUNNING),
  single('hearth_billed_duration_seconds_total', 'counter', 'Billed duration.', BILLED_SECONDS),
  single('hearth_function_cpu_seconds_total', 'counter', 'CPU time of its instances, init included.', CPU_SECONDS),
  single(
    'hearth_function_output_paused_seconds_total',
    'counter',
    'Time for which output of its instances was not read: they wrote more than they may.',
    OUTPUT_PAUSED_SECONDS
  ),
  {
    name: 'hearth_function_memory_used_bytes',
    type: 'gauge',
    help: 'The most that an instance used in this minute and the last one in which it was called.',
    lines: (values, at, label) =>
      `hearth_function_memory_used_bytes{${label}} ${Math.max(values[at + MEMORY]!, values[at + MEMORY_BEFORE]!)}\n`
  },
  {
    name: DURATION,
    type: 'histogram',
    help: 'Time in the handler, init excluded.',
    lines: (values, at, label) =>
      renderHistogram(DURATION, label, DURATION_BUCKETS, values, at + BUCKET, values[at + DURATION_SUM]!)
  },
  used(
    USES_QUEUE,
    single('hearth_async_events_received_total', 'counter', 'Events accepted to be run later.', RECEIVED)
  ),
  used(USES_QUEUE, byLabel('hearth_async_events_dropped_total', 'Events given up.', 'reason', DROPS, DROPPED)),
  used(
    USES_QUEUE,
    single(
      'hearth_dead_letter_errors_total',
      'counter',
      'Events that could not be sent to the dead-letter target.',
      DEAD_LETTER_ERRORS
    )
  ),
  used(
    USES_QUEUE,
    single(
      'hearth_destination_delivery_failures_total',
      'counter',
      'Outcomes that could not be sent to a destination.',
      DESTINATION_FAILURES
    )
  ),
  single(
    'hearth_recursive_invocations_dropped_total',
    'counter',
    'Calls stopped because the function called itself.',
    RECURSIVE
  ),
  used(
    USES_URL,
    byLabel('hearth_function_url_requests_total', 'Requests to function URLs.', 'code_class', CODE_CLASSES, URL_CLASS)
  )
]

function single(name: string, type: 'counter' | 'gauge', help: string, column: number): Family {
  return { name, type, help, lines: (values, at, label) => `${name}{${label}} ${values[at + column]}\n` }
}

function byLabel(name: string, help: string, label: string, names: readonly string[], column: number): Family {
  return {
    name,
    type: 'counter',
    help,
    lines(values, at, own) {
      let text = ''
      for (let i = 0; i < names.length; i++)
        text += `${name}{${own},${label}="${names[i]}"} ${values[at + column + i]}\n`
      return text
    }
  }
}

/** Only of functions that use it. */
function used(column: number, family: Family): Family {
  return { ...family, lines: (values, at, label) => (values[at + column] === 0 ? '' : family.lines(values, at, label)) }
}
