// A page's cursor is good for the list and the filters that gave it out, in each API.
import t from 'tap'
import { ACCOUNT, ARN, SOURCE, startControlPlane, zipOf } from './support.ts'

type Plane = Awaited<ReturnType<typeof startControlPlane>>

interface Page {
  readonly status: number
  readonly code: string
  /** The answer without its cursor. */
  readonly items: string
  readonly next: string | undefined
}
interface Dialect {
  /** Of a wrong cursor. */
  readonly code: string
  page(plane: Plane, list: string, limit: number, cursor?: string): Promise<Page>
}

/** A list behind a GET, its parameters in the query. */
const rest = (limit: string, cursor: string, next: string, code: string): Dialect => ({
  code,
  async page(plane, list, most, from) {
    const query = `${limit}=${most}${from === undefined ? '' : `&${cursor}=${encodeURIComponent(from)}`}`
    const answer = await plane.get(`${list}${list.includes('?') ? '&' : '?'}${query}`)
    const { [next]: after, ...items } = answer.json<Record<string, string | undefined>>()
    const type = answer.headers['x-amzn-errortype'] ?? items['code']
    return { status: answer.statusCode, code: String(type), items: JSON.stringify(items), next: after ?? undefined }
  }
})

/** An operation in JSON: its name, and its input behind a blank. */
const json = (prefix: string, limit: string, token: string, code: string): Dialect => ({
  code,
  async page(plane, list, most, from) {
    const [operation, input = '{}'] = list.split(/ (.*)/)
    const answer = await plane.inject({
      method: 'POST',
      url: '/',
      headers: { 'x-amz-target': `${prefix}.${operation}`, 'content-type': 'application/x-amz-json-1.1' },
      payload: { ...(JSON.parse(input) as object), [limit]: most, [token]: from }
    })
    const { [token]: next, ...items } = answer.json<Record<string, string | undefined>>()
    const type = String(items['__type']).replace(/^.*#/, '')
    return { status: answer.statusCode, code: type, items: JSON.stringify(items), next }
  }
})

async function callIam(plane: Plane, query: string) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const payload = `Version=2010-05-08&Action=${query}`
  return await plane.inject({ method: 'POST', url: '/', headers, payload })
}
const IAM: Dialect = {
  code: 'ValidationError',
  async page(plane, list, most, from) {
    const { statusCode, body } = await callIam(
      plane,
      `${list}&MaxItems=${most}${from === undefined ? '' : `&Marker=${from}`}`
    )
    const read = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1]
    const items = body.replace(/<Marker>.*?<\/Marker>|<IsTruncated>.*?<\/IsTruncated>|<RequestId>.*?<\/RequestId>/g, '')
    return { status: statusCode, code: read('Code') ?? '', items, next: read('Marker') }
  }
}

const V1 = rest('limit', 'cursor', 'nextCursor', 'INVALID_REQUEST')
const LAMBDA = rest('MaxItems', 'Marker', 'NextMarker', 'InvalidParameterValueException')
const SCHEDULER = rest('MaxResults', 'NextToken', 'NextToken', 'InvalidParameterValueException')
const APIS = rest('maxResults', 'nextToken', 'nextToken', 'BadRequestException')
const EVENTS = json('AWSEvents', 'Limit', 'NextToken', 'ValidationException')
const SECRETS = json('secretsmanager', 'MaxResults', 'NextToken', 'InvalidNextTokenException')
const SSM = json('AmazonSSM', 'MaxResults', 'NextToken', 'InvalidNextTokenException')
const LOGS = json('Logs_20140328', 'limit', 'nextToken', 'InvalidParameterException')
const ALARMS = json('GraniteServiceVersion20100801', 'MaxRecords', 'NextToken', 'InvalidNextToken')

const POLICY = encodeURIComponent('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}')
const TRUST = encodeURIComponent(
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}'
)
const HOST = ['a', 'b', 'c'].map((letter) => letter.repeat(60)).join('.')

/** Two of everything. @returns what its places are called */
async function fill(plane: Plane): Promise<{ readonly apis: readonly string[]; readonly signing: string }> {
  const send = async (method: 'PUT' | 'POST', url: string, payload: object | Buffer = {}, headers = {}) => {
    const answer = await plane.inject({ method, url, payload, headers })
    if (answer.statusCode >= 300) throw new Error(`${url}: ${answer.body}`)
    return answer.body
  }
  const call = async (target: string, input: object) =>
    await send('POST', '/', input, { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' })
  const iam = async (query: string) => {
    const answer = await callIam(plane, query)
    if (answer.statusCode !== 200) throw new Error(`${query}: ${answer.body}`)
  }
  const layer = await zipOf({ 'nodejs/a.js': '' })
  const signed = await send('POST', '/2020-04-22/code-signing-configs', {
    AllowedPublishers: {
      SigningProfileVersionArns: [`arn:aws:signer:us-east-1:${ACCOUNT}:/signing-profiles/p/1234567890`]
    }
  })
  const CodeSigningConfigArn = /arn:aws:lambda:[\w:-]+/.exec(signed)![0]
  const apis: string[] = []
  for (const [index, name] of ['aa', 'bb'].entries()) {
    await plane.put(`${name}.mjs`, SOURCE)
    await send('POST', `/2015-03-31/functions/${name}/versions`)
    for (const alias of ['x', 'y']) {
      await send('POST', `/2015-03-31/functions/${name}/aliases`, { Name: alias, FunctionVersion: '1' })
      const qualified = `functions/${name}/`
      await send('PUT', `/2019-09-25/${qualified}event-invoke-config?Qualifier=${alias}`, { MaximumRetryAttempts: 1 })
      await send('PUT', `/2019-09-30/${qualified}provisioned-concurrency?Qualifier=${alias}`, {
        ProvisionedConcurrentExecutions: 1
      })
      await send('POST', `/2021-10-31/${qualified}url?Qualifier=${alias}`, { AuthType: 'NONE' })
      await send('PUT', `/v1/layers/l${name}?runtimes=nodejs20.x`, layer, {
        'content-type': 'application/zip'
      })
    }
    await send('PUT', `/2020-06-30/functions/${name}/code-signing-config`, { CodeSigningConfigArn })
    if (index === 0) await send('PUT', '/v1/functions/aa/url', { authType: 'NONE' })
    await send('PUT', `/v1/domains/${name}.${HOST}`, { function: 'aa' })
    await send('PUT', `/v1/api-keys/${name}`)
    await send('PUT', `/v1/usage-plans/${name}`)
    await call('GraniteServiceVersion20100801.PutMetricAlarm', {
      AlarmName: name,
      Namespace: 'a',
      MetricName: 'm',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold'
    })
    await call('Logs_20140328.CreateLogGroup', { logGroupName: `g${name}` })
    await call('secretsmanager.CreateSecret', { Name: `s${name}`, SecretString: '1' })
    await call('secretsmanager.PutSecretValue', { SecretId: `s${name}`, SecretString: '2' })
    for (const Value of ['1', '2']) {
      await call('AmazonSSM.PutParameter', { Name: `/p/${name}`, Value, Type: 'String', Overwrite: true })
    }
    if (index === 0) await call('AWSEvents.CreateEventBus', { Name: 'bus' })
    for (const EventBusName of ['default', 'bus']) {
      await call('AWSEvents.PutRule', { Name: name, EventBusName, EventPattern: '{"source":["a"]}' })
      await call('AWSEvents.PutTargets', {
        Rule: name,
        EventBusName,
        Targets: ['aa', 'bb'].map((Id) => ({ Id, Arn: `${ARN}:function:aa` }))
      })
    }
    await call('AWSEvents.CreateArchive', {
      ArchiveName: name,
      EventSourceArn: `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`
    })
    await send('POST', `/schedule-groups/${name}`)
    for (const group of ['aa', 'default']) {
      await send('PUT', `/v1/triggers/schedule/${name}?group=${group}`, { function: 'aa', expression: 'rate(1 day)' })
    }
    await send('PUT', `/v1/triggers/webhook/${name}`, { function: 'aa', verification: { scheme: 'github' } })
    const { apiId } = JSON.parse(await send('POST', '/v2/apis', { name, protocolType: 'HTTP' })) as { apiId: string }
    apis.push(apiId)
    for (const routeKey of ['GET /a', 'GET /b']) await send('POST', `/v2/apis/${apiId}/routes`, { routeKey })
    await iam(
      `CreateUser&UserName=${name}&Path=/p/&Tags.member.1.Key=a&Tags.member.1.Value=&Tags.member.2.Key=b&Tags.member.2.Value=`
    )
    await iam(`CreateRole&RoleName=${name}&Path=/p/&AssumeRolePolicyDocument=${TRUST}`)
    await iam(`CreatePolicy&PolicyName=${name}&PolicyDocument=${POLICY}`)
    await iam(`CreatePolicyVersion&PolicyArn=arn:aws:iam::${ACCOUNT}:policy/${name}&PolicyDocument=${POLICY}`)
    for (const one of ['1', '2']) {
      await iam(`PutUserPolicy&UserName=${name}&PolicyName=${one}&PolicyDocument=${POLICY}`)
      await iam(`CreateAccessKey&UserName=${name}`)
    }
  }
  for (const UserName of ['aa', 'bb']) {
    for (const policy of ['aa', 'bb']) {
      await iam(`AttachUserPolicy&UserName=${UserName}&PolicyArn=arn:aws:iam::${ACCOUNT}:policy/${policy}`)
    }
  }
  return { apis, signing: CodeSigningConfigArn }
}

t.test('a cursor of another list, or of other filters, is refused everywhere', async (t) => {
  const plane = await startControlPlane(t)
  const { apis, signing } = await fill(plane)
  const policy = `PolicyArn=arn:aws:iam::${ACCOUNT}:policy`
  const lists: readonly (readonly [Dialect, ...(readonly string[])])[] = [
    [
      V1,
      '/v1/functions',
      ...['aa', 'bb'].flatMap((name) =>
        ['versions', 'aliases', 'event-invoke-configs', 'provisioned-concurrency'].map(
          (list) => `/v1/functions/${name}/${list}`
        )
      ),
      ...['', '/laa/versions', '/lbb/versions'].map((list) => `/v1/layers${list}`),
      ...['domains', 'secrets', 'api-keys', 'usage-plans'].map((list) => `/v1/${list}`),
      ...['users', 'users?pathPrefix=/p/', 'roles', 'roles?pathPrefix=/p/'].map((list) => `/v1/${list}`),
      ...['alarms', 'alarms?state=INSUFFICIENT_DATA', 'log-groups', 'log-groups?prefix=g'].map((list) => `/v1/${list}`),
      ...['', '?kind=event', '?function=aa', '/event', '/event?bus=bus', '/webhook'].map(
        (list) => `/v1/triggers${list}`
      ),
      ...['schedule', 'schedule?group=aa'].map((list) => `/v1/triggers/${list}`)
    ],
    [
      LAMBDA,
      '/2015-03-31/functions',
      '/2015-03-31/functions?FunctionVersion=ALL',
      ...['aa', 'bb'].flatMap((name) => [
        `/2015-03-31/functions/${name}/versions`,
        `/2015-03-31/functions/${name}/aliases`,
        `/2015-03-31/functions/${name}/aliases?FunctionVersion=1`,
        `/2019-09-25/functions/${name}/event-invoke-config/list`,
        `/2019-09-30/functions/${name}/provisioned-concurrency?List=ALL`,
        `/2021-10-31/functions/${name}/urls`,
        `/2018-10-31/layers/l${name}/versions`
      ]),
      '/2018-10-31/layers',
      '/2018-10-31/layers?CompatibleRuntime=nodejs20.x',
      `/2020-04-22/code-signing-configs/${encodeURIComponent(signing)}/functions`
    ],
    [SCHEDULER, '/schedules', '/schedules?ScheduleGroup=aa', '/schedules?State=ENABLED', '/schedule-groups'],
    [APIS, '/v2/apis', ...apis.map((id) => `/v2/apis/${id}/routes`)],
    [
      EVENTS,
      'ListEventBuses',
      'ListRules',
      'ListRules {"EventBusName":"bus"}',
      'ListTargetsByRule {"Rule":"aa"}',
      'ListTargetsByRule {"Rule":"bb"}',
      'ListTargetsByRule {"Rule":"aa","EventBusName":"bus"}',
      `ListRuleNamesByTarget {"TargetArn":"${ARN}:function:aa"}`,
      'ListArchives'
    ],
    [
      SECRETS,
      'ListSecrets',
      'ListSecrets {"SortOrder":"asc"}',
      'ListSecrets {"Filters":[{"Key":"name","Values":["s"]}]}',
      'ListSecretVersionIds {"SecretId":"saa"}',
      'ListSecretVersionIds {"SecretId":"sbb"}',
      'BatchGetSecretValue {"SecretIdList":["saa","sbb"]}'
    ],
    [
      SSM,
      'DescribeParameters',
      'GetParametersByPath {"Path":"/p"}',
      'GetParametersByPath {"Path":"/","Recursive":true}',
      'GetParameterHistory {"Name":"/p/aa"}',
      'GetParameterHistory {"Name":"/p/bb"}'
    ],
    [LOGS, 'DescribeLogGroups', 'DescribeLogGroups {"logGroupNamePrefix":"g"}', 'ListLogGroups'],
    [ALARMS, 'DescribeAlarms', 'DescribeAlarms {"AlarmTypes":["MetricAlarm"]}', 'DescribeAlarmHistory'],
    [
      IAM,
      'ListUsers',
      'ListUsers&PathPrefix=/p/',
      'ListRoles',
      'ListRoles&PathPrefix=/p/',
      'ListPolicies&Scope=Local',
      'ListPolicies&Scope=AWS',
      'ListPolicies&OnlyAttached=true',
      ...['aa', 'bb'].flatMap((name) => [
        `ListPolicyVersions&${policy}/${name}`,
        `ListEntitiesForPolicy&${policy}/${name}`,
        `ListUserTags&UserName=${name}`,
        `ListUserPolicies&UserName=${name}`,
        `ListAttachedUserPolicies&UserName=${name}`,
        `ListAccessKeys&UserName=${name}`
      ])
    ]
  ]

  const all: { readonly dialect: Dialect; readonly list: string; readonly next: string }[] = []
  for (const [dialect, ...own] of lists) {
    for (const list of own) {
      const first = await dialect.page(plane, list, 1)
      const { next = '' } = first
      t.equal(first.status, 200, list)
      t.not(next, '', `${list} has more: ${first.items}`)
      const second = await dialect.page(plane, list, 3, next)
      t.equal(second.status, 200, `${list} goes on, with another size of pages`)
      t.not(second.items, first.items, list)
      all.push({ dialect, list, next })
    }
  }
  t.equal(new Set(all.map(({ next }) => next)).size, all.length, 'no two have the same')
  // Beside a list stand the same of another parent, with other filters, and of the next dialect.
  for (const [index, { dialect, list }] of all.entries()) {
    for (const apart of [1, 2, 4, 7, 11]) {
      const other = all[(index + apart) % all.length]!
      const refused = await dialect.page(plane, list, 1, other.next)
      t.match(refused, { status: 400, code: dialect.code }, `${list} with the cursor of ${other.list}`)
    }
  }
})
