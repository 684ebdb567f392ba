// CloudWatch Logs as its clients use it: AWS's SDK, outside and inside of functions, and the AWS CLI.
import { execFile, spawn } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DescribeSubscriptionFiltersCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  InvalidParameterException,
  LimitExceededException,
  PutLogEventsCommand,
  PutSubscriptionFilterCommand,
  paginateFilterLogEvents,
  ResourceNotFoundException
} from '@aws-sdk/client-cloudwatch-logs'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { awsClis, runAws } from '../helpers/aws-clis.ts'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

t.setTimeout(180_000)
const run = promisify(execFile)
const ACCOUNT = '000000000000'
const TALKER = '/aws/lambda/talker'
const DAY_MS = 86_400_000

const hearth = await startHearth()
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
const send: typeof client.send = client.send.bind(client)
const say = async (text: string) => {
  t.equal((await hearth.invoke('talker', { text })).status, 200)
}
/** Lines are on disk a moment after they were written. */
const found = async (logGroupName: string, filterPattern: string) =>
  await eventually(async () => {
    const { events = [] } = await send(new FilterLogEventsCommand({ logGroupName, filterPattern })).catch(
      (err: unknown) => {
        // Functions make their group by writing.
        if (err instanceof ResourceNotFoundException) return { events: [] }
        throw err
      }
    )
    return events.length > 0 ? events : undefined
  })

/** Logs what its event says, and puts events in a group as its role. */
const TALKER_SOURCE = `
import { CloudWatchLogsClient, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
export const handler = async ({ text, put }) => {
  // As it is: the runtime would put the time and the request's id before it.
  if (put === undefined) return void process.stdout.write(JSON.stringify({ text, length: text.length }) + '\\n')
  const logEvents = [{ timestamp: Date.now(), message: 'from inside' }]
  try {
    const client = new CloudWatchLogsClient({ maxAttempts: 1 })
    await client.send(new PutLogEventsCommand({ logGroupName: put, logStreamName: 's', logEvents }))
    return 'put'
  } catch (error) {
    return error.name
  }
}`
const COLLECTOR_SOURCE = `
import { gunzipSync } from 'node:zlib'
export const handler = async ({ awslogs }) => {
  const message = JSON.parse(gunzipSync(Buffer.from(awslogs.data, 'base64')))
  console.log('received', message.messageType)
}`

t.before(async () => {
  const role = await hearth.request('/v1/roles/talker', {
    method: 'PUT',
    body: JSON.stringify({
      policies: {
        logs: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: 'logs:PutLogEvents',
              Resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/own:*`
            }
          ]
        }
      }
    })
  })
  t.equal(role.status, 201, await role.text())
  const { outputFiles } = await build({
    stdin: { contents: TALKER_SOURCE, resolveDir: path.join(ROOT, 'test') },
    bundle: true,
    platform: 'node',
    write: false
  })
  const zip = await zipOf({ 'index.js': outputFiles[0]!.text })
  const talker = await hearth.deploy('talker', zip, `memory=512&role=arn:aws:iam::${ACCOUNT}:role/talker`)
  t.equal(talker.status, 201, await talker.text())
  t.equal((await hearth.deploy('collector', COLLECTOR_SOURCE)).status, 201)
  for (const text of ['one', 'two', 'three']) await say(text)
  await found(TALKER, 'three')
})

t.test("AWS's SDK puts events and reads them again", async (t) => {
  const own = { logGroupName: '/own', logStreamName: 's' }
  const now = Date.now()
  const put = (timestamps: readonly number[], more: object = {}) =>
    send(
      new PutLogEventsCommand({
        ...own,
        ...more,
        logEvents: timestamps.map((timestamp, i) => ({ timestamp, message: `put ${i}` }))
      })
    )
  await t.rejects(put([now]), { name: 'ResourceNotFoundException', message: 'The specified log group does not exist.' })
  await send(new CreateLogGroupCommand({ logGroupName: '/own' }))
  await t.rejects(put([now]), {
    name: 'ResourceNotFoundException',
    message: 'The specified log stream does not exist.'
  })
  await send(new CreateLogStreamCommand(own))
  const taken = await put([now - 3, now - 2, now - 1])
  t.equal(taken.rejectedLogEventsInfo, undefined)
  t.match((await put([now - 15 * DAY_MS, now - 14.5 * DAY_MS])).rejectedLogEventsInfo, { tooOldLogEventEndIndex: 2 })
  t.match((await put([now, now + 3 * 3_600_000])).rejectedLogEventsInfo, { tooNewLogEventStartIndex: 1 })
  await t.rejects(put([now, now - 1]), {
    name: 'InvalidParameterException',
    message: 'Log events in a single PutLogEvents request must be in chronological order.'
  })
  await t.rejects(put([now - 2 * DAY_MS, now]), /cannot span more than 24 hours/)
  await t.rejects(put([]), /'logEvents' failed to satisfy constraint: Member must have length greater/)
  const { events } = await send(new GetLogEventsCommand({ ...own, startFromHead: true }))
  t.strictSame(
    events?.map(({ message, timestamp }) => [message, timestamp]),
    [
      ['put 0', now - 3],
      ['put 1', now - 2],
      ['put 2', now - 1],
      ['put 0', now]
    ],
    'on disk when they are answered'
  )
  const pages: (string | undefined)[][] = []
  for await (const page of paginateFilterLogEvents({ client, pageSize: 3 }, { logGroupName: '/own' })) {
    pages.push(page.events?.map(({ message }) => message) ?? [])
  }
  t.strictSame(pages, [['put 0', 'put 1', 'put 2'], ['put 0']])
  const wrong = send(new FilterLogEventsCommand({ logGroupName: '/own', filterPattern: '{ $.a > }' }))
  await t.rejects(wrong, InvalidParameterException)
  await t.rejects(send(new FilterLogEventsCommand({ logGroupName: '/none' })), ResourceNotFoundException)
})

t.test('a function puts events as its role, and no others', async (t) => {
  await send(new CreateLogGroupCommand({ logGroupName: '/foreign' }))
  await send(new CreateLogStreamCommand({ logGroupName: '/foreign', logStreamName: 's' }))
  const ask = async (put: string) => (await hearth.invoke('talker', { put })).json()
  t.equal(await ask('/own'), 'put')
  t.equal(await ask('/foreign'), 'AccessDeniedException')
  t.match(await found('/own', '"from inside"'), [{ logStreamName: 's' }])
})

t.test('a subscription filter goes to a function that lets Logs in, which is told at once', async (t) => {
  const destinationArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:collector`
  const subscribe = (filterName: string, arn = destinationArn) =>
    send(
      new PutSubscriptionFilterCommand({
        logGroupName: '/own',
        filterName,
        filterPattern: 'ERROR',
        destinationArn: arn
      })
    )
  await t.rejects(subscribe('a'), {
    name: 'InvalidParameterException',
    message: /^Could not execute the lambda function/
  })
  await t.rejects(subscribe('a', `${destinationArn}-none`), {
    name: 'AccessDeniedException',
    message: /^Cross-account/
  })
  t.strictSame((await send(new DescribeSubscriptionFiltersCommand({ logGroupName: '/own' }))).subscriptionFilters, [])
  const allowed = await hearth.request('/2015-03-31/functions/collector/policy', {
    method: 'POST',
    body: JSON.stringify({
      StatementId: 'logs',
      Action: 'lambda:InvokeFunction',
      Principal: 'logs.amazonaws.com',
      SourceArn: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/own:*`
    })
  })
  t.equal(allowed.status, 201)
  await subscribe('a')
  await found('/aws/lambda/collector', '"received CONTROL_MESSAGE"')
  await subscribe('b')
  await t.rejects(subscribe('c'), LimitExceededException)
  const { subscriptionFilters } = await send(new DescribeSubscriptionFiltersCommand({ logGroupName: '/own' }))
  t.match(subscriptionFilters, [{ filterName: 'a', destinationArn, distribution: 'ByLogStream' }, { filterName: 'b' }])
  await send(new DeleteLogGroupCommand({ logGroupName: '/own' }))
  await t.rejects(send(new DescribeSubscriptionFiltersCommand({ logGroupName: '/own' })), ResourceNotFoundException)
})

for (const cli of awsClis()) {
  const env = {
    PATH: process.env['PATH'],
    HOME: t.testdirName,
    AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: '',
    PYTHONUNBUFFERED: '1'
  }
  t.test(`the AWS CLI (${cli}) describes, filters, tails`, async (t) => {
    const { stdout: version } = await run(cli, ['--version'], { env })
    const aws = async (...args: string[]) => {
      const { stdout } = await runAws(cli, ['logs', ...args, '--endpoint-url', hearth.url], { env })
      return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Record<string, never>)
    }
    // The first version has no such command. It reads every 5 seconds: the other commands come meanwhile.
    const tail = version.includes('aws-cli/2') ? startTail(t, cli, env) : undefined
    const ofTalker = ['--log-group-name', TALKER]
    await aws('put-retention-policy', ...ofTalker, '--retention-in-days', '30')
    t.match(await aws('describe-log-groups', '--log-group-name-prefix', '/aws/lambda/t'), {
      logGroups: [{ logGroupName: TALKER, retentionInDays: 30, storedBytes: Number }]
    })
    const { logStreams } = (await aws('describe-log-streams', ...ofTalker)) as unknown as {
      logStreams: { logStreamName: string }[]
    }
    const stream = logStreams[0]!.logStreamName
    t.match(stream, /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/)
    t.match(await aws('filter-log-events', ...ofTalker, '--filter-pattern', '{ $.text = t* && $.length > 3 }'), {
      events: [{ message: /"text":"three"/, logStreamName: stream, eventId: /^\d+$/ }]
    })
    const read = await aws('get-log-events', ...ofTalker, '--log-stream-name', stream, '--start-from-head')
    t.match(read, { events: Array, nextForwardToken: /^f\//, nextBackwardToken: /^b\// })

    if (tail === undefined) {
      t.comment('aws logs tail is of the second version')
      return
    }
    await eventually(() => tail.count('three') > 0)
    await say('followed')
    await eventually(() => tail.count('followed') > 0)
    const counts = ['one', 'two', 'three', 'followed'].map((text) => tail.count(text))
    t.strictSame(counts, [1, 1, 1, 1], 'each of them once')
    t.match(tail.seen(), `${stream} START RequestId: `)
  })
}

/** `aws logs tail --follow`, as it prints. */
function startTail(t: Test, cli: string, env: NodeJS.ProcessEnv) {
  const tail = spawn(cli, ['logs', 'tail', TALKER, '--follow', '--since', '1h', '--endpoint-url', hearth.url], { env })
  t.teardown(() => tail.kill('SIGKILL'))
  let seen = ''
  tail.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text
  })
  return { seen: () => seen, count: (text: string) => seen.split(`"text":"${text}"`).length - 1 }
}
