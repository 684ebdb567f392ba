// Alarms by AWS's SDK and by /v1: what is put is looked at, changes its state, tells so, and is kept.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DescribeAlarmsForMetricCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  ListTagsForResourceCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  TagResourceCommand,
  UntagResourceCommand
} from '@aws-sdk/client-cloudwatch'
import t from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { ACCOUNT, REGION, SOURCE, startControlPlane } from './support.ts'

t.setTimeout(120_000)
const posts: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
const receiver = createServer((req, res) => {
  let body = ''
  req.on('data', (piece: Buffer) => {
    body += piece.toString()
  })
  req.on('end', () => {
    posts.push({ headers: req.headers, body })
    res.writeHead(204).end()
  })
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
t.teardown(() => receiver.close())
const HOOK = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/pager`
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const plane = await startControlPlane(t, { webhookNetworks: ['127.0.0.0/8'] })
await plane.app.listen({ port: 0, host: '127.0.0.1' })
const { accessKeyId, secretAccessKey } = plane
const sdk = new CloudWatchClient({
  endpoint: `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`,
  region: REGION,
  credentials: { accessKeyId, secretAccessKey }
})
t.teardown(() => sdk.destroy())
const arnOf = (name: string) => `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:${name}`
const MINUTE = 60_000
/** Whole minutes that are over. */
const minutesAgo = (minutes: number) => new Date(Math.floor(Date.now() / MINUTE) * MINUTE - minutes * MINUTE)
const measure = (MetricName: string, values: readonly number[]) =>
  sdk.send(
    new PutMetricDataCommand({
      Namespace: 'Shop',
      MetricData: values.map((Value, i) => ({ MetricName, Value, Timestamp: minutesAgo(values.length - i) }))
    })
  )
const alarm = (AlarmName: string, MetricName: string, more: Partial<PutMetricAlarmCommandInput> = {}) =>
  sdk.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: 'Shop',
      MetricName,
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 2,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...more
    })
  )
const stateOf = async (name: string) => {
  const { MetricAlarms, CompositeAlarms } = await sdk.send(
    new DescribeAlarmsCommand({ AlarmNames: [name], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] })
  )
  return MetricAlarms?.[0] ?? CompositeAlarms?.[0]
}
const becomes = (name: string, state: string) =>
  eventually(async () => {
    const found = await stateOf(name)
    return found?.StateValue === state && found
  })
const put = async (name: string, body: object) => {
  const answer = await plane.inject({ method: 'PUT', url: `/v1/alarms/${name}`, payload: body })
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
}

t.test('an alarm is looked at when it is put, and its change of state is told once', async (t) => {
  await measure('failures', [0, 3, 4])
  await alarm('failures', 'failures', {
    AlarmDescription: 'orders fail',
    AlarmActions: [HOOK],
    OKActions: [HOOK],
    Tags: [{ Key: 'team', Value: 'a' }]
  })
  const found = await becomes('failures', 'ALARM')
  t.match(found, {
    AlarmArn: arnOf('failures'),
    AlarmDescription: 'orders fail',
    ActionsEnabled: true,
    MetricName: 'failures',
    Statistic: 'Sum',
    Threshold: 1,
    Dimensions: [],
    OKActions: [HOOK],
    InsufficientDataActions: [],
    StateReason:
      /^Threshold Crossed: 2 datapoints \[4\.0 \(\S+ \S+\), 3\.0 \(.+\)\] were greater than or equal to the threshold \(1\.0\)\.$/
  })
  t.notOk(Object.hasOwn(found, 'TreatMissingData'), 'what was not said is not told')
  t.match(JSON.parse(found.StateReasonData!), { recentDatapoints: [3, 4], threshold: 1, statistic: 'Sum' })
  await eventually(() => posts.length > 0)
  const [post] = posts
  const message = JSON.parse(post!.body) as Record<string, unknown>
  t.match(message, {
    source: 'aws.cloudwatch',
    alarmArn: arnOf('failures'),
    accountId: ACCOUNT,
    region: REGION,
    time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/,
    alarmData: {
      alarmName: 'failures',
      state: { value: 'ALARM', reason: /Threshold Crossed/, reasonData: /^\{"version":"1.0"/ },
      previousState: { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation' },
      configuration: {
        description: 'orders fail',
        metrics: [
          { metricStat: { metric: { namespace: 'Shop', name: 'failures', dimensions: {} }, period: 60, stat: 'Sum' } }
        ]
      }
    }
  })
  const { AlarmHistoryItems: items } = await eventually(async () => {
    const history = await sdk.send(
      new DescribeAlarmHistoryCommand({ AlarmName: 'failures', ScanBy: 'TimestampAscending' })
    )
    return history.AlarmHistoryItems?.length === 3 && history
  })
  t.match(items, [
    { HistoryItemType: 'ConfigurationUpdate', HistorySummary: 'Alarm "failures" created' },
    { HistoryItemType: 'StateUpdate', HistorySummary: 'Alarm updated from INSUFFICIENT_DATA to ALARM' },
    { HistoryItemType: 'Action', HistorySummary: `Successfully executed action ${HOOK}` }
  ])
  const first = await sdk.send(new DescribeAlarmHistoryCommand({ AlarmName: 'failures', MaxRecords: 2 }))
  t.equal(first.AlarmHistoryItems?.[0]?.HistoryItemType, 'Action', 'the newest first')
  const rest = await sdk.send(
    new DescribeAlarmHistoryCommand({ AlarmName: 'failures', MaxRecords: 2, NextToken: first.NextToken })
  )
  t.match(rest.AlarmHistoryItems, [{ HistoryItemType: 'ConfigurationUpdate' }])
  t.equal(rest.NextToken, undefined)
  // Put again: the state stays, tags too, and nothing is sent again.
  await alarm('failures', 'failures', { AlarmActions: [HOOK], Tags: [{ Key: 'team', Value: 'b' }], Threshold: 2 })
  await eventually(async () => /threshold \(2\.0\)/.test((await stateOf('failures'))?.StateReason ?? ''))
  t.equal(
    (await stateOf('failures'))?.StateTransitionedTimestamp?.getTime(),
    found.StateTransitionedTimestamp?.getTime()
  )
  t.equal(posts.length, 1)
  const { Tags } = await sdk.send(new ListTagsForResourceCommand({ ResourceARN: arnOf('failures') }))
  t.strictSame(Tags, [{ Key: 'team', Value: 'a' }])
})

t.test('SetAlarmState counts as a change until the next look', async (t) => {
  posts.length = 0
  await sdk.send(
    new SetAlarmStateCommand({
      AlarmName: 'failures',
      StateValue: 'OK',
      StateReason: 'tried by hand',
      StateReasonData: '{"by":"me"}'
    })
  )
  t.match(await stateOf('failures'), { StateValue: 'OK', StateReason: 'tried by hand', StateReasonData: '{"by":"me"}' })
  await alarm('failures', 'failures', { AlarmActions: [HOOK] })
  await becomes('failures', 'ALARM')
  await eventually(() => posts.length === 1)
  t.match(JSON.parse(posts[0]!.body), { alarmData: { previousState: { value: 'OK', reason: 'tried by hand' } } })
  await sdk.send(new DisableAlarmActionsCommand({ AlarmNames: ['failures', 'nobody'] }))
  t.equal((await stateOf('failures'))?.ActionsEnabled, false)
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'failures', StateValue: 'OK', StateReason: 'quiet' }))
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'failures', StateValue: 'ALARM', StateReason: 'quiet' }))
  await sdk.send(new EnableAlarmActionsCommand({ AlarmNames: ['failures'] }))
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'failures', StateValue: 'OK', StateReason: 'aloud' }))
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'failures', StateValue: 'ALARM', StateReason: 'aloud' }))
  await eventually(() => posts.length === 2)
  t.match(
    JSON.parse(posts[1]!.body),
    { alarmData: { state: { reason: 'aloud' } } },
    'what was muted is not made up for'
  )
  await t.rejects(sdk.send(new SetAlarmStateCommand({ AlarmName: 'nobody', StateValue: 'OK', StateReason: 'x' })), {
    name: 'ResourceNotFound',
    $metadata: { httpStatusCode: 404 }
  })
  await t.rejects(
    sdk.send(new SetAlarmStateCommand({ AlarmName: 'failures', StateValue: 'INVALID' as 'OK', StateReason: 'x' })),
    {
      message:
        "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
      $metadata: { httpStatusCode: 400 }
    }
  )
})

t.test('metric math: a rate of errors, and one of several ways to be wrong', async (t) => {
  await measure('calls', [10, 10, 10])
  await measure('errors', [0, 2, 9])
  const metric = (Id: string, MetricName: string) => ({
    Id,
    MetricStat: { Metric: { Namespace: 'Shop', MetricName }, Period: 60, Stat: 'Sum' },
    ReturnData: false
  })
  const math = (Metrics: PutMetricAlarmCommandInput['Metrics'], more: Partial<PutMetricAlarmCommandInput> = {}) =>
    sdk.send(
      new PutMetricAlarmCommand({
        AlarmName: 'rate',
        EvaluationPeriods: 3,
        DatapointsToAlarm: 1,
        Threshold: 50,
        ComparisonOperator: 'GreaterThanThreshold',
        Metrics,
        ...more
      })
    )
  const rate = { Id: 'rate', Expression: 'errors/calls*100', Label: 'Error rate' }
  await math([rate, metric('errors', 'errors'), metric('calls', 'calls')])
  const found = await becomes('rate', 'ALARM')
  t.match(found, {
    StateReason:
      /1 out of the last 3 datapoints \[90\.0 \(.+\)\] was greater than the threshold \(50\.0\) \(minimum 1 datapoint for OK -> ALARM transition\)/,
    Metrics: [{ Id: 'rate', Expression: 'errors/calls*100', ReturnData: true }, { Id: 'errors', ReturnData: false }, {}]
  })
  const wrong: [PutMetricAlarmCommandInput['Metrics'], RegExp][] = [
    [[rate, metric('errors', 'errors')], /no metric or expression with the id calls/],
    [[metric('errors', 'errors')], /exactly one metric matching ReturnData=true/],
    [[{ ...rate, Expression: 'errors/' }, metric('errors', 'errors')], /expression/],
    [
      [{ ...rate, Expression: '[errors, calls]' }, metric('errors', 'errors'), metric('calls', 'calls')],
      /2 time series/
    ],
    [[{ ...rate, Id: 'Rate' }, metric('errors', 'errors'), metric('calls', 'calls')], /small letter/]
  ]
  for (const [Metrics, message] of wrong) await t.rejects(math(Metrics, { AlarmName: 'wrong' }), { message })
  t.equal(await stateOf('wrong'), undefined)
  const { MetricAlarms } = await sdk.send(
    new DescribeAlarmsForMetricCommand({ Namespace: 'Shop', MetricName: 'errors' })
  )
  t.strictSame(
    MetricAlarms?.map(({ AlarmName }) => AlarmName),
    ['rate']
  )
})

t.test('what cannot be is refused, and leaves nothing', async (t) => {
  const cases: [Partial<PutMetricAlarmCommandInput>, RegExp][] = [
    [{ Period: 45 }, /Period must be 10, 20, 30 or a multiple of 60/],
    [{ EvaluationPeriods: 1_441 }, /EvaluationPeriods \* Period must be <= 86400/],
    [{ Period: 3_600, EvaluationPeriods: 169 }, /EvaluationPeriods \* Period must be <= 604800/],
    [{ DatapointsToAlarm: 3 }, /DatapointsToAlarm must be less than or equal to EvaluationPeriods/],
    [{ ExtendedStatistic: 'p99' }, /mutually exclusive/],
    [{ Statistic: undefined }, /Statistic or ExtendedStatistic/],
    [{ Statistic: undefined, ExtendedStatistic: 'p101' }, /p101 for parameter ExtendedStatistic/],
    [{ Threshold: undefined }, /Threshold is required/],
    [{ TreatMissingData: 'never' }, /TreatMissingData/],
    [{ MetricName: undefined }, /MetricName is required/],
    [{ ComparisonOperator: 'GreaterThanUpperThreshold' }, /anomaly detection/],
    [{ AlarmActions: [`arn:aws:sns:${REGION}:${ACCOUNT}:alarms`] }, /topics are not available yet/],
    [
      { AlarmActions: [`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:f`] },
      /Invalid region eu-west-1 specified. Only us-east-1 is supported./
    ],
    [{ AlarmActions: ['http://10.0.0.1/'] }, /not public/],
    [{ AlarmActions: ['arn:what'] }, /Invalid arn syntax/]
  ]
  for (const [more, message] of cases) await t.rejects(alarm('refused', 'failures', more), { message })
  t.equal(await stateOf('refused'), undefined)
  const { AlarmHistoryItems } = await sdk.send(new DescribeAlarmHistoryCommand({ AlarmName: 'refused' }))
  t.strictSame(AlarmHistoryItems, [])
})

t.test('composite alarms follow others', async (t) => {
  posts.length = 0
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'rate', StateValue: 'OK', StateReason: 'x' }))
  const rule = (AlarmRule: string, AlarmName = 'both') =>
    sdk.send(new PutCompositeAlarmCommand({ AlarmName, AlarmRule, AlarmActions: [HOOK] }))
  await rule(`ALARM("failures") AND (ALARM(${arnOf('rate')}) OR FALSE)`)
  t.match(await becomes('both', 'OK'), {
    StateReason: `${arnOf('both')} was created and its alarm rule evaluates to OK`
  })
  await sdk.send(new SetAlarmStateCommand({ AlarmName: 'rate', StateValue: 'ALARM', StateReason: 'x' }))
  const found = await becomes('both', 'ALARM')
  t.match(
    found.StateReason,
    new RegExp(`^${arnOf('rate')} transitioned to ALARM at \\w+day \\d\\d \\w+, \\d{4} [\\d:]{8} UTC$`)
  )
  t.match(JSON.parse(found.StateReasonData!), { triggeringAlarms: [{ arn: arnOf('rate'), state: { value: 'ALARM' } }] })
  await eventually(() => posts.some(({ body }) => body.includes('"alarmName":"both"')))
  for (const [text, message] of [
    ['ALARM(nobody)', /there is no alarm nobody/],
    ['ALARM(failures) AND', /ends too early/],
    ['WARM(failures)', /'WARM' is not expected/],
    ['ALARM(both)', /leads back/]
  ] as const) {
    await t.rejects(rule(text), { message })
  }
  const children = await sdk.send(
    new DescribeAlarmsCommand({ ChildrenOfAlarmName: 'both', AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] })
  )
  t.strictSame(
    children.MetricAlarms?.map(({ AlarmName }) => AlarmName),
    ['failures', 'rate']
  )
  await sdk.send(new DeleteAlarmsCommand({ AlarmNames: ['both'] }))
})

t.test('lists, tags and deletion', async (t) => {
  await alarm('page-a', 'failures', { InsufficientDataActions: [HOOK] })
  await alarm('page-b', 'failures')
  await alarm('page-c', 'failures')
  const names = ({ MetricAlarms = [] }: { MetricAlarms?: { AlarmName?: string | undefined }[] | undefined }) =>
    MetricAlarms.map(({ AlarmName }) => AlarmName)
  const first = await sdk.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'page-', MaxRecords: 2 }))
  t.strictSame(names(first), ['page-a', 'page-b'])
  const second = await sdk.send(
    new DescribeAlarmsCommand({ AlarmNamePrefix: 'page-', MaxRecords: 2, NextToken: first.NextToken })
  )
  t.strictSame(names(second), ['page-c'])
  t.strictSame(
    names(await sdk.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'page-', ActionPrefix: 'http://127' }))),
    ['page-a']
  )
  const { NextToken } = first
  for (const other of [{ NextToken: 'mine' }, { NextToken }, { AlarmNamePrefix: 'page', NextToken }]) {
    await t.rejects(sdk.send(new DescribeAlarmsCommand(other)), { name: 'InvalidNextToken' })
  }
  const history = { AlarmName: 'page-a', MaxRecords: 1 }
  const { NextToken: older } = await sdk.send(new DescribeAlarmHistoryCommand(history))
  t.match(await sdk.send(new DescribeAlarmHistoryCommand({ ...history, NextToken: older })), {
    AlarmHistoryItems: [{ AlarmName: 'page-a' }]
  })
  for (const other of [
    { ...history, AlarmName: 'page-b', NextToken: older },
    { ...history, NextToken }
  ]) {
    await t.rejects(sdk.send(new DescribeAlarmHistoryCommand(other)), { name: 'InvalidNextToken' })
  }

  interface Page {
    readonly nextCursor: string
    readonly code?: string
  }
  const page = async (url: string) => (await plane.get(url)).json<Page>()
  const { nextCursor: list } = await page('/v1/alarms?prefix=page-&limit=1')
  const { nextCursor: past } = await page('/v1/alarms/page-a/history?limit=1')
  t.match(await page(`/v1/alarms?prefix=page-&limit=9&cursor=${list}`), {
    items: [{ name: 'page-b' }, { name: 'page-c' }]
  })
  t.match(await page(`/v1/alarms/page-a/history?cursor=${past}`), { items: [{ type: String }] })
  for (const url of [
    `/v1/alarms?cursor=${list}`,
    `/v1/alarms?prefix=page-&state=OK&cursor=${list}`,
    `/v1/alarms?cursor=${past}`,
    `/v1/alarms/page-b/history?cursor=${past}`,
    `/v1/alarms/page-a/history?type=Action&cursor=${past}`,
    `/v1/budgets?cursor=${list}`,
    `/v1/log-groups?cursor=${list}`
  ]) {
    t.match(
      await page(url),
      { code: 'INVALID_REQUEST', detail: 'cursor: not one that this server gave out for this query' },
      url
    )
  }
  const ResourceARN = arnOf('page-a')
  await sdk.send(
    new TagResourceCommand({
      ResourceARN,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' }
      ]
    })
  )
  await sdk.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['a'] }))
  t.strictSame((await sdk.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags, [{ Key: 'b', Value: '2' }])
  await t.rejects(sdk.send(new ListTagsForResourceCommand({ ResourceARN: arnOf('nobody') })), {
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 404 }
  })
  await sdk.send(new DeleteAlarmsCommand({ AlarmNames: ['page-a', 'page-b', 'page-c', 'nobody'] }))
  t.strictSame(names(await sdk.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'page-' }))), [])
})

t.test('the query protocol, which Debian’s AWS CLI speaks', async (t) => {
  const query = async (Action: string, members: Record<string, string>) => {
    const payload = new URLSearchParams({ Action, Version: '2010-08-01', ...members }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await plane.inject({ method: 'POST', url: '/', payload, headers })
    return { status: answer.statusCode, xml: answer.body }
  }
  const stat = 'Metrics.member.1.MetricStat'
  const put = await query('PutMetricAlarm', {
    AlarmName: 'by-query',
    EvaluationPeriods: '1',
    Threshold: '2.5',
    ComparisonOperator: 'LessThanThreshold',
    ActionsEnabled: 'false',
    'OKActions.member.1': HOOK,
    'Metrics.member.1.Id': 'm',
    [`${stat}.Period`]: '60',
    [`${stat}.Stat`]: 'p99.9',
    [`${stat}.Metric.Namespace`]: 'Shop',
    [`${stat}.Metric.MetricName`]: 'none',
    [`${stat}.Metric.Dimensions.member.1.Name`]: 'Site',
    [`${stat}.Metric.Dimensions.member.1.Value`]: 'north'
  })
  t.equal(put.status, 200, put.xml)
  const { xml } = await query('DescribeAlarms', { 'AlarmNames.member.1': 'by-query' })
  for (const part of [
    '<CompositeAlarms/><MetricAlarms><member><AlarmName>by-query</AlarmName>',
    '<ActionsEnabled>false</ActionsEnabled>',
    '<Threshold>2.5</Threshold>',
    '<Dimensions><member><Name>Site</Name><Value>north</Value></member></Dimensions>'
  ]) {
    t.ok(xml.includes(part), part)
  }
  const tagged = await query('TagResource', {
    ResourceARN: arnOf('by-query'),
    'Tags.member.1.Key': 'a',
    'Tags.member.1.Value': '1'
  })
  t.match(tagged.xml, /<TagResourceResult\/>/)
  const wrong = await query('SetAlarmState', { AlarmName: 'nobody', StateValue: 'OK', StateReason: 'x' })
  t.equal(wrong.status, 404)
  t.match(wrong.xml, /<Code>ResourceNotFound<\/Code>/)
  await query('DeleteAlarms', { 'AlarmNames.member.1': 'by-query' })
})

t.test('/v1/alarms', async (t) => {
  posts.length = 0
  const body = {
    metric: { namespace: 'Shop', name: 'nothing', dimensions: { Site: 'north' } },
    statistic: 'p99',
    threshold: 0.5,
    comparison: '>',
    missingData: 'notBreaching',
    lowSampleCount: 'ignore',
    actions: { alarm: [{ webhook: { url: HOOK } }] },
    tags: { team: 'a' }
  }
  const created = await put('quiet', body)
  t.equal(created.status, 201)
  t.match(created.body, {
    arn: arnOf('quiet'),
    state: 'INSUFFICIENT_DATA',
    period: 60,
    comparison: '>',
    actions: { alarm: [{ webhook: { url: HOOK, secret: /^whsec_/ } }], ok: [] },
    hints: [/^No value of Shop nothing \(Site=north\) has come in the last two weeks/]
  })
  const again = await put('quiet', { ...body, actions: { alarm: [{ webhook: { url: HOOK, secret: SECRET } }] } })
  t.equal(again.status, 200)
  t.match(
    again.body['actions'],
    { alarm: [{ webhook: { url: HOOK, secret: undefined } }] },
    'a known secret is not shown'
  )

  const tested = await plane.inject({ method: 'POST', url: '/v1/alarms/quiet/test', payload: {} })
  t.strictSame(tested.json(), { results: [{ target: HOOK, delivered: true, error: null }] })
  const { headers, body: text } = posts[0]!
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`
  const signature = createHmac('sha256', Buffer.alloc(32, 7)).update(signed).digest('base64')
  t.equal(headers['webhook-signature'], `v1,${signature}`)
  t.match(JSON.parse(text), { alarmData: { state: { value: 'ALARM', reason: 'This is a test.' } } })

  const get = await plane.get('/v1/alarms/quiet')
  t.match(get.json(), { state: 'OK', reason: /^Threshold Crossed: no datapoints were received for 1 period/ })
  t.match((await plane.get('/v1/alarms?state=OK&prefix=qu')).json(), { items: [{ name: 'quiet' }], nextCursor: null })
  const paused = await plane.inject({ method: 'POST', url: '/v1/alarms/quiet/pause' })
  t.match(paused.json(), { actionsEnabled: false })
  const history: unknown = (await plane.get('/v1/alarms/quiet/history?type=StateUpdate')).json()
  t.match(history, { items: [{ summary: 'Alarm updated from INSUFFICIENT_DATA to OK' }] })

  // A function is made to allow it, and forgets it with the alarm.
  t.equal((await plane.put('pager', SOURCE)).statusCode, 201)
  const called = await put('calling', { ...body, actions: { alarm: [{ function: 'pager' }] } })
  t.equal(called.status, 201)
  t.match(called.body['actions'], { alarm: [{ arn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:pager` }] })
  const statements = async () => (await plane.get('/v1/functions/pager/permissions')).json<{ items: unknown[] }>().items
  t.match(await statements(), [
    {
      Sid: 'hearth-alarm-calling',
      Principal: { Service: 'lambda.alarms.cloudwatch.amazonaws.com' },
      Condition: { ArnLike: { 'AWS:SourceArn': arnOf('calling') } }
    }
  ])
  t.equal((await plane.inject({ method: 'DELETE', url: '/v1/alarms/calling' })).statusCode, 204)
  t.strictSame(await statements(), [])

  const hooked = (webhook: object) => ({ ...body, actions: { alarm: [{ function: 'pager' }, { webhook }] } })
  for (const [wrong, message] of [
    [{ ...body, statistic: 'q99' }, /q99 for parameter ExtendedStatistic/],
    [{ ...body, period: 45 }, /multiple of 60/],
    [{ ...body, rule: 'TRUE' }, /exactly one of metric, queries and rule/],
    [{ ...body, threshold: undefined }, /threshold/],
    [{ ...body, actions: { alarm: [{ function: 'nobody' }] } }, /Function not found/],
    [hooked({ url: 'http://10.0.0.1/' }), /^webhook: the address is not public/],
    [hooked({ url: 'http://[::1]/' }), /^webhook: the address is not public/],
    [hooked({ url: 'ftp://example.com/' }), /^webhook: an http or https URL/],
    [hooked({ url: 'https://me:secret@example.com/' }), /^webhook: the URL may have no user, password or fragment/],
    [hooked({ url: HOOK, secret: 'short' }), /whsec_ and 24 to 64 bytes/],
    [hooked({}), /^body\.actions\.alarm\.1: /]
  ] as const) {
    const answer = await put('refused', wrong)
    t.ok(answer.status >= 400 && answer.status < 500, String(answer.status))
    t.match(answer.body['detail'], message)
  }
  t.strictSame(await statements(), [], 'nor was a function made to let it in')
  t.match((await plane.get('/v1/alarms/refused')).json(), { status: 404, code: 'ALARM_NOT_FOUND' })
})
