// CloudWatch Logs and /v1/log-groups on one control plane, with events as the gateway writes them.
import path from 'node:path'
import { createLogWriter } from '@hearth/store'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { ACCOUNT, REGION, startControlPlane } from './support.ts'

// The machine's clock says when files were made: this one is not behind it.
let nowMs = Date.now() + 3_600_000
const T0 = nowMs - 60_000
const plane = await startControlPlane(t, { now: () => new Date(nowMs) })
const writer = createLogWriter({
  logsDir: path.join(plane.dataDir, 'logs'),
  groupBytes: 67_108_864,
  now: () => nowMs
})
t.teardown(() => writer.close())
/** Logs are looked at less often on a busy machine. */
const LIMIT_MS = 60_000
const arnOf = (group: string) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}`

type Answer = Readonly<Record<string, unknown>>
async function call(operation: string, body: object = {}, headers: Record<string, string> = {}) {
  const response = await plane.inject({
    method: 'POST',
    url: '/',
    payload: JSON.stringify(body),
    headers: { 'x-amz-target': `Logs_20140328.${operation}`, 'content-type': 'application/x-amz-json-1.1', ...headers }
  })
  const text = response.body
  return { status: response.statusCode, text, body: (text === '' ? {} : JSON.parse(text)) as Answer }
}
const logs = async (operation: string, body?: object) => (await call(operation, body)).body
const done = async (t: Test, operation: string, body: object) => {
  const { status, text } = await call(operation, body)
  t.strictSame([status, text], [200, ''], `${operation} answers nothing`)
}
interface Event {
  readonly timestamp: number
  readonly message: string
  readonly ingestionTime: number
  readonly eventId: string
  readonly logStreamName: string
}
const eventsOf = (answer: Answer) => answer['events'] as readonly Event[]
const messagesOf = (answer: Answer) => eventsOf(answer).map(({ message }) => message)

t.test('groups: made, described page by page, kept for some days, tagged, deleted', async (t) => {
  await done(t, 'CreateLogGroup', { logGroupName: '/app/a', tags: { team: 'x' } })
  await done(t, 'CreateLogGroup', { logGroupName: '/app/b', logGroupClass: 'INFREQUENT_ACCESS' })
  await done(t, 'PutRetentionPolicy', { logGroupName: '/app/a', retentionInDays: 7 })
  t.strictSame(await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/', limit: 1 }), {
    logGroups: [
      {
        logGroupName: '/app/a',
        creationTime: nowMs,
        retentionInDays: 7,
        metricFilterCount: 0,
        arn: `${arnOf('/app/a')}:*`,
        storedBytes: 0,
        logGroupClass: 'STANDARD',
        logGroupArn: arnOf('/app/a'),
        deletionProtectionEnabled: false
      }
    ],
    nextToken: String((await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/', limit: 1 }))['nextToken'])
  })
  const { nextToken } = await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/', limit: 1 })
  const second = await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/', limit: 1, nextToken })
  t.match(second, { logGroups: [{ logGroupName: '/app/b' }], nextToken: undefined })
  t.match(await logs('DescribeLogGroups', { logGroupNamePrefix: '/app', limit: 1, nextToken }), {
    __type: 'InvalidParameterException',
    message: 'The specified nextToken is invalid.'
  })
  t.match(await logs('DescribeLogGroups', { logGroupNamePattern: 'pp/b' }), { logGroups: [{ logGroupName: '/app/b' }] })
  t.match(await logs('ListLogGroups', { logGroupNamePattern: '^/app/a|none' }), {
    logGroups: [{ logGroupName: '/app/a', logGroupArn: arnOf('/app/a'), logGroupClass: 'STANDARD' }]
  })
  await done(t, 'DeleteRetentionPolicy', { logGroupName: '/app/a' })
  t.equal(
    ((await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/a' })) as { logGroups?: never[] }).logGroups?.[0]?.[
      'retentionInDays'
    ],
    undefined
  )

  await done(t, 'TagResource', { resourceArn: arnOf('/app/a'), tags: { stage: 'test' } })
  await done(t, 'UntagResource', { resourceArn: arnOf('/app/a'), tagKeys: ['team'] })
  t.strictSame(await logs('ListTagsForResource', { resourceArn: arnOf('/app/a') }), { tags: { stage: 'test' } })
  await done(t, 'TagLogGroup', { logGroupName: '/app/a', tags: { team: 'y' } })
  await done(t, 'UntagLogGroup', { logGroupName: '/app/a', tags: ['stage'] })
  t.strictSame(await logs('ListTagsLogGroup', { logGroupName: '/app/a' }), { tags: { team: 'y' } })

  await done(t, 'PutLogGroupDeletionProtection', { logGroupIdentifier: '/app/b', deletionProtectionEnabled: true })
  t.match(await call('DeleteLogGroup', { logGroupName: '/app/b' }), { status: 400 })
  await done(t, 'PutLogGroupDeletionProtection', { logGroupIdentifier: '/app/b', deletionProtectionEnabled: false })
  await done(t, 'DeleteLogGroup', { logGroupName: '/app/b' })
  t.match(await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/b' }), { logGroups: [] })
})

t.test('what functions wrote is found, filtered and read in pages', async (t) => {
  const group = '/aws/lambda/writer'
  const streams = ['2026/05/01/[$LATEST]aa', '2026/05/01/[1]bb']
  for (let i = 0; i < 40; i++) {
    const message = i % 10 === 0 ? JSON.stringify({ level: 'ERROR', n: i }) : `line ${i}`
    await writer.put(group, streams[i % 2]!, [{ at: T0 + i, message }])
  }
  t.match(await logs('DescribeLogGroups', { logGroupNamePrefix: '/aws/lambda/' }), {
    logGroups: [{ logGroupName: group, storedBytes: Number }]
  })
  const described = await logs('DescribeLogStreams', {
    logGroupName: group,
    orderBy: 'LastEventTime',
    descending: true
  })
  t.match(described, {
    logStreams: [
      { logStreamName: streams[1], firstEventTimestamp: T0 + 1, lastEventTimestamp: T0 + 39, storedBytes: 0 },
      { logStreamName: streams[0], arn: `${arnOf(group)}:log-stream:${streams[0]}` }
    ]
  })
  t.match(await logs('DescribeLogStreams', { logGroupIdentifier: arnOf(group), limit: 1 }), {
    logStreams: [{ logStreamName: streams[0] }],
    nextToken: String
  })

  const all = await logs('FilterLogEvents', { logGroupName: group })
  t.equal(eventsOf(all).length, 40)
  t.notOk('nextToken' in all)
  t.strictSame(all['searchedLogStreams'], [])
  t.equal(new Set(eventsOf(all).map(({ eventId }) => eventId)).size, 40, 'ids are unique')
  t.ok(eventsOf(all).every(({ eventId }) => /^\d{56}$/.test(eventId)))
  const filtered = { logGroupName: group, filterPattern: '{ $.level = ERROR && $.n > 5 }', limit: 2 }
  const first = await logs('FilterLogEvents', filtered)
  t.strictSame(
    messagesOf(first).map((message) => (JSON.parse(message) as { n: number }).n),
    [10, 20]
  )
  const rest = await logs('FilterLogEvents', { ...filtered, nextToken: first['nextToken'] })
  t.strictSame(
    messagesOf(rest).map((message) => (JSON.parse(message) as { n: number }).n),
    [30]
  )
  t.notOk('nextToken' in rest)
  t.match(await logs('FilterLogEvents', { ...filtered, filterPattern: 'x', nextToken: first['nextToken'] }), {
    __type: 'InvalidParameterException',
    message: 'The specified nextToken is invalid.'
  })
  const between = { logGroupName: group, startTime: T0 + 11, endTime: T0 + 13 }
  t.strictSame(messagesOf(await logs('FilterLogEvents', between)), ['line 11', 'line 12', 'line 13'])
  t.strictSame(messagesOf(await logs('FilterLogEvents', { ...between, startFromHead: false, limit: 2 })), [
    'line 13',
    'line 12'
  ])
  t.strictSame(messagesOf(await logs('FilterLogEvents', { ...between, logStreamNames: [streams[0]] })), ['line 12'])
  t.strictSame(messagesOf(await logs('FilterLogEvents', { ...between, logStreamNamePrefix: '2026/05/01/[1]' })), [
    'line 11',
    'line 13'
  ])

  const stream = { logGroupName: group, logStreamName: streams[1]! }
  const newest = await logs('GetLogEvents', { ...stream, limit: 3 })
  t.strictSame(messagesOf(newest), ['line 35', 'line 37', 'line 39'])
  const older = await logs('GetLogEvents', { ...stream, limit: 3, nextToken: newest['nextBackwardToken'] })
  t.strictSame(messagesOf(older), ['line 29', 'line 31', 'line 33'])
  const end = await logs('GetLogEvents', { ...stream, startFromHead: true, nextToken: newest['nextForwardToken'] })
  t.strictSame(
    [messagesOf(end), end['nextForwardToken']],
    [[], newest['nextForwardToken']],
    'the end repeats the token'
  )
  t.match(newest['nextForwardToken'], /^f\/\d+\/s$/)
  const oldest = await logs('GetLogEvents', { ...stream, limit: 2, startFromHead: true })
  t.strictSame(messagesOf(oldest), ['line 1', 'line 3'])
  const next = await logs('GetLogEvents', {
    ...stream,
    limit: 2,
    startFromHead: true,
    nextToken: oldest['nextForwardToken']
  })
  t.strictSame(messagesOf(next), ['line 5', 'line 7'])
  const upTo = await logs('GetLogEvents', { ...stream, startTime: T0 + 5, endTime: T0 + 7, startFromHead: true })
  t.strictSame(messagesOf(upTo), ['line 5'], 'its end is exclusive')
  await writer.put(group, streams[1]!, [{ at: T0 + 41, message: 'later' }])
  const later = await logs('GetLogEvents', { ...stream, startFromHead: true, nextToken: newest['nextForwardToken'] })
  t.strictSame(messagesOf(later), ['later'])
  t.match(await logs('GetLogEvents', { ...stream, logStreamName: streams[0], nextToken: newest['nextForwardToken'] }), {
    message: 'The specified nextToken is invalid.'
  })

  // Of one stream what was written within a moment stays as it was written; others go by time.
  const order = [
    ['a', 5, 'first'],
    ['a', 3, 'second'],
    ['b', 4, 'third'],
    ['a', -5_000, 'old']
  ] as const
  for (const [name, at, message] of order) await writer.put('/order', name, [{ at: T0 + at, message }])
  const inOrder = await logs('FilterLogEvents', { logGroupName: '/order' })
  t.strictSame(messagesOf(inOrder), ['old', 'third', 'first', 'second'])
  const reversed = await logs('FilterLogEvents', { logGroupName: '/order', startFromHead: false })
  t.strictSame(messagesOf(reversed), ['second', 'first', 'third', 'old'])

  // A page has a mebibyte.
  const big = Array.from({ length: 5 }, (_, i) => ({ at: T0 + 100 + i, message: `${i}${'x'.repeat(300_000)}` }))
  for (const event of big) await writer.put('/big', 's', [event])
  const page = await logs('FilterLogEvents', { logGroupName: '/big' })
  t.equal(eventsOf(page).length, 3)
  t.equal(eventsOf(await logs('FilterLogEvents', { logGroupName: '/big', nextToken: page['nextToken'] })).length, 2)
})

t.test('what is deleted is gone, and may be made again', async (t) => {
  const group = '/gone'
  await writer.put(group, 's1', [{ at: nowMs, message: 'one' }])
  await writer.put(group, 's2', [{ at: nowMs, message: 'two' }])
  nowMs += 60_000
  await done(t, 'DeleteLogStream', { logGroupName: group, logStreamName: 's1' })
  t.strictSame(messagesOf(await logs('FilterLogEvents', { logGroupName: group })), ['two'])
  t.match(await logs('GetLogEvents', { logGroupName: group, logStreamName: 's1' }), {
    __type: 'ResourceNotFoundException',
    message: 'The specified log stream does not exist.'
  })
  await done(t, 'CreateLogStream', { logGroupName: group, logStreamName: 's3' })
  t.match(await logs('DescribeLogStreams', { logGroupName: group }), {
    logStreams: [{ logStreamName: 's2' }, { logStreamName: 's3', creationTime: nowMs, firstEventTimestamp: undefined }]
  })
  await done(t, 'DeleteLogGroup', { logGroupName: group })
  t.match(await logs('FilterLogEvents', { logGroupName: group }), {
    __type: 'ResourceNotFoundException',
    message: 'The specified log group does not exist.'
  })
  nowMs += 60_000
  await writer.put(group, 's1', [{ at: nowMs, message: 'again' }])
  t.strictSame(messagesOf(await logs('FilterLogEvents', { logGroupName: group })), ['again'])
})

t.test('metric filters', async (t) => {
  const filter = {
    logGroupName: '/app/a',
    filterName: 'slow',
    filterPattern: '{ $.latency > 100 }',
    metricTransformations: [
      { metricName: 'Slow', metricNamespace: 'App', metricValue: '$.latency', unit: 'Milliseconds' }
    ]
  }
  await done(t, 'PutMetricFilter', filter)
  t.strictSame(await logs('DescribeMetricFilters', { logGroupName: '/app/a' }), {
    metricFilters: [{ ...filter, creationTime: nowMs, applyOnTransformedLogs: false }]
  })
  t.match(await logs('DescribeMetricFilters', { metricName: 'Slow', metricNamespace: 'App' }), {
    metricFilters: [{ filterName: 'slow' }]
  })
  t.match(await logs('DescribeLogGroups', { logGroupNamePrefix: '/app/a' }), { logGroups: [{ metricFilterCount: 1 }] })
  t.strictSame(
    await logs('TestMetricFilter', {
      filterPattern: '[ip, ..., bytes > 5]',
      logEventMessages: ['a b 6', 'a 5', 'a 7']
    }),
    {
      matches: [
        { eventNumber: 1, eventMessage: 'a b 6', extractedValues: { $ip: 'a', $2: 'b', $bytes: '6' } },
        { eventNumber: 3, eventMessage: 'a 7', extractedValues: { $ip: 'a', $bytes: '7' } }
      ]
    }
  )
  await done(t, 'DeleteMetricFilter', { logGroupName: '/app/a', filterName: 'slow' })
})

t.test("bad input has AWS's sentences", async (t) => {
  const invalid = 'InvalidParameterException'
  const missing = 'ResourceNotFoundException'
  const refusals: [operation: string, body: object, type: string, message: string | RegExp][] = [
    [
      'CreateLogGroup',
      { logGroupName: '/app/a' },
      'ResourceAlreadyExistsException',
      'The specified log group already exists'
    ],
    [
      'CreateLogGroup',
      { logGroupName: 'x'.repeat(513) },
      invalid,
      'Invalid LogGroup or LogStream, both must have length less than or equal to 512.'
    ],
    [
      'CreateLogGroup',
      { logGroupName: 'a b' },
      invalid,
      /^1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: /
    ],
    ['CreateLogGroup', { logGroupName: 'k', kmsKeyId: 'arn:aws:kms:x' }, invalid, /kmsKeyId/],
    ['DeleteLogGroup', { logGroupName: 'none' }, missing, 'The specified log group does not exist.'],
    [
      'DeleteLogGroup',
      {},
      invalid,
      "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"
    ],
    [
      'PutRetentionPolicy',
      { logGroupName: '/app/a', retentionInDays: 2 },
      invalid,
      /^1 validation error detected: Value '2' at 'retentionInDays'/
    ],
    [
      'PutRetentionPolicy',
      { logGroupName: 'none', retentionInDays: 1 },
      missing,
      'The specified log group does not exist.'
    ],
    [
      'FilterLogEvents',
      { logGroupName: '/app/a', limit: 10_001 },
      invalid,
      "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"
    ],
    ['FilterLogEvents', { logGroupName: '/app/a', limit: '5' }, 'SerializationException', /limit/],
    [
      'FilterLogEvents',
      { logGroupName: '/app/a', logGroupIdentifier: '/app/a' },
      'ValidationException',
      'LogGroup name and LogGroup ARN are mutually exclusive parameters.'
    ],
    ['FilterLogEvents', { logGroupName: '/app/a', filterPattern: '{ $.a' }, invalid, /^Invalid filter pattern: /],
    ['FilterLogEvents', { logGroupName: '/app/a', nextToken: 'none' }, invalid, 'The specified nextToken is invalid.'],
    ['FilterLogEvents', { logGroupName: 'none' }, missing, 'The specified log group does not exist.'],
    [
      'FilterLogEvents',
      { logGroupIdentifier: 'arn:aws:logs:eu-west-1:1:log-group:x' },
      missing,
      'The specified log group does not exist.'
    ],
    [
      'GetLogEvents',
      { logGroupName: '/app/a', logStreamName: 's', nextToken: 'f/1/s' },
      invalid,
      'The specified nextToken is invalid.'
    ],
    [
      'GetLogEvents',
      { logGroupName: '/app/a', logStreamName: 's' },
      missing,
      'The specified log stream does not exist.'
    ],
    [
      'DescribeLogGroups',
      { logGroupNamePrefix: 'a', logGroupNamePattern: 'b' },
      invalid,
      'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'
    ],
    [
      'DescribeLogStreams',
      { logGroupName: '/app/a', logStreamNamePrefix: 'a', orderBy: 'LastEventTime' },
      invalid,
      /^Cannot order by LastEventTime/
    ],
    [
      'DeleteSubscriptionFilter',
      { logGroupName: '/app/a', filterName: 'x' },
      missing,
      'The specified subscription filter does not exist.'
    ],
    [
      'PutSubscriptionFilter',
      {
        logGroupName: '/app/a',
        filterName: 'x',
        filterPattern: '',
        destinationArn: `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/s`
      },
      invalid,
      'destinationArn for vendor kinesis cannot be used without roleArn'
    ],
    [
      'PutSubscriptionFilter',
      {
        logGroupName: '/app/a',
        filterName: 'x',
        filterPattern: '',
        destinationArn: `arn:aws:lambda:${REGION}:123456789012:function:f`
      },
      'AccessDeniedException',
      /^Cross-account lambda invocation/
    ],
    [
      'PutMetricFilter',
      {
        logGroupName: '/app/a',
        filterName: 'x',
        filterPattern: '',
        metricTransformations: [{ metricName: 'a', metricNamespace: 'b', metricValue: 'x' }]
      },
      invalid,
      /^Invalid metricValue/
    ],
    [
      'DeleteMetricFilter',
      { logGroupName: '/app/a', filterName: 'x' },
      missing,
      'The specified metric filter does not exist.'
    ]
  ]
  for (const [operation, body, __type, message] of refusals) {
    t.match(
      await call(operation, body),
      { status: 400, body: { __type, message } },
      `${operation} ${JSON.stringify(body).slice(0, 80)}`
    )
  }
  for (const operation of ['StartQuery', 'StartLiveTail', 'GetQueryResults']) {
    t.match(await call(operation), {
      status: 501,
      body: { __type: 'NotImplementedException', message: new RegExp(operation) }
    })
  }
})

t.test('whoever has not been allowed gets nothing; a group is named by its ARN', async (t) => {
  await plane.inject({
    method: 'PUT',
    url: '/v1/users/reader',
    payload: {
      policies: {
        p: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['logs:FilterLogEvents', 'logs:DescribeLogGroups'],
              Resource: `${arnOf('/aws/lambda/writer')}:*`
            }
          ]
        }
      }
    }
  })
  const key = await plane.inject({ method: 'POST', url: '/v1/keys', payload: { user: 'reader' } })
  const { token } = key.json<{ token: string }>()
  const as = { authorization: `Bearer ${token}` }
  t.match(await call('FilterLogEvents', { logGroupName: '/aws/lambda/writer', limit: 1 }, as), { status: 200 })
  for (const [operation, body] of [
    ['FilterLogEvents', { logGroupName: '/app/a' }],
    ['FilterLogEvents', { logGroupName: 'none' }],
    ['GetLogEvents', { logGroupName: '/aws/lambda/writer', logStreamName: 's' }],
    ['DescribeLogGroups', {}],
    ['DeleteLogGroup', { logGroupName: '/aws/lambda/writer' }],
    ['PutSubscriptionFilter', { logGroupName: '/app/a', filterName: 'x', filterPattern: '', destinationArn: 'x' }],
    ['StartQuery', {}]
  ] as const) {
    t.match(await call(operation, body, as), { status: 400, body: { __type: 'AccessDeniedException' } }, operation)
  }
  t.equal((await plane.inject({ url: '/v1/log-groups', headers: as })).statusCode, 403)
})

t.test('/v1/log-groups', async (t) => {
  const list = (await plane.get('/v1/log-groups?prefix=%2Faws%2F')).json<object>()
  t.match(list, { items: [{ name: '/aws/lambda/writer', retentionDays: null, storedBytes: Number }], nextCursor: null })
  const url = `/v1/log-groups/${encodeURIComponent('/aws/lambda/writer')}`
  const put = (payload: object) => plane.inject({ method: 'PUT', url, payload })
  t.match((await put({ retentionDays: 30 })).json(), { retentionDays: 30, arn: arnOf('/aws/lambda/writer') })
  t.match((await put({ tags: { a: 'b' } })).json(), { retentionDays: 30, tags: { a: 'b' } }, 'what is not said stays')
  t.match((await put({ retentionDays: 2 })).statusCode, 400)
  t.match((await put({ retentionDays: null })).json(), { retentionDays: null })
  t.equal((await plane.inject({ method: 'PUT', url: '/v1/log-groups/new', payload: {} })).statusCode, 201)
  const page = (await plane.get('/v1/log-groups?limit=1')).json<{ nextCursor: string; items: object[] }>()
  t.match((await plane.get(`/v1/log-groups?cursor=${page.nextCursor}`)).json(), { items: Array })
  t.match((await plane.get(`/v1/log-groups?prefix=n&cursor=${page.nextCursor}`)).json(), {
    status: 400,
    code: 'INVALID_REQUEST',
    detail: /for this query/
  })
  t.match((await plane.inject({ method: 'PUT', url: '/v1/log-groups/half', payload: { retentionDays: 2 } })).json(), {
    status: 400,
    code: 'VALIDATION_FAILED'
  })
  t.equal((await plane.get('/v1/log-groups/half')).statusCode, 404, 'nothing is made')
  t.equal((await plane.inject({ method: 'DELETE', url })).statusCode, 204)
  t.match((await plane.get(url)).json(), { code: 'LOG_GROUP_NOT_FOUND', status: 404 })
})

/** Sums of a metric by minute, as CloudWatch's API tells them. */
async function sumsOf(namespace: string, name: string): Promise<readonly (readonly [number, number, number])[]> {
  const response = await plane.inject({
    method: 'POST',
    url: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'GraniteServiceVersion20100801.GetMetricStatistics'
    },
    payload: JSON.stringify({
      Namespace: namespace,
      MetricName: name,
      StartTime: Math.floor(nowMs / 1_000) - 3_600,
      EndTime: Math.floor(nowMs / 1_000) + 60,
      Period: 60,
      Statistics: ['Sum', 'SampleCount']
    })
  })
  const { Datapoints = [] } = response.json<{
    Datapoints?: readonly { Timestamp: number; Sum: number; SampleCount: number }[]
  }>()
  return Datapoints.map(({ Timestamp, Sum, SampleCount }) => [Timestamp * 1_000, Sum, SampleCount] as const).sort(
    ([a], [b]) => a - b
  )
}

t.test('a minute with events and no match has the default value, one without events has none', async (t) => {
  const logGroupName = '/app/defaults'
  await done(t, 'CreateLogGroup', { logGroupName })
  const transformation = { metricNamespace: 'Defaults', metricValue: '$.ms', defaultValue: 7 }
  const filter = (filterName: string, ...metricTransformations: object[]) => ({
    logGroupName,
    filterName,
    filterPattern: '{ $.ms > 10 }',
    metricTransformations
  })
  t.match(
    await call('PutMetricFilter', filter('no', { ...transformation, metricName: 'no', dimensions: { d: '$.d' } })),
    {
      status: 400,
      body: {
        __type: 'InvalidParameterException',
        message: 'Invalid metric transformation: dimensions and default value are mutually exclusive properties.'
      }
    }
  )
  t.match(await logs('DescribeMetricFilters', { logGroupName }), { metricFilters: [] }, 'nothing is left of it')
  await done(t, 'PutMetricFilter', filter('yes', { ...transformation, metricName: 'yes' }))
  const without = { metricNamespace: 'Defaults', metricValue: '1', metricName: 'without', dimensions: { d: '$.d' } }
  await done(t, 'PutMetricFilter', filter('without', without))
  const minute = Math.floor(nowMs / 60_000) * 60_000
  const at = [minute - 240_000, minute - 180_000, minute - 60_000]
  const put = (time: number, ms: number) =>
    writer.put(logGroupName, 's', [{ at: time + 5_000, message: JSON.stringify({ ms, d: 'x' }) }])
  await put(at[0]!, 50)
  await put(at[0]!, 5)
  await put(at[1]!, 5)
  await put(at[2]!, 20)
  await eventually(async () => (await sumsOf('Defaults', 'yes')).length === 2, LIMIT_MS)
  nowMs += 95_000
  const expected = [
    [at[0]!, 50, 1],
    [at[1]!, 7, 1],
    [at[2]!, 20, 1]
  ]
  await eventually(async () => (await sumsOf('Defaults', 'yes')).length === 3, LIMIT_MS)
  t.strictSame(await sumsOf('Defaults', 'yes'), expected)
  t.strictSame(await sumsOf('Defaults', 'without'), [], 'without its dimension it is another metric')
})

t.test(
  'when there are as many custom metrics as may be, logs make no new ones, and go on with those there are',
  async (t) => {
    const put = (from: number, count: number) =>
      plane.inject({
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData'
        },
        payload: JSON.stringify({
          Namespace: 'Many',
          MetricData: Array.from({ length: count }, (_, i) => ({ MetricName: `m${from + i}`, Value: 1 }))
        })
      })
    let full = await put(0, 1_000)
    for (let i = 1_000; full.statusCode === 200 && i <= 50_000; i += 1_000) full = await put(i, 1_000)
    t.match(full.json(), { __type: /LimitExceeded/ })
    t.match(await sumsOf('Many', 'm49999'), [], 'all of a request or nothing')
    let next = 60_000
    for (let count = 512; count >= 1; count /= 2) if ((await put(next, count)).statusCode === 200) next += count
    const logGroupName = '/app/many'
    await done(t, 'CreateLogGroup', { logGroupName })
    const transformation = { metricNamespace: 'Fresh', metricName: 'filtered', metricValue: '1' }
    const filter = { filterName: 'f', filterPattern: 'other', metricTransformations: [transformation] }
    await done(t, 'PutMetricFilter', { logGroupName, ...filter })
    const embedded = (name: string) =>
      JSON.stringify({
        _aws: {
          Timestamp: nowMs,
          CloudWatchMetrics: [{ Namespace: 'Many', Dimensions: [[]], Metrics: [{ Name: name }] }]
        },
        [name]: 5
      })
    const messages = [embedded('fresh'), embedded('m3'), 'other', embedded('m3')]
    await writer.put(
      logGroupName,
      's',
      messages.map((message) => ({ at: nowMs, message }))
    )
    const counts = async () =>
      (await plane.get('/metrics')).body.match(/^hearth_log_metric_values_total.*refused"\} \d+$/gm)?.join('\n')
    await eventually(async () => (await counts())?.includes('source="filter",result="refused"} 1'), LIMIT_MS)
    t.match(await counts(), 'hearth_log_metric_values_total{source="emf",result="refused"} 1')
    t.match((await sumsOf('Many', 'm3')).at(-1)?.slice(1), [11, 3], 'the two beside the first that was there')
    t.strictSame(await sumsOf('Fresh', 'filtered'), [])
  }
)

t.test('how long a function’s log is kept is said with its settings, and is its group’s', async (t) => {
  const source = 'export const handler = () => 1'
  const url = '/v1/functions/kept'
  const groupUrl = (name: string) => `/v1/log-groups/${encodeURIComponent(name)}`
  const patch = (payload: object, headers = {}) => plane.inject({ method: 'PATCH', url, payload, headers })
  t.match((await plane.put('kept.mjs', source)).json(), { logRetentionDays: null })
  t.match((await plane.put('kept.mjs?logRetentionDays=14&dryRun=true', source)).json(), { logRetentionDays: null })
  t.equal((await plane.get(groupUrl('/aws/lambda/kept'))).statusCode, 404, 'a dry run makes no group')
  t.match((await plane.put('kept.mjs?logRetentionDays=14', source)).json(), { logRetentionDays: 14 })
  t.match((await plane.get(groupUrl('/aws/lambda/kept'))).json(), { retentionDays: 14 })
  t.match((await plane.put('kept.mjs', source)).json(), { logRetentionDays: 14 }, 'it stays')
  t.match((await patch({ logRetentionDays: 7 })).json(), { logRetentionDays: 7 })
  await done(t, 'PutRetentionPolicy', { logGroupName: '/aws/lambda/kept', retentionInDays: 30 })
  t.match((await plane.get(url)).json(), { logRetentionDays: 30 }, 'there is one, wherever it is said')
  t.match((await patch({ logGroup: '/shared/kept', logRetentionDays: 5 })).json(), { logRetentionDays: 5 })
  t.match((await plane.get(groupUrl('/aws/lambda/kept'))).json(), { retentionDays: 30 })
  t.match((await patch({ logRetentionDays: null })).json(), { logRetentionDays: null })
  t.match((await plane.put('kept.mjs?logRetentionDays=3653', source)).json(), { logRetentionDays: 3_653 })
  t.match((await plane.put('kept.mjs?logRetentionDays=', source)).json(), { logRetentionDays: null })
  for (const wrong of [2, 0, 3_654, '7', 1.5]) {
    t.equal((await patch({ logRetentionDays: wrong, description: 'changed' })).statusCode, 400, `${wrong}`)
    t.equal((await plane.put(`kept.mjs?logRetentionDays=${wrong === '7' ? 'x' : wrong}`, source)).statusCode, 400)
  }
  t.match((await plane.get(url)).json(), { description: '', logRetentionDays: null }, 'and nothing is changed')
  const stale = await patch({ logRetentionDays: 7 }, { 'if-match': '"old"' })
  t.equal(stale.statusCode, 412)
  const allow = [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }]
  const policies = { lambda: { Version: '2012-10-17', Statement: allow } }
  await plane.inject({ method: 'PUT', url: '/v1/users/deployer', payload: { policies } })
  const key = await plane.inject({ method: 'POST', url: '/v1/keys', payload: { user: 'deployer' } })
  const as = { authorization: `Bearer ${key.json<{ token: string }>().token}` }
  t.equal((await patch({ description: 'mine' }, as)).statusCode, 200)
  t.equal((await patch({ logRetentionDays: 1, description: 'not mine' }, as)).statusCode, 403, 'it is the log group’s')
  t.match((await plane.get(url)).json(), { description: 'mine', logRetentionDays: null })
})
