// What is sent to a receiver of OTLP that does not always answer as one would like.
import { createBatchSender, type DropReason, type SenderLimits } from '@hearth/gateway/internal/otlp/batch-sender'
import { ConfigError, readConfig, redactConfig } from '@hearth/shared'
import t, { type Test } from 'tap'
import { type Reply, startCollector } from '../helpers/otlp.ts'
import { until } from './harness.ts'

const SPAN = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  flags: 1,
  name: 'one',
  kind: 1,
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000000000001000',
  attributes: []
}
const RESOURCE = { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] }

async function start(t: Test, replies: readonly (Reply | 'hang up')[], limits: Partial<SenderLimits> = {}) {
  const collector = await startCollector()
  collector.replies.push(...replies)
  const counts: Partial<Record<DropReason | 'sent', number>> = {}
  const problems: string[] = []
  const count = (what: DropReason | 'sent', n: number): void => {
    counts[what] = (counts[what] ?? 0) + n
  }
  const sender = createBatchSender<string>({
    url: `${collector.url}/v1/traces`,
    headers: {},
    encode: (names) => ({
      body: JSON.stringify({
        resourceSpans: [
          {
            resource: RESOURCE,
            scopeSpans: [{ scope: { name: 's' }, spans: names.map((name) => ({ ...SPAN, name })) }]
          }
        ]
      }),
      count: names.length
    }),
    countOf: () => 1,
    onSent: (n) => count('sent', n),
    onDropped: (n, reason) => count(reason, n),
    onProblem: (reason) => problems.push(reason),
    random: () => 0,
    limits: { delayMs: 1, pauseMs: 20, longestPauseMs: 40, ...limits }
  })
  t.teardown(async () => {
    await sender.stop(0)
    await collector.close()
  })
  return { collector, sender, counts, problems }
}

t.test('what can be tried again is, after the pause that was asked for', async (t) => {
  const replies: (Reply | 'hang up')[] = ['hang up', { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }]
  const { collector, sender, counts, problems } = await start(t, replies)
  sender.push('one')
  await until('it is taken', () => counts.sent === 1)
  t.strictSame(collector.faults, [])
  t.strictSame(
    collector.spans.map(({ name }) => name),
    ['one'],
    'once'
  )
  const gaps = collector.requests.slice(1).map(({ at }, i) => at - collector.requests[i]!.at)
  t.ok(gaps[0]! >= 9 && gaps[1]! >= 18, 'longer each time')
  t.ok(gaps[2]! >= 990, 'Retry-After')
  t.match(problems, [/^it cannot be reached: /, 'it answered with status 503', 'it answered with status 429'])
  t.strictSame(counts, { sent: 1 })
})

t.test('what cannot be taken is dropped and counted', async (t) => {
  const body = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
  const replies = [{ status: 400 }, { status: 200, body }, { status: 307, headers: { location: '/elsewhere' } }]
  const { collector, sender, counts, problems } = await start(t, replies, { batch: 3, waiting: 4 })
  for (let i = 0; i < 3; i++) sender.push('refused')
  await until('refused', () => counts.refused === 3)
  for (let i = 0; i < 3; i++) sender.push('in part')
  await until('in part', () => counts.refused === 5 && counts.sent === 1)
  for (let i = 0; i < 3; i++) sender.push('elsewhere')
  await until('no redirect is followed', () => counts.refused === 8)
  t.equal(collector.requests.length, 3)
  t.strictSame(problems, ['it answered with status 400', 'too old', 'it answered with status 307'])
})

t.test('a receiver that is away costs spans, not memory', async (t) => {
  const replies = Array.from({ length: 1_000 }, () => 'hang up' as const)
  const { sender, counts } = await start(t, replies, { batch: 2, waiting: 3, giveUpMs: 50 })
  for (let i = 0; i < 10; i++) sender.push(String(i))
  // Two are on their way; three wait.
  t.equal(counts.full, 5)
  t.equal(sender.waiting, 3)
  await until('given up', () => (counts.unreachable ?? 0) >= 2)
})

t.test('a stopping server sends what waits, within its time', async (t) => {
  const good = await start(t, [], { delayMs: 60_000, batch: 2 })
  for (let i = 0; i < 3; i++) good.sender.push(String(i))
  await good.sender.stop(5_000)
  t.strictSame(good.counts, { sent: 3 })
  good.sender.push('late')
  t.equal(good.counts.stopped, 1)

  const bad = await start(
    t,
    Array.from({ length: 1_000 }, () => 'hang up' as const),
    { delayMs: 60_000 }
  )
  for (let i = 0; i < 3; i++) bad.sender.push(String(i))
  const before = performance.now()
  await bad.sender.stop(100)
  t.ok(performance.now() - before < 2_000)
  t.strictSame(bad.counts, { stopped: 3 })
})

t.test('OpenTelemetry’s names of settings', (t) => {
  const read = (env: Record<string, string>) => readConfig(env, t.testdir()).tracing
  const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/otlp/' }
  t.equal(read({}), undefined)
  t.strictSame(read(base), {
    endpoint: 'http://127.0.0.1:4318/otlp/v1/traces',
    headers: {},
    sample: 0.1,
    slowMs: 1_000,
    serviceName: 'hearth',
    resource: {}
  })
  const all = {
    ...base,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://otlp.example.com/t?key=k',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20c2VjcmV0, x-tenant = one',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=prod%2C1',
    OTEL_SERVICE_NAME: 'faas',
    HEARTH_TRACE_SAMPLE: '0.5',
    HEARTH_TRACE_SLOW_MS: '50'
  }
  t.strictSame(read(all), {
    endpoint: 'https://otlp.example.com/t?key=k',
    headers: { authorization: 'Basic c2VjcmV0', 'x-tenant': 'one' },
    sample: 0.5,
    slowMs: 50,
    serviceName: 'faas',
    resource: { 'deployment.environment.name': 'prod,1' }
  })
  const printed = JSON.stringify(redactConfig(readConfig(all, t.testdir())))
  t.notMatch(printed, /c2VjcmV0|key=k/)
  t.match(printed, '"headers":{"authorization":"[set]","x-tenant":"[set]"}')
  t.equal(read({ ...all, OTEL_TRACES_EXPORTER: 'none' }), undefined)
  t.equal(read({ ...all, OTEL_SDK_DISABLED: 'true' }), undefined)
  for (const wrong of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret@host' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'secret' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a b=secret' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=secret%0d%0ax:y' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=secret%zz' },
    { HEARTH_TRACE_SAMPLE: '2' }
  ]) {
    try {
      read({ ...base, ...wrong })
      t.fail(JSON.stringify(wrong))
    } catch (err) {
      t.ok(err instanceof ConfigError)
      t.match((err as Error).message, Object.keys(wrong)[0]!)
      t.notMatch((err as Error).message, 'secret')
    }
  }
  t.end()
})
