import { type Board, grown, quantile, rate } from './panel.ts'

const CHOSEN = 'function=~"$function"'
const DURATION = 'hearth_invocation_duration_seconds'

export const FUNCTION: Board = {
  uid: 'hearth-function',
  title: 'Hearth / Function',
  description: 'One function, or some of them together.',
  perFunction: true,
  rows: [
    {
      title: 'Summary',
      panels: [
        {
          title: 'Configuration',
          kind: 'table',
          unit: 'count',
          queries: [{ expr: `hearth_function_info{${CHOSEN}}`, legend: '{{function}}' }],
          shows: 'Runtime and memory of what is deployed.',
          act: 'Change it with `PATCH /v1/functions/{name}`.',
          width: 8
        },
        {
          title: 'Success ratio',
          kind: 'stat',
          unit: 'ratio',
          queries: [
            {
              expr: `1 - sum(${grown(`hearth_invocations_total{${CHOSEN},status!="ok"}`)}) / sum(${grown(`hearth_invocations_total{${CHOSEN}}`)})`,
              legend: 'ok'
            }
          ],
          shows: 'Part of the invocations in the time shown that went well.',
          act: 'Below 0.99: Invocations by outcome says how they fail, the log why.',
          width: 4
        },
        {
          title: 'Invocation count',
          kind: 'stat',
          unit: 'count',
          queries: [{ expr: `sum(${grown(`hearth_invocations_total{${CHOSEN}}`)})`, legend: 'all' }],
          shows: 'How many there were in the time shown.',
          act: 'Fewer than expected: look at throttles, and at what calls it.',
          width: 4
        },
        {
          title: 'Billed time',
          kind: 'stat',
          unit: 'seconds',
          queries: [{ expr: `sum(${grown(`hearth_billed_duration_seconds_total{${CHOSEN}}`)})`, legend: 'billed' }],
          shows: 'Billed duration in the time shown, init included as on AWS.',
          act: 'Times memory it is the GB-seconds of docs/usage.md.',
          width: 4
        },
        {
          title: 'Cold starts',
          kind: 'stat',
          unit: 'count',
          queries: [{ expr: `sum(${grown(`hearth_cold_starts_total{${CHOSEN}}`)})`, legend: 'cold' }],
          shows: 'Instances that were initialised in the time shown.',
          act: 'Nearly as many as invocations: crashes or time-outs end instances, or calls are rarer than HEARTH_IDLE_MS.',
          width: 4
        }
      ]
    },
    {
      title: 'Invocations',
      panels: [
        {
          title: 'Invocations by outcome',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (status) (${rate(`hearth_invocations_total{${CHOSEN}}`)})`, legend: '{{status}}' }],
          shows: 'How its invocations end.',
          act: '`error`: its log; `timeout`, `oom`: its settings, or what it waits for; `init_error`: go back a version.',
          width: 12
        },
        {
          title: 'Duration',
          kind: 'lines',
          unit: 'seconds',
          queries: [
            {
              expr: `sum(${rate(`${DURATION}_sum{${CHOSEN}}`)}) / sum(${rate(`${DURATION}_count{${CHOSEN}}`)})`,
              legend: 'average'
            },
            { expr: quantile(0.5, DURATION, [], CHOSEN), legend: 'p50' },
            { expr: quantile(0.99, DURATION, [], CHOSEN), legend: 'p99' }
          ],
          shows: 'Time in the handler.',
          act: 'p99 far from the average: a dependency, or garbage collection near the memory limit.',
          width: 12
        },
        {
          title: 'Concurrency',
          kind: 'lines',
          unit: 'count',
          queries: [{ expr: `sum by (function) (hearth_concurrent_executions{${CHOSEN}})`, legend: '{{function}}' }],
          shows: 'Events in flight.',
          act: 'At its reservation: raise it, or make the function quicker.',
          width: 12
        },
        {
          title: 'Throttles by reason',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (reason) (${rate(`hearth_throttles_total{${CHOSEN}}`)})`, legend: '{{reason}}' }],
          shows: 'What refused its invocations.',
          act: '`function`: its own reservation; the others are the server’s limits (docs/concurrency.md).',
          width: 12
        }
      ]
    },
    {
      title: 'Instances',
      panels: [
        {
          title: 'Cold starts over time',
          kind: 'lines',
          unit: 'perSecond',
          queries: [
            { expr: `sum by (function) (${rate(`hearth_cold_starts_total{${CHOSEN}}`)})`, legend: '{{function}}' }
          ],
          shows: 'Instances initialised per second.',
          act: 'Peaks with each wave of traffic: provision concurrency for the wave.',
          width: 8
        },
        {
          title: 'Memory',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            {
              expr: `max by (function) (hearth_function_memory_used_bytes{${CHOSEN}})`,
              legend: '{{function}}'
            }
          ],
          shows: 'The most that an instance used lately.',
          act: 'Over nine tenths of what Configuration says: raise memory; under a third: less will do, unless the CPU that comes with it is needed.',
          width: 8
        },
        {
          title: 'CPU of instances',
          kind: 'lines',
          unit: 'count',
          queries: [
            {
              expr: `sum by (function) (${rate(`hearth_function_cpu_seconds_total{${CHOSEN}}`)})`,
              legend: '{{function}}'
            }
          ],
          shows: 'Cores that all of its instances use together, init included.',
          act: 'As much as concurrency: it computes, and more memory brings more CPU; far less: it waits for others.',
          width: 8
        },
        {
          title: 'Output held back',
          kind: 'lines',
          unit: 'count',
          queries: [
            {
              expr: `sum by (function) (${rate(`hearth_function_output_paused_seconds_total{${CHOSEN}}`)})`,
              legend: '{{function}}'
            }
          ],
          shows: 'Instances that wait until what they wrote is read: the function writes more than it may.',
          act: 'Its invocations take longer for it: lower its log level, or raise HEARTH_FUNCTION_OUTPUT_BYTES_PER_SECOND (docs/logs.md).',
          width: 24
        }
      ]
    },
    {
      title: 'URL and events',
      panels: [
        {
          title: 'URL requests by class',
          kind: 'lines',
          unit: 'perSecond',
          queries: [
            {
              expr: `sum by (code_class) (${rate(`hearth_function_url_requests_total{${CHOSEN}}`)})`,
              legend: '{{code_class}}'
            }
          ],
          shows: 'What its function URL answered; only of functions whose URL was asked.',
          act: '`5xx`: errors of the function; `4xx`: senders without permission, or the function’s own answer.',
          width: 8
        },
        {
          title: 'Asynchronous events',
          kind: 'lines',
          unit: 'perSecond',
          queries: [
            {
              expr: `sum by (function) (${rate(`hearth_async_events_received_total{${CHOSEN}}`)})`,
              legend: '{{function}} received'
            },
            {
              expr: `sum by (function, reason) (${rate(`hearth_async_events_dropped_total{${CHOSEN}}`)})`,
              legend: '{{function}} dropped: {{reason}}'
            }
          ],
          shows: 'Events that it was sent for later, and those given up; only of functions that had any.',
          act: '`age`: it is too slow for what comes; `retries`: it fails, set an on-failure destination (docs/async.md).',
          width: 8
        },
        {
          title: 'Failed deliveries',
          kind: 'lines',
          unit: 'count',
          queries: [
            {
              expr: `sum by (function) (${grown(`hearth_destination_delivery_failures_total{${CHOSEN}}`)})`,
              legend: '{{function}} destinations'
            },
            {
              expr: `sum by (function) (${grown(`hearth_dead_letter_errors_total{${CHOSEN}}`)})`,
              legend: '{{function}} dead letters'
            }
          ],
          shows: 'Outcomes that did not arrive at their destination or dead-letter target in the time shown.',
          act: 'The target is gone, refuses, or the role may not (`lambda:InvokeFunction`).',
          width: 8
        }
      ]
    }
  ]
}
