import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { ROOT } from '@hearth/test/helpers/hearth'
import type { AccessResult } from './access.ts'
import type { AsyncResult } from './async.ts'
import type { ColdResult } from './cold.ts'
import type { FreezeResult } from './freeze.ts'
import type { HttpResult } from './http.ts'
import type { LogResult } from './logs.ts'
import type { MemoryResult } from './memory.ts'
import type { MetricsResult } from './metrics.ts'
import type { PatternResult } from './patterns.ts'
import type { RuntimeResult } from './runtimes.ts'
import type { ScaleResult } from './scale.ts'
import type { StreamResult } from './stream.ts'
import type { TraceResult } from './traces.ts'
import type { WarmResult } from './warm.ts'
import type { WebSocketResult } from './websockets.ts'

export interface Results {
  readonly warm: readonly WarmResult[] | undefined
  readonly http: readonly HttpResult[] | undefined
  readonly events: AsyncResult | undefined
  readonly patterns: readonly PatternResult[] | undefined
  readonly stream: readonly StreamResult[] | undefined
  readonly cold: readonly ColdResult[] | undefined
  readonly runtimes: readonly RuntimeResult[] | undefined
  readonly scale: readonly ScaleResult[] | undefined
  readonly freeze: readonly FreezeResult[] | undefined
  readonly memory: MemoryResult | undefined
  readonly access: readonly AccessResult[] | undefined
  readonly metrics: MetricsResult | undefined
  readonly traces: readonly TraceResult[] | undefined
  readonly websockets: WebSocketResult | undefined
  readonly logs: LogResult | undefined
  readonly command: string
}

/** The figures as Markdown tables, with what they were measured on. */
export function report({
  warm,
  http,
  events,
  patterns,
  stream,
  cold,
  runtimes,
  scale,
  freeze,
  memory,
  access,
  metrics,
  traces,
  websockets,
  logs,
  command
}: Results): string {
  const parts = [machine(command)]
  if (warm !== undefined) {
    parts.push(
      '## Warm, synchronous, 32 connections',
      table(
        ['', 'requests/s', '× bare', '× workerd', 'CPU µs per request', 'p50 ms', 'p99 ms'],
        warm.map((row) => [
          row.name,
          row.requestsPerSecond.toFixed(0),
          row.timesBare.toFixed(2),
          row.timesWorkerd.toFixed(2),
          row.cpuUs.toFixed(1),
          row.p50Ms.toFixed(2),
          row.p99Ms.toFixed(2)
        ])
      )
    )
  }
  if (http !== undefined) {
    parts.push(
      '## HTTP APIs, 32 connections',
      table(
        ['', 'requests/s', '× bare Fastify', '× direct invoke', 'CPU µs per request', 'p50 ms', 'p99 ms'],
        http.map((row) => [
          row.name,
          row.requestsPerSecond.toFixed(0),
          row.timesBare.toFixed(2),
          row.timesDirect.toFixed(2),
          row.cpuUs.toFixed(1),
          row.p50Ms.toFixed(2),
          row.p99Ms.toFixed(2)
        ])
      )
    )
  }
  if (events !== undefined) {
    parts.push(
      `## Events, ${events.clients} clients`,
      table(
        [
          'accepted/s',
          'until the 202, p50 / p99 ms',
          'accepted and run/s',
          'CPU µs per event',
          'idle: 202 to handler, p50 / p99 ms'
        ],
        [
          [
            events.acceptedPerSecond.toFixed(0),
            `${events.acceptP50Ms.toFixed(2)} / ${events.acceptP99Ms.toFixed(2)}`,
            events.endedPerSecond.toFixed(0),
            events.cpuUs.toFixed(0),
            `${events.startMs.p50.toFixed(2)} / ${events.startMs.p99.toFixed(2)}`
          ]
        ]
      )
    )
  }
  if (patterns !== undefined) {
    parts.push(
      '## Rules that want an event, of 1,000; one thread',
      table(
        ['', 'events/s', 'decisions/s (an event against a rule)', 'rules that want it'],
        patterns.map((row) => [
          row.name,
          row.eventsPerSecond.toFixed(0),
          row.decisionsPerSecond.toFixed(0),
          row.matchesPerEvent.toFixed(1)
        ])
      )
    )
  }
  if (stream !== undefined) {
    parts.push(
      '## A stream of 200 MB to one client',
      table(
        ['', 'MB/s', 'first byte ms, p50 / p99', 'growth of the server, MiB'],
        stream.map(({ name, megabytesPerSecond, firstByteMs, growthMiB }) => [
          name,
          megabytesPerSecond.toFixed(0),
          firstByteMs === undefined ? '' : `${firstByteMs.p50.toFixed(2)} / ${firstByteMs.p99.toFixed(2)}`,
          growthMiB.toFixed(0)
        ])
      )
    )
  }
  const cell = ({ p50, p99 }: { p50: number; p99: number }) => `${p50.toFixed(2)} / ${p99.toFixed(2)}`
  const coldTable = (results: readonly ColdResult[]) =>
    table(
      ['', 'samples', 'seen by the client', 'queue', 'sandbox', 'init', 'execute'],
      results.map(({ name, samples, phases }) => [
        name,
        String(samples),
        cell(phases.total),
        cell(phases.queue),
        cell(phases.sandbox),
        cell(phases.init),
        cell(phases.exec)
      ])
    )
  if (cold !== undefined) parts.push('## Cold start, p50 / p99 in ms', coldTable(cold))
  if (runtimes !== undefined) {
    parts.push(
      '## Cold start by runtime, sandbox pre-started, p50 / p99 in ms',
      coldTable(runtimes.map(({ prestarted }) => prestarted)),
      '## By runtime: nothing ready, 50 functions at once, memory',
      table(
        [
          '',
          'cold start, nothing ready, p50 / p99 ms',
          '50 at once, nothing ready: last answer, ms',
          '50 at once, after a burst: last answer, ms',
          'idle instance, MiB PSS'
        ],
        runtimes.map(({ onDemand, burstFromNothing, burstAgain, instanceMiB }) => [
          onDemand.name,
          cell(onDemand.phases.total),
          burstFromNothing.lastMs.toFixed(0),
          burstAgain.lastMs.toFixed(0),
          instanceMiB.toFixed(1)
        ])
      )
    )
  }
  if (scale !== undefined) {
    parts.push(
      '## One function, until so many instances run at once',
      table(
        ['', 'instances', 'half of them, ms', 'all, ms', 'booted meanwhile', 'one start: sandbox, ms', 'init, ms'],
        scale.map(({ name, instances, halfMs, allMs, bootedMeanwhile, startMs }) => [
          name,
          String(instances),
          halfMs.toFixed(0),
          allMs.toFixed(0),
          String(bootedMeanwhile),
          startMs.sandbox.toFixed(1),
          startMs.init.toFixed(1)
        ])
      )
    )
  }
  if (freeze !== undefined) {
    parts.push(
      '## Freezing idle instances: one call after the other, ms',
      table(
        ['HEARTH_FREEZE_MS', 'p50', 'p99', 'server CPU µs per call'],
        freeze.map((row) => [row.setting, row.p50Ms.toFixed(3), row.p99Ms.toFixed(3), row.cpuUs.toFixed(0)])
      )
    )
  }
  if (metrics !== undefined) {
    const { functions, countNs, scatteredNs, minuteNs, scrape, report: minute } = metrics
    parts.push(
      '## Metrics',
      table(
        ['', ''],
        [
          ['counting one invocation, CPU, median', `${countNs.p50.toFixed(0)} ns`],
          ['worst round', `${countNs.worst.toFixed(0)} ns`],
          ['first round, while the code is compiled', `${countNs.first.toFixed(0)} ns`],
          [
            'with all functions busy, nothing in caches: median, worst',
            `${scatteredNs.p50.toFixed(0)}, ${scatteredNs.worst.toFixed(0)} ns`
          ],
          ['of that, for CloudWatch', `${minuteNs.toFixed(0)} ns`],
          ['`/metrics` with so many functions', String(functions)],
          ['its size', `${(scrape.bytes / 1e6).toFixed(1)} MB`],
          ['in all', `${scrape.ms.toFixed(0)} ms`],
          ['longest hold of the event loop, CPU', `${scrape.longestMs.toFixed(1)} ms`],
          [
            'a minute of all of them',
            `${minute.samples} samples, ${minute.ms.toFixed(0)} ms of CPU, at most ${minute.longestMs.toFixed(1)} ms at a time`
          ]
        ]
      )
    )
  }
  if (logs !== undefined) {
    parts.push(
      '## Function logs, one group, 1,000,000 lines',
      table(
        [
          'lines/s to disk',
          'write, µs a line',
          'lines dropped',
          'text, MiB',
          'on disk, MiB',
          'one request found, ms',
          'a part of a text found, ms'
        ],
        [
          [
            logs.linesPerSecond.toFixed(0),
            logs.writeUs.toFixed(2),
            String(logs.droppedLines),
            logs.textMiB.toFixed(0),
            logs.storeMiB.toFixed(0),
            logs.findMs.toFixed(0),
            logs.findTextMs.toFixed(0)
          ]
        ]
      )
    )
  }
  if (access !== undefined) {
    parts.push(
      '## Who it is and whether it may: µs of CPU each, three statements with conditions',
      table(
        ['', 'µs'],
        access.map(({ name, us }) => [name, us.toFixed(2)])
      )
    )
  }
  if (traces !== undefined) {
    parts.push(
      '## Traces: µs of CPU for each call',
      table(
        ['', 'µs'],
        traces.map(({ name, us }) => [name, us.toFixed(2)])
      )
    )
  }
  if (websockets !== undefined) {
    const { connections, openedPerSecond, residentKiB, idleCpuMs, postMs, answerMs } = websockets
    parts.push(
      `## A WebSocket API with ${connections} idle connections`,
      table(
        [
          'opened/s',
          'server memory each, KiB',
          'idle: server CPU, ms/s',
          'POST to client, ms, alone p50 / p99',
          'among all',
          'client to function and back, ms, alone',
          'among all'
        ],
        [
          [
            openedPerSecond.toFixed(0),
            residentKiB.toFixed(1),
            idleCpuMs.toFixed(1),
            ...[...postMs, ...answerMs].map(cell)
          ]
        ]
      )
    )
  }
  if (memory !== undefined) {
    parts.push(
      '## Memory at rest (PSS, MiB) and start',
      table(
        ['gateway', 'control plane', 'supervisor', 'launcher', 'pre-started sandbox', 'idle instance', 'start ms'],
        [
          [
            memory.gateway.toFixed(1),
            memory.controlPlane.toFixed(1),
            memory.supervisor.toFixed(1),
            memory.launcher.toFixed(1),
            memory.prestarted.toFixed(1),
            memory.instance.toFixed(1),
            memory.startMs.toFixed(0)
          ]
        ]
      )
    )
  }
  return `${parts.join('\n\n')}\n`
}

function machine(command: string): string {
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { version: string }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const model = cpus()[0]?.model ?? 'unknown CPU'
  return `\`${command}\` on ${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}, Hearth ${version} (${commit}), ${new Date().toISOString().slice(0, 10)}.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
