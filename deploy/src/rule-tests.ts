/** Samples as promtool writes them: `start+step x times`, one each minute. */
interface Sample {
  readonly series: string
  readonly values: string
}

/** When an alert fires, and what looks like it and is none. */
export interface AlertTest {
  readonly alert: string
  readonly fires: readonly Sample[]
  /** Labels beside `severity`, which are known of the rule. */
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly quiet: readonly Sample[]
}

const GATEWAY = { job: 'hearth', instance: 'h:8080', program: 'gateway' }
const gateway = 'job="hearth",instance="h:8080",program="gateway"'

/** All are asked after 20 minutes. */
export const ALERT_TESTS: readonly AlertTest[] = [
  {
    alert: 'HearthDown',
    fires: [{ series: `up{${gateway}}`, values: '1x10 0x10' }],
    labels: GATEWAY,
    summary: 'gateway of h:8080 does not answer its scrape',
    // A scrape that failed once.
    quiet: [{ series: `up{${gateway}}`, values: '1x19 0' }]
  },
  {
    alert: 'HearthRestarting',
    fires: [{ series: `process_start_time_seconds{${gateway}}`, values: '1x10 2 3 4 5 6x10' }],
    labels: GATEWAY,
    summary: 'gateway of h:8080 was restarted 5 times in 15 minutes',
    quiet: [{ series: `process_start_time_seconds{${gateway}}`, values: '1x10 2x10' }]
  },
  {
    alert: 'HearthFunctionErrorRateHigh',
    fires: [
      { series: 'hearth_invocations_total{function="a",status="ok"}', values: '0+60x30' },
      { series: 'hearth_invocations_total{function="a",status="error"}', values: '0+12x30' }
    ],
    labels: { function: 'a' },
    summary: 'a: 16.67% of invocations fail',
    // One function with few errors, one that fails always and is hardly called.
    quiet: [
      { series: 'hearth_invocations_total{function="a",status="ok"}', values: '0+60x30' },
      { series: 'hearth_invocations_total{function="a",status="error"}', values: '0+2x30' },
      { series: 'hearth_invocations_total{function="b",status="error"}', values: '0+1x30' }
    ]
  },
  {
    alert: 'HearthThrottling',
    fires: [{ series: 'hearth_throttles_total{function="a",reason="account"}', values: '0+6x30' }],
    labels: { function: 'a', reason: 'account' },
    summary: 'a is throttled (account)',
    quiet: [{ series: 'hearth_throttles_total{function="a",reason="account"}', values: '0x10 6x20' }]
  },
  {
    alert: 'HearthConcurrencyNearLimit',
    fires: [
      { series: 'hearth_concurrent_executions{function="a"}', values: '60x30' },
      { series: 'hearth_concurrent_executions{function="b"}', values: '35x30' },
      { series: 'hearth_concurrency_limit', values: '100x30' }
    ],
    labels: {},
    summary: 'Concurrency at 95% of the limit',
    quiet: [
      { series: 'hearth_concurrent_executions{function="a"}', values: '89x30' },
      { series: 'hearth_concurrency_limit', values: '100x30' }
    ]
  },
  {
    alert: 'HearthMemoryNearCapacity',
    fires: [
      { series: 'hearth_memory_available_bytes', values: '5x30' },
      { series: 'hearth_memory_capacity_bytes', values: '100x30' }
    ],
    labels: {},
    summary: '5% of the memory is left',
    // Short for a moment, and sizes beyond the capacity.
    quiet: [
      { series: 'hearth_memory_available_bytes', values: '30x15 5x3 30x15' },
      { series: 'hearth_memory_capacity_bytes', values: '100x30' },
      { series: 'hearth_memory_reserved_bytes', values: '300x30' }
    ]
  },
  {
    alert: 'HearthAsyncQueueStuck',
    fires: [{ series: 'hearth_queue_oldest_age_seconds{queue="events"}', values: '0+60x30' }],
    labels: { queue: 'events' },
    summary: 'The oldest asynchronous event has waited 20m 0s',
    quiet: [{ series: 'hearth_queue_oldest_age_seconds{queue="events"}', values: '290x30' }]
  },
  {
    alert: 'HearthEventsDropped',
    fires: [{ series: 'hearth_async_events_dropped_total{function="a",reason="retries"}', values: '0x10 1x20' }],
    labels: { function: 'a', reason: 'retries' },
    summary: 'Asynchronous events of a were given up (retries)',
    quiet: [{ series: 'hearth_async_events_dropped_total{function="a",reason="retries"}', values: '7x30' }]
  },
  {
    alert: 'HearthDeliveryFailures',
    fires: [{ series: 'hearth_destination_delivery_failures_total{function="a"}', values: '0x10 1x20' }],
    labels: { function: 'a' },
    summary: 'a: outcomes do not reach their destination or dead-letter target',
    quiet: [
      { series: 'hearth_destination_delivery_failures_total{function="a"}', values: '3x30' },
      { series: 'hearth_dead_letter_errors_total{function="a"}', values: '0x30' }
    ]
  },
  {
    alert: 'HearthSchedulesLate',
    fires: [{ series: 'hearth_scheduler_lag_seconds', values: '90x30' }],
    labels: {},
    summary: 'Schedules are 1m 30s late',
    quiet: [{ series: 'hearth_scheduler_lag_seconds', values: '0x17 90x2 0x10' }]
  },
  {
    alert: 'HearthEventLoopLag',
    fires: [{ series: `nodejs_eventloop_lag_p99_seconds{${gateway}}`, values: '0.3x30' }],
    labels: GATEWAY,
    summary: 'gateway: event-loop lag p99 of 300ms',
    // Another program’s is not ours.
    quiet: [
      { series: `nodejs_eventloop_lag_p99_seconds{${gateway}}`, values: '0.1x30' },
      { series: 'nodejs_eventloop_lag_p99_seconds{job="other"}', values: '9x30' }
    ]
  },
  {
    alert: 'HearthInstancesCrash',
    fires: [
      { series: 'hearth_environment_exits_total{runtime="nodejs20.x",reason="oom"}', values: '0+6x30' },
      { series: 'hearth_environment_exits_total{runtime="python3.11",reason="oom"}', values: '0+6x30' }
    ],
    labels: { reason: 'oom' },
    summary: 'Instances end by oom 0.2 times per second',
    quiet: [{ series: 'hearth_environment_exits_total{runtime="nodejs20.x",reason="idle"}', values: '0+60x30' }]
  },
  {
    alert: 'HearthLogsDropped',
    fires: [{ series: 'hearth_log_bytes_total{outcome="dropped"}', values: '0+61440x30' }],
    labels: {},
    summary: 'Logs of functions are dropped: 1kiB per second',
    quiet: [
      { series: 'hearth_log_bytes_total{outcome="stored"}', values: '0+61440x30' },
      { series: 'hearth_log_bytes_total{outcome="dropped"}', values: '5x30' }
    ]
  },
  {
    alert: 'HearthAuthFailures',
    fires: [
      { series: 'hearth_auth_failures_total{program="gateway",reason="unknown_key"}', values: '0+60x30' },
      { series: 'hearth_auth_failures_total{program="control-plane",reason="unknown_key"}', values: '0+60x30' }
    ],
    labels: { reason: 'unknown_key' },
    summary: '2 requests per second are refused: unknown_key',
    quiet: [{ series: 'hearth_auth_failures_total{program="gateway",reason="unknown_key"}', values: '0+50x30' }]
  },
  {
    alert: 'HearthDatabaseSlow',
    fires: [
      { series: 'hearth_db_query_duration_seconds_bucket{op="write",le="0.5"}', values: '0x30' },
      { series: 'hearth_db_query_duration_seconds_bucket{op="write",le="1"}', values: '0+60x30' },
      { series: 'hearth_db_query_duration_seconds_bucket{op="write",le="+Inf"}', values: '0+60x30' }
    ],
    labels: { op: 'write' },
    summary: 'SQLite: p99 of write is 995ms',
    quiet: [
      { series: 'hearth_db_query_duration_seconds_bucket{op="write",le="0.5"}', values: '0+60x30' },
      { series: 'hearth_db_query_duration_seconds_bucket{op="write",le="+Inf"}', values: '0+60x30' }
    ]
  }
]
