// What is made of log lines: the embedded metric format, batches of subscriptions, loops, and settings of exports.
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readEmbeddedMetrics } from '@hearth/control-plane/internal/log-pipeline/emf'
import { LOKI } from '@hearth/control-plane/internal/log-pipeline/export/loki'
import { OTLP } from '@hearth/control-plane/internal/log-pipeline/export/otlp'
import { findLogLoops } from '@hearth/control-plane/internal/log-pipeline/log-loops'
import { gatherSamples } from '@hearth/control-plane/internal/log-pipeline/metric-samples'
import { startLogPipeline } from '@hearth/control-plane/internal/log-pipeline/start-log-pipeline'
import { batchesOf, subscriptionPayload } from '@hearth/control-plane/internal/log-pipeline/subscription-payload'
import { forgetRemovals } from '@hearth/control-plane/internal/logs/forget-removals'
import { createMetrics } from '@hearth/control-plane/internal/metrics'
import { ConfigError, readConfig, redactConfig } from '@hearth/shared'
import {
  createLogGroupsRepository,
  createLogReader,
  createLogWriter,
  createUsageRepository,
  type LogEvent,
  openStore,
  openTelemetry
} from '@hearth/store'
import t from 'tap'
import { eventually, ROOT } from '../helpers/hearth.ts'

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

t.test('what is removed before somebody has read it is counted and logged, for each who missed it', async (t) => {
  const GROUP = '/app'
  const loki = createServer((req, res) => {
    req.resume().on('end', () => {
      res.writeHead(204).end()
    })
  })
  loki.listen(0, '127.0.0.1')
  await once(loki, 'listening')
  let close = async (): Promise<void> => undefined
  t.teardown(async () => {
    await close()
    loki.closeAllConnections()
    loki.close()
  })
  const dir = t.testdir()
  let now = Date.now()
  const db = openStore(path.join(dir, 'hearth.db'), path.join(ROOT, 'migrations'))
  const telemetry = openTelemetry({
    file: path.join(dir, 'telemetry.db'),
    migrationsDir: path.join(ROOT, 'migrations/telemetry')
  })
  const logsDir = path.join(dir, 'logs')
  const logs = createLogWriter({ logsDir, groupBytes: 1_048_576, retentionDays: 1, now: () => now })
  const groups = createLogGroupsRepository(db)
  groups.putGroup({
    name: GROUP,
    createdAt: now,
    retentionDays: undefined,
    class: 'STANDARD',
    isDeletionRefused: false,
    tags: {}
  })
  groups.subscriptions.put({
    group: GROUP,
    name: 'all',
    pattern: '',
    destinationArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    distribution: 'ByLogStream',
    createdAt: now - 1
  })

  /** From a start to a stop. */
  async function readOne() {
    const file = (name: string) => path.join(dir, `${name}.db`)
    const { registry } = createMetrics({
      version: '',
      process: false,
      usage: () => createUsageRepository(db).read(),
      databases: { hearth: file('hearth'), queue: file('queue'), telemetry: file('telemetry') }
    })
    const logged: Record<string, unknown>[] = []
    const stop = startLogPipeline({
      scope: { region: 'us-east-1', accountId: '000000000000' },
      reader: createLogReader(logsDir),
      telemetry,
      definitions: groups,
      invoker: {
        invoke: async () => ({ status: 'accepted' })
      },
      groupOf: () => undefined,
      exports: {
        loki: { endpoint: `http://127.0.0.1:${(loki.address() as AddressInfo).port}`, headers: {} },
        otlp: undefined
      },
      registry,
      log: (_, message, fields) => {
        if (message.includes('removed before')) logged.push(fields)
      },
      now: () => now
    })
    close = async () => {
      await stop()
      await logs.close()
      telemetry.close()
      db.close()
    }
    const value = async (name: string, labels: Record<string, string>) =>
      (await registry.getSingleMetric(name)!.get()).values.find((one) =>
        Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted)
      )?.value
    await eventually(async () => {
      const done = [
        await value('hearth_log_metric_values_total', { source: 'emf', result: 'taken' }),
        await value('hearth_log_subscription_events_total', { result: 'delivered' }),
        await value('hearth_log_export_events_total', { result: 'sent' })
      ]
      return done.every((count) => count === 1)
    }, 30_000)
    await stop()
    const gaps = async (name: string) =>
      Promise.all(['metrics', 'subscription', 'loki'].map((reader) => value(name, { reader })))
    return {
      gaps: await gaps('hearth_log_reader_gaps_total'),
      bytes: await gaps('hearth_log_reader_lost_bytes_total'),
      logged
    }
  }
  const write = (n: number) =>
    logs.put(GROUP, 's', [
      {
        at: now,
        message: JSON.stringify({
          _aws: { Timestamp: now, CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [[]], Metrics: [{ Name: 'm' }] }] },
          m: n
        })
      }
    ])
  // Its cursors are made before anything is written.
  await write(1)
  t.match(await readOne(), { gaps: [0, 0, 0], bytes: [0, 0, 0], logged: [] })
  await write(2)
  const lineBytes = logs.counts().storedBytes / 2
  now += 2 * 86_400_000
  await logs.sweep()
  await write(3)
  const missed = await readOne()
  t.same(missed.gaps, [1, 1, 1])
  // Of the first line, the beginning is what they have read up to.
  for (const bytes of missed.bytes) t.equal(bytes, 2 * lineBytes - 1)
  t.equal(missed.logged.length, 3)
  for (const fields of missed.logged) t.match(fields, { reader: String, group: GROUP, bytes: 2 * lineBytes - 1 })
  await write(4)
  t.match(await readOne(), { gaps: [0, 0, 0], logged: [] }, 'once')
  // All that they have read goes: nothing is missing.
  now += 2 * 86_400_000
  await logs.sweep()
  await write(5)
  t.match(await readOne(), { gaps: [0, 0, 0], logged: [] })
})

t.test('what was removed of log groups is forgotten when no file has any of it, and not before', async (t) => {
  const HOUR = 3_600_000
  const DAY = 24 * HOUR
  let now = Date.now()
  const dir = t.testdir()
  const db = openStore(path.join(dir, 'hearth.db'), path.join(ROOT, 'migrations'))
  const logsDir = path.join(dir, 'logs')
  const open = () => createLogWriter({ logsDir, groupBytes: 1_048_576, segmentBytes: 1, now: () => now })
  let logs = open()
  t.teardown(async () => {
    await logs.close()
    db.close()
  })
  const repository = createLogGroupsRepository(db)
  const reader = createLogReader(logsDir, { cuts: (group) => repository.listRemovals(group) })
  const put = (group: string, stream: string, message: string) => logs.put(group, stream, [{ at: now, message }])
  const retain = () => logs.retain({ retention: new Map(), removals: repository.listAllRemovals() })
  const forget = () => forgetRemovals({ repository, reader, now: () => now })
  const kept = async (group: string) => {
    const texts: string[] = []
    for await (const batch of reader.read(group, {})) for (const { message } of batch) texts.push(message)
    return texts
  }
  const removals = () => repository.listAllRemovals().map(({ group, stream }) => `${group} ${stream}`)
  for (const group of ['/gone', '/again', '/streams', '/crashed']) {
    await put(group, 'a', 'old a')
    await put(group, 'b', 'old b')
  }
  // Behind the time at which the folders are made, which is the machine's.
  now += 600_000
  const removedAt = now
  repository.removeGroup('/gone', removedAt)
  repository.removeGroup('/again', removedAt)
  repository.removeStream('/streams', 'a', removedAt)
  await retain()
  // The gateway died before it had removed its files.
  await logs.close()
  repository.removeGroup('/crashed', removedAt)
  now += 1_000
  logs = open()
  await put('/again', 'a', 'new')
  const all = ['/again ', '/crashed ', '/gone ', '/streams a']
  await put('/remade', 'a', 'new')
  repository.removeGroup('/remade', now - DAY)
  await forget()
  t.same(removals(), all, 'what waits for the disk may still come; a folder that was made later has nothing of it')
  now += 2 * HOUR
  await forget()
  t.same(removals(), ['/again ', '/crashed ', '/streams a'], 'no file has anything of it')
  t.same(await kept('/crashed'), [])
  t.same(await kept('/streams'), ['old b'])
  await retain()
  t.same(readdirSync(logsDir).sort(), ['@+again', '@+remade', '@+streams'])
  await forget()
  t.same(removals(), ['/again ', '/streams a'])

  // A group that goes on while its old files go.
  await put('/streams', 'a', 'new a')
  await logs.retain({ retention: new Map([['/streams', 1]]), removals: repository.listAllRemovals() })
  await logs.sweep()
  await forget()
  t.same(removals(), ['/again ', '/streams a'], 'files have it still')
  now += 23 * HOUR
  await logs.sweep()
  await forget()
  t.same(removals(), ['/again '])
  t.same(await kept('/streams'), ['new a'])
  t.same(await kept('/again'), ['new'])
  // Removed again meanwhile: that is another removal.
  repository.removeGroup('/streams', now)
  await forget()
  t.same(removals(), ['/again ', '/streams '])
  now += DAY
  repository.removeGroup('/again', now)
  await retain()
  now += 2 * HOUR
  await forget()
  t.same(removals(), [])
})
