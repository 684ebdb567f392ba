// What is made of log lines: the embedded metric format, batches of subscriptions, loops, and settings of exports.
import { gunzipSync } from 'node:zlib'
import { readEmbeddedMetrics } from '@hearth/control-plane/internal/log-pipeline/emf'
import { LOKI } from '@hearth/control-plane/internal/log-pipeline/export/loki'
import { OTLP } from '@hearth/control-plane/internal/log-pipeline/export/otlp'
import { findLogLoops } from '@hearth/control-plane/internal/log-pipeline/log-loops'
import { gatherSamples } from '@hearth/control-plane/internal/log-pipeline/metric-samples'
import { batchesOf, subscriptionPayload } from '@hearth/control-plane/internal/log-pipeline/subscription-payload'
import { ConfigError, readConfig, redactConfig } from '@hearth/shared'
import type { LogEvent } from '@hearth/store'
import t from 'tap'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const event = (message: string, changes: Partial<LogEvent> = {}): LogEvent => ({
  position: { segment: 1, offset: 0 },
  at: NOW,
  ingestedAt: NOW,
  stream: 's',
  functionName: 'f',
  requestId: 'r',
  level: 'INFO',
  message,
  ...changes
})

t.test('the embedded metric format', async (t) => {
  const read = (root: object) => readEmbeddedMetrics(JSON.stringify(root), NOW, NOW)
  const embedded = (directive: object, members: object = {}, Timestamp: unknown = NOW) =>
    read({ _aws: { Timestamp, CloudWatchMetrics: [{ Namespace: 'n', ...directive }] }, ...members })
  const found = embedded(
    {
      Dimensions: [[], ['b', 'a']],
      Metrics: [
        { Name: 'one', Unit: 'Milliseconds', StorageResolution: 1 },
        { Name: 'many', Unit: 'Wrong' }
      ]
    },
    { a: 'x', b: 'y', one: 1.5, many: [1, 2, 2] }
  )
  t.equal(found?.faults, 0)
  t.same(found?.metrics[1]?.key, {
    namespace: 'n',
    name: 'one',
    dimensions: [
      ['a', 'x'],
      ['b', 'y']
    ]
  })
  t.match(found?.metrics[0], { at: NOW, unit: 'Milliseconds', resolution: 1, values: [1.5] })
  t.match(found?.metrics[3], { unit: 'None', resolution: 60, values: [1, 2, 2] })
  t.match(gatherSamples([found!.metrics[3]!, found!.metrics[3]!]), [
    {
      at: Math.floor(NOW / 60_000) * 60_000,
      values: {
        count: 6,
        sum: 10,
        min: 1,
        max: 2,
        distribution: [
          [1, 2],
          [2, 4]
        ]
      }
    }
  ])

  const wrong: [object, object?, unknown?][] = [
    [{ Namespace: 'AWS/Lambda', Dimensions: [[]], Metrics: [{ Name: 'm' }] }, { m: 1 }],
    [{ Namespace: '', Metrics: [{ Name: 'm' }] }, { m: 1 }],
    [{ Metrics: [{ Name: 'm' }] }, { m: '1' }],
    [{ Metrics: [{ Name: 'm' }] }, {}],
    [{ Metrics: [{ Name: 'm' }] }, { m: Array.from({ length: 101 }, () => 1) }],
    [{ Metrics: Array.from({ length: 101 }, () => ({ Name: 'm' })) }, { m: 1 }],
    [
      { Dimensions: [['d']], Metrics: [{ Name: 'm' }] },
      { m: 1, d: 7 }
    ],
    [
      { Dimensions: [Array.from({ length: 31 }, () => 'd')], Metrics: [{ Name: 'm' }] },
      { m: 1, d: 'x' }
    ],
    [{ Dimensions: [['toString']], Metrics: [{ Name: 'constructor' }] }],
    [{ Metrics: [{ Name: 'm' }] }, { m: 1 }, NOW - 15 * 86_400_000],
    [{ Metrics: [{ Name: 'm' }] }, { m: 1 }, NOW + 3 * 3_600_000],
    [{ Metrics: [{ Name: 'm' }] }, { m: 1 }, 'today'],
    [{ Metrics: 7 }]
  ]
  for (const [directive, members, at] of wrong) {
    const result = embedded(directive, members, at ?? NOW)
    t.same(result?.metrics, [], JSON.stringify(directive))
    t.ok((result?.faults ?? 0) >= 1)
  }
  for (const message of ['text with "_aws"', '{"_aws":', '{"_aws":{}}', '["_aws"]', '{"a":1}']) {
    t.equal(readEmbeddedMetrics(message, NOW, NOW), undefined, message)
  }
})

t.test('batches of subscriptions are of one stream each, and the same whenever they are made', async (t) => {
  const large = 'x'.repeat(300_000)
  const events = [
    event('a', { stream: 'one' }),
    event('b', { stream: 'two', position: { segment: 1, offset: 40 } }),
    event(large, { stream: 'one', position: { segment: 1, offset: 80 } }),
    event(large, { stream: 'one', position: { segment: 2, offset: 0 } })
  ]
  const batches = batchesOf(events)
  t.same(
    batches.map(({ stream, events: own }) => [stream, own.length]),
    [
      ['one', 2],
      ['two', 1],
      ['one', 1]
    ]
  )
  const payload = JSON.parse(await subscriptionPayload('123456789012', '/g', 'filter', batches[0]!)) as {
    awslogs: { data: string }
  }
  const message = JSON.parse(gunzipSync(Buffer.from(payload.awslogs.data, 'base64')).toString()) as {
    logEvents: { id: string }[]
  }
  t.match(message, {
    messageType: 'DATA_MESSAGE',
    owner: '123456789012',
    logGroup: '/g',
    logStream: 'one',
    subscriptionFilters: ['filter'],
    logEvents: [{ id: /^\d{50,60}$/, timestamp: NOW, message: 'a' }, { message: large }]
  })
})

t.test('lines go to no function that they come from, over however many subscriptions', async (t) => {
  const to = (group: string, name: string) => ({
    group,
    destinationArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}:live`
  })
  const loops = findLogLoops(
    [to('a', 'b'), to('b', 'c'), to('c', 'a'), to('a', 'end'), to('shared', 'self')],
    (name) => (name === 'self' ? 'shared' : name)
  )
  t.same([...loops.get('b')!].sort(), ['a', 'b', 'c', 'end'])
  t.same([...loops.get('end')!], ['end'])
  t.same([...loops.get('self')!], ['self'])
})

t.test('equal lines of one ms stay apart and in order', async (t) => {
  const events = [0, 120, 240].map((offset) => ({
    group: '/g',
    event: event('same', { position: { segment: 3, offset }, functionName: '', requestId: '', level: '' })
  }))
  const { streams } = JSON.parse(LOKI.encode(events)) as { streams: { stream: object; values: [string, string][] }[] }
  t.same(streams[0]!.stream, { service_name: '/g', level: 'unknown' })
  const times = streams[0]!.values.map(([time]) => time)
  t.same(times, [...new Set(times)].sort())
  t.equal(OTLP.rejectedIn('{"partialSuccess":{"rejectedLogRecords":"3"}}'), 3)
  t.equal(OTLP.rejectedIn(''), 0)
})

t.test('where logs are exported to is a setting without secrets in print', async (t) => {
  const read = (env: Record<string, string>) => readConfig(env, t.testdir())
  const config = read({
    HEARTH_LOKI_URL: 'https://me:p%40ss@loki.example/prefix/',
    HEARTH_LOKI_HEADERS: 'X-Scope-OrgID=a%2Cb',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:4318/own',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hidden'
  })
  t.same(config.logExport.loki, {
    endpoint: 'https://loki.example/prefix/loki/api/v1/push',
    headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`, 'x-scope-orgid': 'a,b' }
  })
  t.same(config.logExport.otlp, { endpoint: 'http://127.0.0.1:4318/own', headers: { 'api-key': 'hidden' } })
  t.notMatch(JSON.stringify(redactConfig(config)), /hidden|p@ss|a,b|Basic/)
  t.same(read({}).logExport, { loki: undefined, otlp: undefined })
  for (const env of [
    { HEARTH_LOKI_URL: 'loki:3100' },
    { HEARTH_LOKI_URL: 'ftp://x' },
    { HEARTH_LOKI_HEADERS: 'a=b' },
    { HEARTH_LOKI_URL: 'http://x', HEARTH_LOKI_HEADERS: 'secret' },
    { HEARTH_LOKI_URL: 'http://x', HEARTH_LOKI_HEADERS: 'a=%zz' }
  ]) {
    t.throws(() => read(env), ConfigError)
  }
})
