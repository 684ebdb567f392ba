import { type Board, grown, quantile, rate } from './panel.ts'

const DURATION = 'hearth_invocation_duration_seconds'
const PHASE = 'hearth_invocation_phase_seconds'

export const OVERVIEW: Board = {
  uid: 'hearth-overview',
  title: 'Hearth / Overview',
  description: 'All functions of a server: is it well, how much is it used, and where does the time go?',
  perFunction: false,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Invocations per second',
          kind: 'stat',
          unit: 'perSecond',
          queries: [{ expr: `sum(${rate('hearth_invocations_total')})`, legend: 'all' }],
          shows: 'Events that were begun and are over, however they came.',
          act: 'A fall to zero under load: see whether the gateway answers (`/readyz`) and what refuses calls (Throttles).',
          width: 4
        },
        {
          title: 'Error ratio',
          kind: 'stat',
          unit: 'ratio',
          queries: [
            {
              expr: `sum(${rate('hearth_invocations_total{status!="ok"}')}) / sum(${rate('hearth_invocations_total')})`,
              legend: 'errors'
            }
          ],
          shows: 'Part of the invocations that failed: errors, time-outs, out of memory, init errors.',
          act: 'Top functions by errors says whose; its log says why (`GET /v1/functions/{name}/logs`).',
          width: 4,
          limits: { warning: 0.01, critical: 0.05 }
        },
        {
          title: 'Throttles per second',
          kind: 'stat',
          unit: 'perSecond',
          queries: [{ expr: `sum(${rate('hearth_throttles_total')})`, legend: 'all' }],
          shows: 'Invocations that were refused with 429 before they ran.',
          act: 'Look at Throttles by reason.',
          width: 4,
          limits: { warning: 0.1, critical: 10 }
        },
        {
          title: 'Concurrency in use',
          kind: 'stat',
          unit: 'ratio',
          queries: [
            { expr: 'sum(hearth_concurrent_executions) / scalar(hearth_concurrency_limit)', legend: 'of the limit' }
          ],
          shows: 'Events in flight as a part of HEARTH_CONCURRENCY.',
          act: 'Near 1: raise HEARTH_CONCURRENCY if memory allows, or give what may not suffer reserved concurrency.',
          width: 4,
          limits: { warning: 0.7, critical: 0.9 }
        },
        {
          title: 'Cold-start ratio',
          kind: 'stat',
          unit: 'ratio',
          queries: [
            {
              expr: `sum(${rate('hearth_cold_starts_total')}) / sum(${rate('hearth_invocations_total')})`,
              legend: 'cold'
            }
          ],
          shows: 'Part of the invocations that initialised an instance.',
          act: 'High under steady load: instances end too early (Instance exits) or HEARTH_IDLE_MS is short; provision concurrency.',
          width: 4
        },
        {
          title: 'Duration p99',
          kind: 'stat',
          unit: 'seconds',
          queries: [{ expr: quantile(0.99, DURATION), legend: 'p99' }],
          shows: 'Time in the handler that 99 of 100 invocations stay under; init is not in it.',
          act: 'Top functions by p95 duration says whose.',
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
          queries: [{ expr: `sum by (status) (${rate('hearth_invocations_total')})`, legend: '{{status}}' }],
          shows: 'How invocations end: ok, error, timeout, oom, init_error.',
          act: '`timeout` and `oom`: raise the function’s timeout or memory, or find what it waits for; `init_error`: the last deploy.',
          width: 12
        },
        {
          title: 'Throttles by reason',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (reason) (${rate('hearth_throttles_total')})`, legend: '{{reason}}' }],
          shows:
            'What refused invocations: the function’s reservation, the account’s limit, the rate of new instances, the queue.',
          act: '`function`: its reserved concurrency; `account`: HEARTH_CONCURRENCY; `rate`: HEARTH_SCALING_BURST; `queue`: HEARTH_QUEUE_LENGTH, HEARTH_QUEUE_WAIT_MS.',
          width: 12
        },
        {
          title: 'Duration',
          kind: 'lines',
          unit: 'seconds',
          queries: [
            { expr: quantile(0.5, DURATION), legend: 'p50' },
            { expr: quantile(0.95, DURATION), legend: 'p95' },
            { expr: quantile(0.99, DURATION), legend: 'p99' }
          ],
          shows: 'Time in handlers, over all functions.',
          act: 'p99 rises and p50 does not: one function or one dependency; all rise: the machine (dashboard Platform).',
          width: 12
        },
        {
          title: 'Duration heatmap',
          kind: 'heatmap',
          unit: 'seconds',
          queries: [{ expr: `sum by (le) (increase(${DURATION}_bucket[$__rate_interval]))`, legend: '{{le}}' }],
          shows: 'How many invocations took how long: two bands are two kinds of work, or hits and misses of a cache.',
          act: 'A new band above the old one: look at what was deployed when it began.',
          width: 12
        }
      ]
    },
    {
      title: 'Where time goes',
      panels: [
        {
          title: 'Phases p95',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: quantile(0.95, PHASE, ['phase']), legend: '{{phase}}' }],
          shows:
            'Parts of an invocation’s time: the wait for an instance, its start and init, the handler, the answer.',
          act: '`queue` grows: too few instances (Instances, Concurrency in use); `init`: the function’s own start; `respond`: slow clients.',
          width: 12
        },
        {
          title: 'Platform overhead p99',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: quantile(0.99, PHASE, [], 'phase=~"queue|dispatch|sandbox"'), legend: 'p99' }],
          shows: 'What Hearth itself adds before the function’s code runs.',
          act: 'Over 50 ms: see CPU and event-loop lag on the dashboard Platform; HEARTH_PRESTARTED keeps more sandboxes ready.',
          width: 6
        },
        {
          title: 'Init p95 by runtime',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: quantile(0.95, 'hearth_init_duration_seconds', ['runtime']), legend: '{{runtime}}' }],
          shows: 'Time of functions’ code outside the handler, at cold starts.',
          act: 'Load less at the start, bundle, or provision concurrency for what must be quick.',
          width: 6
        },
        {
          title: 'Instances',
          kind: 'lines',
          unit: 'count',
          queries: [{ expr: 'sum by (runtime, state) (hearth_environments)', legend: '{{runtime}} {{state}}' }],
          shows: 'Instances by runtime and what they do; those that are prestarted belong to no function yet.',
          act: 'Many that start and few that are busy: functions end or fail at their start (Instance exits).',
          width: 12
        },
        {
          title: 'Instance exits',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (reason) (${rate('hearth_environment_exits_total')})`, legend: '{{reason}}' }],
          shows: 'Why instances end.',
          act: '`crash`, `oom`, `timeout`: the function’s log; others are how it should be.',
          width: 12
        }
      ]
    },
    {
      title: 'Functions',
      panels: [
        {
          title: 'Top functions by rate',
          kind: 'bars',
          unit: 'perSecond',
          queries: [
            { expr: `topk(10, sum by (function) (${rate('hearth_invocations_total')}))`, legend: '{{function}}' }
          ],
          shows: 'The ten most used.',
          act: 'One takes all: give it reserved concurrency as an upper bound.',
          width: 6
        },
        {
          title: 'Top functions by errors',
          kind: 'bars',
          unit: 'count',
          queries: [
            {
              expr: `topk(10, sum by (function) (${grown('hearth_invocations_total{status!="ok"}')}) > 0)`,
              legend: '{{function}}'
            }
          ],
          shows: 'The ten with most failed invocations in the time shown; empty is good.',
          act: 'Open it on the dashboard Function, then its log.',
          width: 6
        },
        {
          title: 'Top functions by p95 duration',
          kind: 'bars',
          unit: 'seconds',
          queries: [{ expr: `topk(10, ${quantile(0.95, DURATION, ['function'])})`, legend: '{{function}}' }],
          shows: 'The ten slowest.',
          act: 'Compare memory used with what is configured: CPU comes with memory.',
          width: 6
        },
        {
          title: 'Top functions by CPU',
          kind: 'lines',
          unit: 'count',
          queries: [
            {
              expr: `topk(10, sum by (function) (${rate('hearth_function_cpu_seconds_total')}))`,
              legend: '{{function}}'
            }
          ],
          shows: 'Cores that functions use.',
          act: 'One function near all cores of the machine: bound it by its memory size or by reserved concurrency.',
          width: 6
        },
        {
          title: 'Top functions by billed time',
          kind: 'bars',
          unit: 'seconds',
          queries: [
            {
              expr: `topk(10, sum by (function) (${grown('hearth_billed_duration_seconds_total')}))`,
              legend: '{{function}}'
            }
          ],
          shows: 'The ten that cost most time in the time shown.',
          act: 'See docs/usage.md for what that is in money.',
          width: 6
        }
      ]
    },
    {
      title: 'Events',
      panels: [
        {
          title: 'Queue depth',
          kind: 'lines',
          unit: 'count',
          queries: [{ expr: 'sum by (queue) (hearth_queue_depth)', legend: '{{queue}}' }],
          shows: 'What waits in durable queues for its first or next attempt.',
          act: 'It only grows: functions are slower than events come, or fail and are retried. Raise concurrency, or look at errors.',
          width: 6
        },
        {
          title: 'Oldest in queue',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: 'max by (queue) (hearth_queue_oldest_age_seconds)', legend: '{{queue}}' }],
          shows: 'How long the oldest has waited.',
          act: 'Minutes: see the alert HearthAsyncQueueStuck.',
          width: 6
        },
        {
          title: 'Asynchronous events',
          kind: 'lines',
          unit: 'perSecond',
          queries: [
            { expr: `sum(${rate('hearth_async_events_received_total')})`, legend: 'received' },
            { expr: `sum(${rate('hearth_async_events_dropped_total')})`, legend: 'dropped' }
          ],
          shows: 'Events that were accepted for later, and those given up without success.',
          act: 'Anything dropped: see the alert HearthEventsDropped.',
          width: 6
        },
        {
          title: 'Schedules',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (result) (${rate('hearth_schedule_fires_total')})`, legend: '{{result}}' }],
          shows: 'Due times of schedules, and what became of them.',
          act: 'Failures: the target of the schedule is gone or refuses (docs/schedules.md).',
          width: 6
        }
      ]
    }
  ]
}
