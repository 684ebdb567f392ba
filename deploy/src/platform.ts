import { type Board, quantile, rate } from './panel.ts'

const HTTP = 'hearth_http_request_duration_seconds'

export const PLATFORM: Board = {
  uid: 'hearth-platform',
  title: 'Hearth / Platform',
  description: 'The two programs and the machine under them.',
  perFunction: false,
  rows: [
    {
      title: 'Programs',
      panels: [
        {
          title: 'Programs up',
          kind: 'stat',
          unit: 'count',
          queries: [{ expr: 'up{job="hearth"}', legend: '{{program}}' }],
          shows: '1: the program answered its last scrape.',
          act: 'See the alert HearthDown.',
          width: 6
        },
        {
          title: 'Versions',
          kind: 'table',
          unit: 'count',
          queries: [{ expr: 'hearth_build_info', legend: '{{version}}' }],
          shows: 'Version of Hearth and of Node.js.',
          act: 'Two versions for more than a minute: one program was not restarted after an update.',
          width: 6
        },
        {
          title: 'Functions',
          kind: 'stat',
          unit: 'count',
          queries: [
            { expr: 'hearth_functions', legend: 'deployed' },
            { expr: 'hearth_metrics_functions_folded', legend: 'folded' }
          ],
          shows: 'Functions deployed, and those that are counted together as `_other`.',
          act: 'Folded ones have no series of their own: only the most recently active do.',
          width: 6
        }
      ]
    },
    {
      title: 'HTTP',
      panels: [
        {
          title: 'Requests by route',
          kind: 'lines',
          unit: 'perSecond',
          queries: [
            {
              expr: `sum by (service, route, code) (${rate(`${HTTP}_count`)})`,
              legend: '{{service}} {{route}} {{code}}'
            }
          ],
          shows: 'Requests that were answered, by pattern of the path and status.',
          act: '5xx of a control-plane route: its log. 429: see Throttled requests.',
          width: 12
        },
        {
          title: 'Latency p99 by route',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: quantile(0.99, HTTP, ['service', 'route']), legend: '{{service}} {{route}}' }],
          shows: 'Time from the request to the end of the answer; of invocations the function’s time is in it.',
          act: 'All routes at once: event loop or disk; one route: what it does.',
          width: 12
        },
        {
          title: 'Authentication failures',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (reason) (${rate('hearth_auth_failures_total')})`, legend: '{{reason}}' }],
          shows: 'Requests whose sender was not accepted.',
          act: '`expired`, `bad_signature`: clocks and keys of clients; `unknown_key` in numbers: somebody guesses, see GET /v1/audit.',
          width: 12
        },
        {
          title: 'Throttled requests',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (reason) (${rate('hearth_throttled_requests_total')})`, legend: '{{reason}}' }],
          shows: 'Requests of control routes that were told to come later.',
          act: '`rate`: one key asks too often (HEARTH_REQUEST_RATE); `authentication`: too many wrong keys of one address.',
          width: 12
        }
      ]
    },
    {
      title: 'Process',
      panels: [
        {
          title: 'Event-loop lag p99',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: 'nodejs_eventloop_lag_p99_seconds{job="hearth"}', legend: '{{program}}' }],
          shows: 'How late a program gets to what is due.',
          act: 'See the alert HearthEventLoopLag.',
          width: 8
        },
        {
          title: 'CPU',
          kind: 'lines',
          unit: 'count',
          queries: [{ expr: rate('process_cpu_seconds_total{job="hearth"}'), legend: '{{program}}' }],
          shows: 'Cores that the programs themselves use; functions are not in it.',
          act: 'The gateway near 1: it is the bottleneck; spread functions over servers.',
          width: 8
        },
        {
          title: 'Resident memory',
          kind: 'lines',
          unit: 'bytes',
          queries: [{ expr: 'process_resident_memory_bytes{job="hearth"}', legend: '{{program}}' }],
          shows: 'Memory of the programs themselves.',
          act: 'It grows for days: make a diagnostics bundle and report it.',
          width: 8
        }
      ]
    },
    {
      title: 'Storage',
      panels: [
        {
          title: 'Database p99',
          kind: 'lines',
          unit: 'seconds',
          queries: [{ expr: quantile(0.99, 'hearth_db_query_duration_seconds', ['op']), legend: '{{op}}' }],
          shows: 'Time of statements of SQLite.',
          act: 'Writes over 100 ms: the disk is slow or full.',
          width: 8
        },
        {
          title: 'Database size',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            { expr: 'sum by (program) (hearth_db_size_bytes)', legend: '{{program}} files' },
            { expr: 'sum by (program) (hearth_db_wal_bytes)', legend: '{{program}} write-ahead logs' }
          ],
          shows: 'Size of the databases and of their write-ahead logs.',
          act: 'A log that only grows: a reader that never ends keeps it; restart the program named.',
          width: 8
        },
        {
          title: 'Code on disk',
          kind: 'lines',
          unit: 'bytes',
          queries: [{ expr: 'sum(hearth_code_store_bytes)', legend: 'code' }],
          shows: 'What packages of functions take.',
          act: 'Delete versions that nothing uses.',
          width: 8
        },
        {
          title: 'Log bytes',
          kind: 'lines',
          unit: 'bytesPerSecond',
          queries: [{ expr: `sum by (outcome) (${rate('hearth_log_bytes_total')})`, legend: '{{outcome}}' }],
          shows: 'Log that functions wrote: kept, or dropped.',
          act: 'Dropped: see the alert HearthLogsDropped.',
          width: 12
        },
        {
          title: 'Deployments',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (result) (${rate('hearth_deployments_total')})`, legend: '{{result}}' }],
          shows: 'Deploys by result.',
          act: '`refused`: the answer says what is wrong with the package; `failed`: the control plane’s log.',
          width: 12
        }
      ]
    },
    {
      title: 'Sandboxes',
      panels: [
        {
          title: 'Prestarted sandboxes taken',
          kind: 'lines',
          unit: 'perSecond',
          queries: [{ expr: `sum by (result) (${rate('hearth_prestarted_taken_total')})`, legend: '{{result}}' }],
          shows: 'Cold starts that found a booted sandbox (hit), or waited for one (miss).',
          act: 'Many misses: raise HEARTH_PRESTARTED or HEARTH_PRESTARTED_MEMORY.',
          width: 8
        },
        {
          title: 'Prestarted memory',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            { expr: 'hearth_prestarted_memory_bytes', legend: 'used' },
            { expr: 'hearth_prestarted_memory_limit_bytes', legend: 'limit' }
          ],
          shows: 'What sandboxes take that wait for a function.',
          act: 'At the limit, kinds used least are not prestarted.',
          width: 8
        },
        {
          title: 'Memory of the machine',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            { expr: 'hearth_memory_capacity_bytes', legend: 'capacity' },
            { expr: 'hearth_memory_available_bytes', legend: 'available' },
            { expr: 'hearth_memory_reserved_bytes', legend: 'memory sizes of instances' }
          ],
          shows: 'What there is, what is left, and what instances may use together.',
          act: 'Sizes above the capacity are usual, as few functions use all of theirs; see the alert HearthMemoryNearCapacity.',
          width: 12
        },
        {
          title: 'Waiting for an instance',
          kind: 'lines',
          unit: 'count',
          queries: [{ expr: 'hearth_invocations_waiting', legend: 'waiting' }],
          shows: 'Invocations for which no instance is free yet.',
          act: 'It stays above zero: memory or HEARTH_MAX_INSTANCES is used up.',
          width: 8
        }
      ]
    }
  ]
}
