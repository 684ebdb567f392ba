/** A series that dashboards and alerts share, computed once. */
export interface RecordingRule {
  readonly record: string
  readonly expr: string
  readonly shows: string
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  /** How long it must be so, in Prometheus' words; undefined: at once. */
  readonly for?: string
  /** `critical`: somebody is to be woken. */
  readonly severity: 'warning' | 'critical'
  /** One line, with Prometheus' templates. */
  readonly summary: string
  /** What it means, without templates. */
  readonly means: string
  /** Steps, in the order in which to try them. */
  readonly act: readonly string[]
}

export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    record: 'function:hearth_invocations:rate5m',
    expr: 'sum by (function) (rate(hearth_invocations_total[5m]))',
    shows: 'Invocations per second of each function.'
  },
  {
    record: 'function:hearth_errors:rate5m',
    expr: 'sum by (function) (rate(hearth_invocations_total{status!="ok"}[5m]))',
    shows: 'Failed invocations per second of each function.'
  },
  {
    record: 'function:hearth_duration_seconds:p95_5m',
    expr: 'histogram_quantile(0.95, sum by (function, le) (rate(hearth_invocation_duration_seconds_bucket[5m])))',
    shows: 'Duration, in s, that 95 of 100 invocations of each function stay under.'
  }
]

export const ALERT_RULES: readonly AlertRule[] = [
  {
    alert: 'HearthDown',
    expr: 'up{job="hearth"} == 0',
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.program }} of {{ $labels.instance }} does not answer its scrape',
    means:
      'Without the gateway nothing is served; without the control plane deployed functions go on, and nothing can be changed.',
    act: [
      'The control plane is scraped through the gateway: if both are down, look at the gateway first.',
      '`curl localhost:8080/readyz` says what is not ready; `journalctl -u hearth` or `docker compose logs hearth` says why.',
      'An answer of 401 or 403 to the scrape means that the key of Prometheus was revoked: make another one.'
    ]
  },
  {
    alert: 'HearthRestarting',
    expr: 'changes(process_start_time_seconds{job="hearth"}[15m]) > 3',
    severity: 'warning',
    summary: '{{ $labels.program }} of {{ $labels.instance }} was restarted {{ $value }} times in 15 minutes',
    means: 'A program ends and is started again; calls that it had under way failed.',
    act: [
      'The last lines of its log before each restart say why.',
      'Killed without a word: look for the kernel’s out-of-memory killer with `dmesg`, and raise HEARTH_MEMORY_RESERVE.'
    ]
  },
  {
    alert: 'HearthFunctionErrorRateHigh',
    expr: '(function:hearth_errors:rate5m / function:hearth_invocations:rate5m > 0.05) and function:hearth_invocations:rate5m > 0.1',
    for: '10m',
    severity: 'warning',
    summary: '{{ $labels.function }}: {{ $value | humanizePercentage }} of invocations fail',
    means: 'More than one in twenty invocations of a function in regular use fails.',
    act: [
      'Dashboard Function, Invocations by outcome: error, timeout, oom or init_error.',
      'Its log: `GET /v1/functions/{name}/logs?level=error`.',
      'It began with a deploy: move the alias back (docs/releases.md).'
    ]
  },
  {
    alert: 'HearthThrottling',
    expr: 'sum by (function, reason) (rate(hearth_throttles_total[5m])) > 0',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.function }} is throttled ({{ $labels.reason }})',
    means: 'Invocations are refused with 429; senders of events are retried, others have to.',
    act: [
      '`function`: raise its reserved concurrency, or take the reservation away.',
      '`account`: another function takes the places (Top functions by rate), or HEARTH_CONCURRENCY is low.',
      '`rate`: more new instances in 10 s than HEARTH_SCALING_BURST; provision concurrency ahead of the wave.',
      '`queue`: no instance came free within HEARTH_QUEUE_WAIT_MS: memory or HEARTH_MAX_INSTANCES is used up.'
    ]
  },
  {
    alert: 'HearthConcurrencyNearLimit',
    expr: 'sum(hearth_concurrent_executions) / scalar(hearth_concurrency_limit) > 0.9',
    for: '5m',
    severity: 'warning',
    summary: 'Concurrency at {{ $value | humanizePercentage }} of the limit',
    means: 'Soon all functions without reserved concurrency are throttled together.',
    act: [
      'A function became slow: rate times duration is concurrency (Top functions by p95 duration).',
      'Reserve concurrency for what may not suffer, as an upper bound for what takes too much.',
      'Raise HEARTH_CONCURRENCY and HEARTH_MAX_INSTANCES if memory allows.'
    ]
  },
  {
    alert: 'HearthMemoryNearCapacity',
    expr: 'min(hearth_memory_available_bytes / hearth_memory_capacity_bytes) < 0.1',
    for: '5m',
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the memory is left',
    means: 'Soon no more instances are started: idle ones are ended, and calls wait or are throttled.',
    act: [
      'Dashboard Platform, Memory of the machine: do instances take it, or another program?',
      'Lower memory sizes or concurrency of what takes most (dashboard Function, Memory), or HEARTH_PRESTARTED_MEMORY.',
      'HEARTH_MEMORY_RESERVE is what instances leave free.'
    ]
  },
  {
    alert: 'HearthAsyncQueueStuck',
    expr: 'max by (queue) (hearth_queue_oldest_age_seconds{queue="events"}) > 300',
    for: '5m',
    severity: 'warning',
    summary: 'The oldest asynchronous event has waited {{ $value | humanizeDuration }}',
    means: 'Events come faster than their functions take them, or fail and wait for their retry.',
    act: [
      '`GET /v1/functions/{name}/invocations?status=queued` lists what waits.',
      'Throttled: raise the function’s concurrency. Failing: mend it; events are kept until their age (docs/async.md).'
    ]
  },
  {
    alert: 'HearthEventsDropped',
    expr: 'sum by (function, reason) (increase(hearth_async_events_dropped_total[15m])) > 0',
    severity: 'critical',
    summary: 'Asynchronous events of {{ $labels.function }} were given up ({{ $labels.reason }})',
    means: 'Events that were accepted ended without success.',
    act: [
      'Those with a destination or dead-letter target are there; others can be sent again from their record while it is kept (docs/async.md).',
      '`age`: they waited longer than MaximumEventAgeInSeconds; `retries`: all attempts failed; `deleted`: the function is gone.'
    ]
  },
  {
    alert: 'HearthDeliveryFailures',
    expr: '(sum by (function) (increase(hearth_dead_letter_errors_total[15m])) > 0) or (sum by (function) (increase(hearth_destination_delivery_failures_total[15m])) > 0)',
    severity: 'critical',
    summary: '{{ $labels.function }}: outcomes do not reach their destination or dead-letter target',
    means: 'What became of events is not told to who wants to know.',
    act: [
      'Is the target there, and may the function’s role send to it (`lambda:InvokeFunction`)?',
      'Webhooks: do they answer 2xx, and is their network in HEARTH_WEBHOOK_NETWORKS?'
    ]
  },
  {
    alert: 'HearthSchedulesLate',
    expr: 'max(hearth_scheduler_lag_seconds) > 60',
    for: '5m',
    severity: 'warning',
    summary: 'Schedules are {{ $value | humanizeDuration }} late',
    means: 'Due times are not turned into events in time.',
    act: [
      'Dashboard Platform: event-loop lag of the gateway, Database p99.',
      'The gateway’s log says whether its queue can be written.'
    ]
  },
  {
    alert: 'HearthEventLoopLag',
    expr: 'nodejs_eventloop_lag_p99_seconds{job="hearth"} > 0.2',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.program }}: event-loop lag p99 of {{ $value | humanizeDuration }}',
    means: 'The program is busy or kept from running; all it does waits that long.',
    act: [
      'CPU near 1 core: too much load for one server.',
      'CPU low: the machine itself is overcommitted or swaps.',
      'In a container: are its CPU limits higher than one core?'
    ]
  },
  {
    alert: 'HearthInstancesCrash',
    expr: 'sum by (reason) (rate(hearth_environment_exits_total{reason=~"crash|oom"}[5m])) > 0.1',
    for: '5m',
    severity: 'warning',
    summary: 'Instances end by {{ $labels.reason }} {{ $value | printf "%.2g" }} times per second',
    means: 'Functions end their process or use more memory than they have.',
    act: [
      'Top functions by errors says whose; the log’s REPORT line says how much memory was used.',
      '`oom`: raise memory. `crash`: an exit, a signal or a native fault in the function’s code.'
    ]
  },
  {
    alert: 'HearthLogsDropped',
    expr: 'sum(rate(hearth_log_bytes_total{outcome="dropped"}[5m])) > 0',
    for: '5m',
    severity: 'warning',
    summary: 'Logs of functions are dropped: {{ $value | humanize1024 }}B per second',
    means:
      'Functions write more than is read of them or fits under the caps; a marker line stands where lines are missing.',
    act: [
      'Which: the marker is in its log.',
      'Lower its log level, or raise HEARTH_OUTPUT_BYTES_PER_SECOND (docs/logs.md).'
    ]
  },
  {
    alert: 'HearthAuthFailures',
    expr: 'sum by (reason) (rate(hearth_auth_failures_total[5m])) > 1',
    for: '10m',
    severity: 'warning',
    summary: '{{ $value | printf "%.2g" }} requests per second are refused: {{ $labels.reason }}',
    means: 'Somebody guesses keys, or a client goes on with one that is no longer good.',
    act: ['`GET /v1/audit` names addresses and keys.', '`expired`, `bad_signature`: the client’s clock and key.']
  },
  {
    alert: 'HearthDatabaseSlow',
    expr: 'histogram_quantile(0.99, sum by (op, le) (rate(hearth_db_query_duration_seconds_bucket[5m]))) > 0.5',
    for: '10m',
    severity: 'warning',
    summary: 'SQLite: p99 of {{ $labels.op }} is {{ $value | humanizeDuration }}',
    means: 'Deploys and accepted events wait for the disk.',
    act: [
      'Is the disk full, or slow (`iostat -x 1`)?',
      'The data folder belongs on a local disk, never on a network file system.'
    ]
  }
]
