// What is made of logs beside reading them, on a whole server: metrics, subscriptions, exports; and what a crash leaves of it.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  CloudWatchLogsClient,
  DeleteSubscriptionFilterCommand,
  PutMetricFilterCommand,
  PutSubscriptionFilterCommand
} from '@aws-sdk/client-cloudwatch-logs'
import { openTelemetry } from '@hearth/store'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { installed, zipOf } from '../helpers/zip.ts'

t.setTimeout(240_000)
const LIMIT_MS = 60_000

interface LokiPush {
  readonly streams: {
    readonly stream: Record<string, string>
    readonly values: [string, string, Record<string, string>][]
  }[]
}
interface OtlpRecord {
  readonly timeUnixNano: string
  readonly severityText?: string
  readonly body: { readonly stringValue: string }
  readonly attributes: { readonly key: string; readonly value: { readonly stringValue: string } }[]
}
interface OtlpLogs {
  readonly resourceLogs: {
    readonly resource: { readonly attributes: OtlpRecord['attributes'] }
    readonly scopeLogs: { readonly logRecords: OtlpRecord[] }[]
  }[]
}

/** Takes what is exported, or does not. */
async function startReceiver() {
  const lines: { target: 'loki' | 'otlp'; text: string }[] = []
  const requests: { url: string; headers: IncomingMessage['headers'] }[] = []
  const pushes: LokiPush[] = []
  const logs: OtlpLogs[] = []
  let failing = 0
  let refused = 0
  /** Bytes of a push to Loki. */
  let limit = Number.POSITIVE_INFINITY
  let tooLarge = 0
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      if (failing > 0) {
        failing--
        refused++
        // In one way and in another: an answer, and none.
        if (refused % 2 === 0) req.socket.destroy()
        else res.writeHead(503).end()
        return
      }
      const body = gunzipSync(Buffer.concat(chunks)).toString()
      if (req.url === '/loki/api/v1/push' && body.length > limit) {
        tooLarge++
        res.writeHead(413).end()
        return
      }
      requests.push({ url: req.url ?? '', headers: req.headers })
      if (req.url === '/loki/api/v1/push') {
        const push = JSON.parse(body) as LokiPush
        pushes.push(push)
        for (const { values } of push.streams) for (const [, text] of values) lines.push({ target: 'loki', text })
        res.writeHead(204).end()
      } else {
        const all = JSON.parse(body) as OtlpLogs
        logs.push(all)
        for (const { scopeLogs } of all.resourceLogs) {
          for (const { logRecords } of scopeLogs) {
            for (const one of logRecords) lines.push({ target: 'otlp', text: one.body.stringValue })
          }
        }
        res.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pushes,
    logs,
    refused: () => refused,
    tooLarge: () => tooLarge,
    takeNoMoreThan(bytes: number) {
      limit = bytes
    },
    fail(times: number) {
      failing = times
    },
    count: (target: 'loki' | 'otlp', text: string) =>
      lines.filter((line) => line.target === target && line.text.includes(text)).length
  }
}

const receiver = await startReceiver()
const hearth = await startHearth({
  env: {
    HEARTH_LOKI_URL: receiver.url.replace('//', '//me:s3cret-of-loki@'),
    HEARTH_LOKI_HEADERS: 'X-Scope-OrgID=tenant',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=s3cret-of-otlp',
    OTEL_TRACES_EXPORTER: 'none'
  }
})
t.teardown(() => hearth.stop())
const client = new CloudWatchLogsClient({
  endpoint: hearth.url,
  region: 'us-east-1',
  credentials: { accessKeyId: hearth.accessKeyId, secretAccessKey: hearth.secretAccessKey },
  maxAttempts: 1
})
t.teardown(() => {
  client.destroy()
})

/** Sum and count of a metric, over all of today. */
function metric(namespace: string, name: string) {
  const telemetry = openTelemetry({
    file: path.join(hearth.dataDir, 'telemetry.db'),
    migrationsDir: path.join(ROOT, 'migrations/telemetry')
  })
  try {
    const keys = telemetry.metrics.list({ namespace, name })
    const range = { from: Date.now() - 3_600_000, to: Date.now() + 3_600_000, period: 60 }
    const points = keys.flatMap((key) => telemetry.metrics.points({ key, ...range }))
    return {
      keys,
      unit: points[0]?.unit,
      sum: points.reduce((sum, { values }) => sum + values.sum, 0),
      count: points.reduce((sum, { values }) => sum + values.count, 0)
    }
  } finally {
    telemetry.close()
  }
}

const ORDERS = `
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
const metrics = new Metrics({ namespace: 'Shop', serviceName: 'orders' })
export const handler = async ({ amount }) => {
  metrics.addMetric('amount', MetricUnit.Count, amount)
  metrics.addMetric('amount', MetricUnit.Count, amount)
  metrics.publishStoredMetrics()
  process.stdout.write(JSON.stringify({ level: 'order', ms: amount * 10, text: 'order-' + amount }) + '\\n')
}`
const COLLECTOR = `
import { gunzipSync } from 'node:zlib'
export const handler = async ({ awslogs }) => {
  const message = JSON.parse(gunzipSync(Buffer.from(awslogs.data, 'base64')))
  // As one line, which the same subscription would match.
  console.log('collected ' + JSON.stringify(message))
}`
const collected = async () => {
  const text = await (await hearth.request('/v1/functions/collector/logs?limit=10000')).text()
  return text
    .split('\n')
    .filter((line) => line.includes('collected'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg.split('collected ')[1]!)
    .map(
      (json) =>
        JSON.parse(json) as { messageType: string; logEvents: { id: string; message: string }[] } & Record<
          string,
          unknown
        >
    )
}
const orders = async (...amounts: number[]) => {
  for (const amount of amounts) t.equal((await hearth.invoke('orders', { amount })).status, 200)
}

t.before(async () => {
  const modules = installed(['@aws-lambda-powertools/metrics'], path.join(ROOT, 'test'))
  const made = await hearth.deploy('orders', await zipOf({ 'index.mjs': ORDERS, ...modules }), 'memory=256')
  t.equal(made.status, 201, await made.text())
  t.equal((await hearth.deploy('collector', COLLECTOR)).status, 201)
  for (const group of ['orders', 'collector']) {
    const permitted = await hearth.request('/2015-03-31/functions/collector/policy', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        StatementId: `logs-${group}`,
        Action: 'lambda:InvokeFunction',
        Principal: 'logs.amazonaws.com',
        SourceArn: `arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/${group}:*`
      })
    })
    t.equal(permitted.status, 201, await permitted.text())
  }
  await orders(1)
})

t.test('metrics in logs are metrics: the embedded format as a library writes it, and metric filters', async (t) => {
  const found = await eventually(() => {
    const one = metric('Shop', 'amount')
    return one.count >= 2 && one
  }, LIMIT_MS)
  t.match(found, { keys: [{ dimensions: [['service', 'orders']] }], unit: 'Count', sum: 2, count: 2 })
  await client.send(
    new PutMetricFilterCommand({
      logGroupName: '/aws/lambda/orders',
      filterName: 'slow',
      filterPattern: '{ $.level = "order" && $.ms > 15 }',
      metricTransformations: [
        {
          metricName: 'ms',
          metricNamespace: 'Logs',
          metricValue: '$.ms',
          unit: 'Milliseconds',
          dimensions: { Text: '$.text' }
        }
      ]
    })
  )
  await orders(1, 2, 3)
  const filtered = await eventually(() => {
    const one = metric('Logs', 'ms')
    return one.count >= 2 && one
  }, LIMIT_MS)
  t.match(filtered, { unit: 'Milliseconds', sum: 50, count: 2 })
  t.same(
    filtered.keys.map(({ dimensions }) => dimensions),
    [[['Text', 'order-2']], [['Text', 'order-3']]]
  )
})

t.test('logs arrive at Loki and at an OTLP receiver as those want them', async (t) => {
  await eventually(() => receiver.count('loki', 'order-3') > 0 && receiver.count('otlp', 'order-3') > 0, LIMIT_MS)
  const loki = receiver.requests.find(({ url }) => url === '/loki/api/v1/push')!
  t.match(loki.headers, {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'x-scope-orgid': 'tenant',
    authorization: `Basic ${Buffer.from('me:s3cret-of-loki').toString('base64')}`
  })
  const streams = receiver.pushes.flatMap((push) => push.streams)
  const stream = streams.find(({ values }) => values.some(([, text]) => text.includes('order-3')))!
  t.same(Object.keys(stream.stream).sort(), ['function', 'level', 'service_name'])
  t.match(stream.stream, { service_name: 'orders', function: 'orders' })
  const [time, , metadata] = stream.values.find(([, text]) => text.includes('order-3'))!
  t.match(time, /^\d{19}$/)
  t.ok(Math.abs(Number(BigInt(time) / 1_000_000n) - Date.now()) < LIMIT_MS * 4)
  t.match(metadata, { log_group: '/aws/lambda/orders', log_stream: /\[\$LATEST\]/, request_id: /^[0-9a-f-]{36}$/ })

  t.match(receiver.requests.find(({ url }) => url === '/v1/logs')!.headers, { 'api-key': 's3cret-of-otlp' })
  const resource = receiver.logs
    .flatMap(({ resourceLogs }) => resourceLogs)
    .find(({ scopeLogs }) => scopeLogs[0]!.logRecords.some(({ body }) => body.stringValue.includes('order-3')))!
  t.match(resource.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'orders' } },
    { key: 'faas.name', value: { stringValue: 'orders' } },
    { key: 'aws.log.group.name', value: { stringValue: '/aws/lambda/orders' } }
  ])
  const record = resource.scopeLogs[0]!.logRecords.find(({ body }) => body.stringValue.includes('order-3'))!
  t.match(record.timeUnixNano, /^\d{19}$/)
  t.match(record.attributes, [{ key: 'aws.log.stream.name' }, { key: 'faas.invocation_id' }])
  t.notMatch(hearth.output(), /s3cret/, 'nor are secrets in what the server prints')
})

t.test('a function gets what it subscribes to, and never its own lines', async (t) => {
  const put = (group: string, filterPattern: string) =>
    client.send(
      new PutSubscriptionFilterCommand({
        logGroupName: `/aws/lambda/${group}`,
        filterName: 'to-collector',
        filterPattern,
        destinationArn: 'arn:aws:lambda:us-east-1:000000000000:function:collector'
      })
    )
  await put('orders', '{ $.level = "order" }')
  await orders(4, 5)
  const messages = await eventually(async () => {
    const data = (await collected()).filter(({ messageType }) => messageType === 'DATA_MESSAGE')
    return data.flatMap(({ logEvents }) => logEvents).length >= 2 && data
  }, LIMIT_MS)
  t.match(messages[0], {
    owner: '000000000000',
    logGroup: '/aws/lambda/orders',
    logStream: /\[\$LATEST\]/,
    subscriptionFilters: ['to-collector']
  })
  const events = messages.flatMap(({ logEvents }) => logEvents)
  t.same(
    events.map(({ message }) => (JSON.parse(message) as { text: string }).text),
    ['order-4', 'order-5'],
    'what came before it subscribed is not sent'
  )
  t.equal(new Set(events.map(({ id }) => id)).size, 2)

  // Each line that it writes would make the next one.
  await put('collector', 'collected')
  await orders(6)
  const count = async () => (await collected()).filter(({ messageType }) => messageType === 'DATA_MESSAGE').length
  await eventually(async () => (await count()) > messages.length, LIMIT_MS)
  const metrics = async () =>
    await (
      await fetch(`http://127.0.0.1:${hearth.ports.control}/metrics`, {
        headers: { authorization: `Bearer ${hearth.token}` }
      })
    ).text()
  await eventually(
    async () => /hearth_log_subscription_events_total\{result="loop"\} [1-9]/.test(await metrics()),
    LIMIT_MS
  )
  const before = await count()
  await orders(7)
  await eventually(async () => (await count()) === before + 1, LIMIT_MS)
  await client.send(
    new DeleteSubscriptionFilterCommand({ logGroupName: '/aws/lambda/collector', filterName: 'to-collector' })
  )
})

const BIG = `export const handler = async ({ sizes }) => {
  for (const [i, size] of sizes.entries()) console.log('big-' + i + '.' + 'x'.repeat(size))
}`
const planeMetric = async (line: string) => {
  const answer = await hearth.request('/metrics/control-plane')
  return Number(
    (await answer.text())
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length)
  )
}

t.test('what a target finds too large goes in smaller parts; one line that is too large goes not', async (t) => {
  t.equal((await hearth.deploy('big', BIG)).status, 201)
  receiver.takeNoMoreThan(30_000)
  t.equal((await hearth.invoke('big', { sizes: [20_000, 20_000, 40_000, 20_000] })).status, 200)
  await eventually(() => [0, 1, 3].every((i) => receiver.count('loki', `big-${i}.`) > 0), LIMIT_MS)
  await eventually(() => receiver.count('otlp', 'big-3.') > 0, LIMIT_MS)
  t.same(
    [0, 1, 2, 3].map((i) => [receiver.count('loki', `big-${i}.`), receiver.count('otlp', `big-${i}.`)]),
    [
      [1, 1],
      [1, 1],
      [0, 1],
      [1, 1]
    ]
  )
  t.ok(receiver.tooLarge() > 2)
  t.equal(await planeMetric('hearth_log_export_events_total{target="loki",result="rejected"} '), 1)
  t.equal(await planeMetric('hearth_log_export_errors_total{target="loki"} '), 0, 'that is no failure')
  receiver.takeNoMoreThan(Number.POSITIVE_INFINITY)
})

t.test('a subscription whose function fails, and then may not be called', async (t) => {
  t.equal((await hearth.deploy('catcher', `export const handler = async () => { throw new Error('no') }`)).status, 201)
  const config = { method: 'PUT', body: '{"maximumRetryAttempts": 0}' }
  t.ok((await hearth.request('/v1/functions/catcher/event-invoke-config', config)).ok)
  const policy = '/2015-03-31/functions/catcher/policy'
  const allow = async () => {
    const statement = {
      StatementId: 'logs',
      Action: 'lambda:InvokeFunction',
      Principal: 'logs.amazonaws.com',
      SourceArn: 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/big:*'
    }
    t.equal((await hearth.request(policy, { method: 'POST', body: JSON.stringify(statement) })).status, 201)
  }
  const failed = async () => {
    const answer = await hearth.request('/v1/functions/catcher/invocations?status=failed')
    return ((await answer.json()) as { invocations: { attempts: number }[] }).invocations
  }
  const big = async () => {
    t.equal((await hearth.invoke('big', { sizes: [1] })).status, 200)
  }
  const subscription = {
    logGroupName: '/aws/lambda/big',
    filterName: 'to-catcher',
    filterPattern: '"big-"',
    destinationArn: 'arn:aws:lambda:us-east-1:000000000000:function:catcher'
  }
  await t.rejects(client.send(new PutSubscriptionFilterCommand(subscription)), { name: 'InvalidParameterException' })
  await allow()
  await client.send(new PutSubscriptionFilterCommand(subscription))
  await big()
  await eventually(async () => (await failed()).length === 2, LIMIT_MS)
  t.match(
    await failed(),
    [{ attempts: 1 }, { attempts: 1 }],
    'as asynchronous events do: the message to try it out, too'
  )

  t.equal((await hearth.request(`${policy}/logs`, { method: 'DELETE' })).status, 204)
  const refused = 'hearth_log_subscription_events_total{result="refused"} '
  const before = await planeMetric(refused)
  await big()
  await eventually(async () => (await planeMetric(refused)) === before + 1, LIMIT_MS)
  await allow()
  await big()
  await eventually(async () => (await failed()).length === 3, LIMIT_MS)
  t.equal(await planeMetric(refused), before + 1, 'from then on it gets what comes')
})

t.test(
  'a control plane that is killed again and again loses nothing, and counts and delivers nothing twice',
  async (t) => {
    const before = metric('Shop', 'amount')
    receiver.fail(6)
    const amounts = Array.from({ length: 12 }, (_, i) => 100 + i)
    for (const [i, amount] of amounts.entries()) {
      await orders(amount)
      if (i % 4 !== 1) continue
      await hearth.crash('controlPlane')
    }
    const expected = amounts.reduce((sum, amount) => sum + 2 * amount, 0)
    const after = await eventually(() => {
      const one = metric('Shop', 'amount')
      return one.count >= before.count + 2 * amounts.length && one
    }, LIMIT_MS)
    t.same([after.count - before.count, after.sum - before.sum], [2 * amounts.length, expected], 'metrics are exact')
    const delivered = await eventually(async () => {
      const texts = (await collected()).flatMap(({ logEvents }) => logEvents.map(({ message }) => message))
      const found = texts.filter((text) => /order-1\d\d/.test(text))
      return found.length >= amounts.length && found
    }, LIMIT_MS)
    t.same(
      delivered.map((message) => (JSON.parse(message) as { text: string }).text).sort(),
      amounts.map((amount) => `order-${amount}`),
      'subscriptions too'
    )
    for (const target of ['loki', 'otlp'] as const) {
      await eventually(() => amounts.every((amount) => receiver.count(target, `order-${amount}`) > 0), LIMIT_MS)
    }
    t.ok(receiver.refused() >= 2, 'though the receiver failed meanwhile')
    t.equal((await fetch(`${hearth.url}/readyz`)).status, 200)
  }
)
