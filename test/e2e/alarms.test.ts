// Alarms on a whole server: the AWS CLI sets one on a function's errors, which calls another function; the control plane is
// killed between a change of state and its action.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import t from 'tap'
import { awsClis, runAws } from '../helpers/aws-clis.ts'
import { eventually, startHearth } from '../helpers/hearth.ts'

t.setTimeout(300_000)
const SCOPE = 'us-east-1:000000000000'
const arnOf = (name: string) => `arn:aws:cloudwatch:${SCOPE}:alarm:${name}`

interface Post {
  readonly path: string
  readonly id: string
  readonly body: Record<string, unknown>
  readonly res: ServerResponse
}
const posts: Post[] = []
let answers = true
const receiver = createServer((req, res) => {
  let text = ''
  req.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  req.on('end', () => {
    posts.push({
      path: req.url ?? '',
      id: String(req.headers['webhook-id']),
      body: JSON.parse(text) as Record<string, unknown>,
      res
    })
    if (answers) res.writeHead(204).end()
  })
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
t.teardown(() => {
  receiver.closeAllConnections()
  receiver.close()
})
const hook = (where: string) => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${where}`
/** Events that a function was run with, as its destination is told of them. */
const runsOf = (name: string) =>
  posts.filter(({ path }) => path === `/${name}`).map(({ body }) => body['requestPayload'])

const [cli] = awsClis()

const hearth = await startHearth({ env: { HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8' } })
t.teardown(() => hearth.stop())
t.test('one function fails, others are called', async (t) => {
  t.ok((await hearth.deploy('failing.mjs', 'export const handler = async () => { throw new Error("no") }')).ok)
  await hearth.invoke('failing', {})
  for (const name of ['pager', 'watcher']) {
    t.ok((await hearth.deploy(`${name}.mjs`, 'export const handler = async () => "ok"')).ok)
    const told = await hearth.request(`/v1/functions/${name}/event-invoke-config`, {
      method: 'PUT',
      body: JSON.stringify({ onSuccess: { webhook: { url: hook(name) } } })
    })
    t.ok(told.ok, await told.text())
  }
  const rule = await hearth.request('/v1/triggers/event/changes', {
    method: 'PUT',
    body: JSON.stringify({
      function: 'watcher',
      pattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { state: { value: ['ALARM'] } }
      }
    })
  })
  t.ok(rule.ok, await rule.text())
})

t.test(
  'whatever kills the control plane: an action is not lost, and its receiver can tell that it is the same',
  async (t) => {
    posts.length = 0
    const put = await hearth.request('/v1/alarms/crash', {
      method: 'PUT',
      body: JSON.stringify({
        metric: { namespace: 'Shop', name: 'none' },
        statistic: 'Sum',
        threshold: 1,
        comparison: '>',
        missingData: 'ignore',
        actions: { alarm: [{ webhook: { url: hook('held') } }, { function: 'pager' }] }
      })
    })
    t.equal(put.status, 201)
    t.match(((await put.json()) as { hints: string[] }).hints, [/^No value of Shop none/], 'the function would take it')
    answers = false
    const set = await hearth.request('/', {
      method: 'POST',
      headers: {
        'x-amz-target': 'GraniteServiceVersion20100801.SetAlarmState',
        'content-type': 'application/x-amz-json-1.0'
      },
      body: JSON.stringify({ AlarmName: 'crash', StateValue: 'ALARM', StateReason: 'by hand' })
    })
    t.equal(set.status, 200, await set.text())
    const first = await eventually(() => posts.find(({ path }) => path === '/held'), 30_000)
    const { controlPlane } = hearth.pids()
    process.kill(controlPlane, 'SIGKILL')
    answers = true
    for (const { res } of posts) res.writeHead(204).end()
    const again = await eventually(() => posts.find((post) => post.path === '/held' && post !== first), 60_000)
    t.equal(again.id, first.id)
    t.strictSame(again.body, first.body)
    const items = await eventually(async () => {
      const answer = await hearth.request('/v1/alarms/crash/history').catch(() => undefined)
      if (answer?.status !== 200) return false
      const { items } = (await answer.json()) as { items: { type: string; summary: string }[] }
      return items.filter(({ type }) => type === 'Action').length === 2 && items
    }, 30_000)
    t.equal(items.filter(({ type }) => type === 'StateUpdate').length, 1)
    await eventually(() => runsOf('pager').length > 0, 30_000)
    t.equal(runsOf('pager').length, 1, 'the function was run once')
    t.match(await (await hearth.request('/v1/alarms/crash')).json(), { state: 'ALARM', reason: 'by hand' })
    t.equal((await hearth.request('/v1/alarms/crash', { method: 'DELETE' })).status, 204)
  }
)

t.test(
  'AWS CLI: an alarm on errors goes off and calls a function',
  { skip: cli === undefined && 'aws is not on PATH' },
  async (t) => {
    posts.length = 0
    const HOME = t.testdir()
    const aws = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await runAws(cli!, ['--endpoint-url', hearth.url, '--output', 'json', ...args], {
        env: {
          PATH: process.env['PATH'],
          HOME,
          AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_PAGER: ''
        }
      })
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    }
    const principal = 'lambda.alarms.cloudwatch.amazonaws.com'
    const permission = ['--statement-id', 'alarm', '--action', 'lambda:InvokeFunction', '--principal', principal]
    await aws('lambda', 'add-permission', '--function-name', 'pager', ...permission, '--source-arn', arnOf('errors'))
    const metric = [
      '--namespace',
      'AWS/Lambda',
      '--metric-name',
      'Errors',
      '--dimensions',
      'Name=FunctionName,Value=failing'
    ]
    const when = ['--statistic', 'Sum', '--period', '60', '--evaluation-periods', '1', '--threshold', '1']
    const how = ['--comparison-operator', 'GreaterThanOrEqualToThreshold', '--treat-missing-data', 'notBreaching']
    const action = ['--alarm-actions', `arn:aws:lambda:${SCOPE}:function:pager`, '--tags', 'Key=team,Value=a']
    await aws('cloudwatch', 'put-metric-alarm', '--alarm-name', 'errors', ...metric, ...when, ...how, ...action)
    t.strictSame(await aws('cloudwatch', 'list-tags-for-resource', '--resource-arn', arnOf('errors')), {
      Tags: [{ Key: 'team', Value: 'a' }]
    })
    // A minute is measured when it is over.
    await eventually(() => runsOf('pager').length > 0, 150_000)
    t.match(runsOf('pager'), [
      {
        source: 'aws.cloudwatch',
        alarmArn: arnOf('errors'),
        alarmData: {
          state: { value: 'ALARM', reason: /^Threshold Crossed: 1 datapoint \[1\.0 \(/ },
          configuration: {
            metrics: [{ metricStat: { metric: { name: 'Errors', dimensions: { FunctionName: 'failing' } } } }]
          }
        }
      }
    ])
    t.match(await aws('cloudwatch', 'describe-alarms', '--alarm-names', 'errors', '--state-value', 'ALARM'), {
      MetricAlarms: [{ AlarmName: 'errors', Threshold: 1, Dimensions: [{ Name: 'FunctionName', Value: 'failing' }] }]
    })
    const history = (await aws(
      'cloudwatch',
      'describe-alarm-history',
      '--alarm-name',
      'errors',
      '--history-item-type',
      'Action'
    )) as {
      AlarmHistoryItems: { HistorySummary: string }[]
    }
    t.match(history.AlarmHistoryItems, [
      { HistorySummary: /^Successfully executed action arn:aws:lambda:.*:function:pager$/ }
    ])
    await eventually(() => runsOf('watcher').length > 0)
    t.match(runsOf('watcher')[0], {
      resources: [arnOf('errors')],
      detail: { alarmName: 'errors', state: { value: 'ALARM' } }
    })
    await aws(
      'cloudwatch',
      'set-alarm-state',
      '--alarm-name',
      'errors',
      '--state-value',
      'OK',
      '--state-reason',
      'by hand'
    )
    await aws('cloudwatch', 'disable-alarm-actions', '--alarm-names', 'errors')
    await aws('cloudwatch', 'delete-alarms', '--alarm-names', 'errors')
    t.strictSame(await aws('cloudwatch', 'describe-alarms'), { MetricAlarms: [], CompositeAlarms: [] })
  }
)
