// CloudWatch's metrics in its three protocols.
import { execFile, spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  PutMetricDataCommand
} from '@aws-sdk/client-cloudwatch'
import { openTelemetry } from '@hearth/store'
import t from 'tap'
import { awsClis, runAws } from '../helpers/aws-clis.ts'
import { ROOT, startControlPlane } from './support.ts'

t.setTimeout(120_000)
const plane = await startControlPlane(t)
await plane.app.listen({ port: 0, host: '127.0.0.1' })
const endpoint = `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`
const { accessKeyId, secretAccessKey } = plane
const sdk = new CloudWatchClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } })
t.teardown(() => sdk.destroy())

t.test('SDK: what is put is listed', async (t) => {
  await sdk.send(
    new PutMetricDataCommand({
      Namespace: 'App',
      MetricData: [
        { MetricName: 'latency', Unit: 'Milliseconds', Values: [1, 2, 300], Counts: [5, 4, 1], Timestamp: new Date() },
        {
          MetricName: 'size',
          Value: 7.5,
          Dimensions: [
            { Name: 'b', Value: '2' },
            { Name: 'a', Value: '1' }
          ]
        }
      ]
    })
  )
  const { Metrics } = await sdk.send(new ListMetricsCommand({ Namespace: 'App' }))
  t.strictSame(Metrics, [
    { Namespace: 'App', MetricName: 'latency', Dimensions: [] },
    {
      Namespace: 'App',
      MetricName: 'size',
      Dimensions: [
        { Name: 'a', Value: '1' },
        { Name: 'b', Value: '2' }
      ]
    }
  ])
  await t.rejects(
    sdk.send(new PutMetricDataCommand({ Namespace: 'App', MetricData: [{ MetricName: 'm', Value: 1, Values: [1] }] })),
    {
      name: 'InvalidParameterCombinationException',
      message:
        'The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.',
      $metadata: { httpStatusCode: 400 }
    }
  )
})

const MINUTE = 60_000
/** Some minutes ago, whole ones. */
const BEGAN = Math.floor(Date.now() / MINUTE - 10) * MINUTE
const at = (minute: number): Date => new Date(BEGAN + minute * MINUTE)

t.test('SDK: statistics, percentiles and metric math', async (t) => {
  const datum = (MetricName: string, minute: number, Value: number) => ({
    MetricName,
    Value,
    Timestamp: at(minute),
    Unit: 'Count' as const
  })
  await sdk.send(
    new PutMetricDataCommand({
      Namespace: 'Shop',
      MetricData: [
        ...[0, 0, 1, 2].map((minute) => datum('calls', minute, 10)),
        datum('errors', 0, 1),
        datum('errors', 2, 5),
        { MetricName: 'sums', Timestamp: at(0), StatisticValues: { SampleCount: 4, Sum: 8, Minimum: 1, Maximum: 3 } }
      ]
    })
  )
  const window = { Namespace: 'Shop', StartTime: at(0), EndTime: at(5) }
  const { Label, Datapoints } = await sdk.send(
    new GetMetricStatisticsCommand({
      ...window,
      MetricName: 'calls',
      Period: 60,
      Statistics: ['Sum', 'Average'],
      ExtendedStatistics: ['p99', 'tm90']
    })
  )
  t.equal(Label, 'calls')
  t.strictSame(
    Datapoints?.map(({ Timestamp, Sum }) => [Timestamp?.getTime(), Sum]),
    [
      [at(0).getTime(), 20],
      [at(1).getTime(), 10],
      [at(2).getTime(), 10]
    ]
  )
  t.match(Datapoints?.[0], { Average: 10, Unit: 'Count', ExtendedStatistics: { p99: 10, tm90: 10 } })
  const metric = (Id: string, MetricName: string, ReturnData = false) => ({
    Id,
    ReturnData,
    MetricStat: { Metric: { Namespace: 'Shop', MetricName }, Period: 60, Stat: 'Sum' }
  })
  const MetricDataQueries = [
    metric('m1', 'calls'),
    metric('m2', 'errors'),
    { Id: 'rate', Expression: 'FILL(m2, 0) / m1 * 100', Label: 'error rate' },
    metric('sums', 'sums', true)
  ]
  const times = { StartTime: at(0), EndTime: at(5) }
  const { MetricDataResults } = await sdk.send(
    new GetMetricDataCommand({ ...times, MetricDataQueries, ScanBy: 'TimestampAscending' })
  )
  t.strictSame(MetricDataResults, [
    { Id: 'rate', Label: 'error rate', Timestamps: [at(0), at(1), at(2)], Values: [5, 0, 50], StatusCode: 'Complete' },
    { Id: 'sums', Label: 'sums', Timestamps: [at(0)], Values: [8], StatusCode: 'Complete' }
  ])
  const pages: unknown[] = []
  let NextToken: string | undefined
  do {
    const page = await sdk.send(
      new GetMetricDataCommand({ ...times, MetricDataQueries, MaxDatapoints: 2, ...(NextToken ? { NextToken } : {}) })
    )
    pages.push(page.MetricDataResults?.map(({ Values, StatusCode }) => [Values, StatusCode]))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  t.strictSame(pages, [
    [
      [[50], 'PartialData'],
      [[8], 'Complete']
    ],
    [
      [[0], 'PartialData'],
      [[], 'Complete']
    ],
    [
      [[5], 'Complete'],
      [[], 'Complete']
    ]
  ])
  const refusals: [object, { name: string; message?: RegExp }][] = [
    [{ Period: 7, Statistics: ['Sum'] }, { name: 'InvalidParameterValueException' }],
    [{ Period: 60 }, { name: 'MissingRequiredParameterException' }],
    [{ Period: 60, ExtendedStatistics: ['p101'] }, { name: 'InvalidParameterValueException' }],
    [
      { Period: 1, Statistics: ['Sum'], EndTime: at(25) },
      { name: 'InvalidParameterCombinationException', message: /^You have requested up to 1,500 datapoints/ }
    ]
  ]
  for (const [more, want] of refusals) {
    const input = { ...window, MetricName: 'calls', Period: 60, ...more }
    await t.rejects(sdk.send(new GetMetricStatisticsCommand(input)), want)
  }
  for (const [Expression, message] of [
    ['m9 + 1', "Error in expression 'e': there is no metric or expression with the id m9."],
    ['m1 +', "Error in expression 'e': the expression ends too early."],
    ['e * 2', "Error in expression 'e': the expression e names itself."]
  ]) {
    const all = { ...times, MetricDataQueries: [metric('m1', 'calls'), { Id: 'e', Expression }] }
    await t.rejects(sdk.send(new GetMetricDataCommand(all)), { name: 'ValidationException', message })
  }
  const asked = { ...times, MetricDataQueries, MaxDatapoints: 2 }
  const { NextToken: own } = await sdk.send(new GetMetricDataCommand(asked))
  await sdk.send(new GetMetricDataCommand({ ...asked, MaxDatapoints: 3, NextToken: own }))
  const ascending = new GetMetricDataCommand({ ...asked, ScanBy: 'TimestampAscending', NextToken: own })
  for (const request of [
    sdk.send(ascending),
    sdk.send(new GetMetricDataCommand({ ...asked, NextToken: 'aaaa' })),
    sdk.send(new ListMetricsCommand({ NextToken: own }))
  ]) {
    await t.rejects(request, { name: 'InvalidNextToken' })
  }
})

const run = promisify(execFile)
const hasBoto = spawnSync('python3', ['-c', 'import boto3']).status === 0
t.test('boto3', { skip: hasBoto ? false : 'python3 has no boto3' }, async (t) => {
  const script = path.join(ROOT, 'test/fixtures/cloudwatch-with-boto3.py')
  const outcome = await run('python3', [script, endpoint, accessKeyId, secretAccessKey]).catch(
    (thrown: unknown) => thrown as { stdout: string; stderr: string }
  )
  // Older ones speak the query protocol.
  t.match(outcome.stdout, /^done application\/x-(amz-json-1\.0|www-form-urlencoded)/, outcome.stderr)
  t.comment(outcome.stdout)
})

t.test('one custom metric too many is refused as AWS refuses it, and those that are there go on', async (t) => {
  const full = await startControlPlane(t)
  const file = path.join(full.dataDir, 'telemetry.db')
  const telemetry = openTelemetry({ file, migrationsDir: path.join(ROOT, 'migrations/telemetry') })
  telemetry.db.exec(
    `INSERT INTO metric_series (namespace, name, dimensions, last_at)
     SELECT 'Many', 'm' || value, '[]', ${Date.now()} FROM (
       WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 50000) SELECT value FROM n)`
  )
  telemetry.close()
  const put = (name: string) =>
    full.inject({
      method: 'POST',
      url: '/',
      payload: JSON.stringify({ Namespace: 'Many', MetricData: [{ MetricName: name, Value: 1 }] }),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData'
      }
    })
  t.match(await put('m50000'), { statusCode: 200 })
  const refused = await put('another')
  t.match(refused, { statusCode: 400, headers: { 'x-amzn-query-error': 'LimitExceeded;Sender' } })
  t.match(JSON.parse(refused.body), {
    __type: 'com.amazonaws.cloudwatch.v2010_08_01#LimitExceededException',
    message: /^There are 50000 custom metrics already/
  })
})

t.test('AWS JSON 1.0, byte for byte', async (t) => {
  const ask = (operation: string, members: object) =>
    plane.inject({
      method: 'POST',
      url: '/',
      payload: JSON.stringify(members),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `GraniteServiceVersion20100801.${operation}`
      }
    })
  const datum = { MetricName: 'json', Value: 2, Timestamp: at(3).getTime() / 1_000, Unit: 'Count' }
  const put = await ask('PutMetricData', { Namespace: 'Json', MetricData: [datum] })
  t.match(put, { statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.0' } }, put.body)
  const read = await ask('GetMetricStatistics', {
    Namespace: 'Json',
    MetricName: 'json',
    StartTime: at(0).getTime() / 1_000,
    EndTime: at(5).getTime() / 1_000,
    Period: 60,
    Statistics: ['Sum']
  })
  t.strictSame(JSON.parse(read.body), {
    Label: 'json',
    Datapoints: [{ Timestamp: at(3).getTime() / 1_000, Unit: 'Count', Sum: 2 }]
  })
  const bad = await ask('PutMetricData', { Namespace: 'AWS/Lambda', MetricData: [datum] })
  t.match(bad, { statusCode: 400, headers: { 'x-amzn-query-error': 'InvalidParameterValue;Sender' } })
  t.match(JSON.parse(bad.body), {
    __type: 'com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException',
    message: 'The value AWS/ for parameter Namespace is invalid.'
  })
})

const commands = awsClis()
if (commands.length === 0) t.test('AWS CLI', { skip: 'aws is not on PATH' }, async () => undefined)
for (const [i, cli] of commands.entries()) {
  t.test(`AWS CLI: ${cli}`, async (t) => {
    const env = {
      PATH: process.env['PATH'],
      HOME: t.testdir(),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true'
    }
    const aws = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await runAws(cli, ['--endpoint-url', endpoint, '--output', 'json', 'cloudwatch', ...args], {
        env
      })
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    }
    const window = ['--start-time', at(0).toISOString(), '--end-time', at(5).toISOString(), '--period', '60']
    const name = ['--namespace', 'Shop', '--metric-name', `of-${i}`]
    const data = [{ MetricName: `of-${i}`, Timestamp: at(1), Values: [1, 2], Counts: [3, 1], Unit: 'Count' }]
    await aws('put-metric-data', '--namespace', 'Shop', '--metric-data', JSON.stringify(data))
    t.match(await aws('get-metric-statistics', ...name, ...window, '--statistics', 'Sum', 'SampleCount'), {
      Label: `of-${i}`,
      Datapoints: [{ Sum: 5, SampleCount: 4, Unit: 'Count' }]
    })
    t.match(await aws('get-metric-statistics', ...name, ...window, '--extended-statistics', 'p90'), {
      Datapoints: [{ ExtendedStatistics: { p90: 2 } }]
    })
    const bad = await aws('get-metric-statistics', ...name, ...window, '--extended-statistics', 'p900').catch(
      (thrown: unknown) => thrown as { stderr: string }
    )
    t.match((bad as { stderr: string }).stderr, 'InvalidParameterValue')
    t.match(await aws('list-metrics', '--namespace', 'App', '--metric-name', 'size'), {
      Metrics: [{ Namespace: 'App', MetricName: 'size', Dimensions: [{ Name: 'a', Value: '1' }, { Name: 'b' }] }]
    })
  })
}
