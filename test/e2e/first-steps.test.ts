import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  ResourceNotFoundException,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2
} from '@aws-sdk/client-lambda'
import t from 'tap'
import { awsClis, runAws } from '../helpers/aws-clis.ts'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

const run = promisify(execFile)
t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

const RUNTIME = `nodejs${process.versions.node.split('.')[0]}.x` as 'nodejs20.x'
const ROLE = 'arn:aws:iam::000000000000:role/hearth-default'

t.test('the lines that npm start prints work as printed', async (t) => {
  const dir = t.testdir()
  const printed = /\n {2}(export HEARTH_TOKEN[\s\S]*?)\n\n/.exec(hearth.output())?.[1] ?? ''
  t.match(printed, /curl -T hello\.mjs/)
  // What a person would type, in a shell, in another folder; the key's file is named relative to where npm start ran.
  const script = printed.replace(/cat \S+token/, `cat ${hearth.dataDir}/token`)
  const { stdout } = await run('bash', ['-euc', script.replaceAll('curl ', 'curl -sS ')], { cwd: dir })
  t.match(stdout, /"name":\s*"hello"/)
  t.match(stdout, /Hello, Ada!$/)
})

t.test('every operation that the description names is there, on the one port', async (t) => {
  const { paths } = (await (await fetch(`${hearth.url}/openapi.json`)).json()) as { paths: Record<string, object> }
  for (const [route, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      // No such function and an empty body: refused, but by the operation and not for want of it.
      const answer = await hearth.request(route.replace('{name}', 'nobody'), { method: method.toUpperCase() })
      const { code } = (await answer.json().catch(() => ({}))) as { code?: string }
      t.not(code, 'ROUTE_NOT_FOUND', `${method} ${route}`)
      t.not(answer.status, 405, `${method} ${route}`)
      t.ok(answer.status < 500, `${method} ${route}: ${answer.status}`)
    }
  }
  t.ok(Object.keys(paths).length >= 10)
})

t.test('the examples deploy as they are and do what they say', async (t) => {
  const deploy = async (file: string) => {
    const source = readFileSync(path.join(ROOT, 'examples', file))
    const answer = await hearth.request(`/v1/functions/${file}?memory=256`, { method: 'PUT', body: source })
    t.ok(answer.ok, `${file}: ${await answer.text()}`)
  }
  await deploy('hello.mjs')
  const hello = await hearth.request('/fn/hello', { method: 'POST', body: '{"name":"Grace"}' })
  t.equal(await hello.text(), 'Hello, Grace!')
  await deploy('sum.ts')
  t.same(await (await hearth.request('/fn/sum?a=1&b=41')).json(), { sum: 42 })
  t.equal((await hearth.request('/fn/sum?a=x')).status, 400)
  await deploy('visits.cjs')
  for (const visits of [1, 2]) {
    const answer = await hearth.request('/fn/visits/any/path')
    t.match(await answer.json(), { visits, requestId: answer.headers.get('x-amzn-requestid') })
    t.equal(answer.headers.get('set-cookie'), `visits=${visits}; Path=/`)
  }
})

t.test('log levels that a deploy sets hold for the function and for the platform', async (t) => {
  const source = "export const handler = async () => { console.info('quiet'); console.error('loud') }\n"
  const linesOf = async (name: string, query: string) => {
    t.equal((await hearth.deploy(`${name}.mjs`, source, query)).status, 201, query)
    // Lines come in order: with the second event's, all of the first one's are there.
    for (let n = 0; n < 2; n++) t.equal((await hearth.invoke(name, {})).status, 200)
    return await eventually(async () => {
      const text = await (await hearth.request(`/v1/functions/${name}/logs`)).text()
      return text.split('loud').length === 3 ? text : undefined
    })
  }
  const all = await linesOf('levels-info', 'logFormat=JSON&systemLogLevel=INFO')
  for (const part of ['quiet', 'platform.start', 'platform.report']) t.match(all, part)
  const few = await linesOf('levels-warn', 'logFormat=JSON&logLevel=ERROR&systemLogLevel=WARN')
  for (const part of ['quiet', 'platform.start', 'platform.report', 'platform.initStart']) t.notMatch(few, part)
})

t.test('the data folder keeps its secrets to itself', async (t) => {
  t.equal(statSync(hearth.dataDir).mode & 0o777, 0o700)
  for (const file of ['token', 'credentials', 'master.key']) {
    t.equal(statSync(path.join(hearth.dataDir, file)).mode & 0o777, 0o600, file)
  }
  const secrets = [
    hearth.token,
    hearth.secretAccessKey,
    readFileSync(path.join(hearth.dataDir, 'master.key'), 'utf8').trim()
  ]
  const commandLines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  for (const secret of secrets) t.notOk(commandLines.includes(secret), 'no secret in the arguments of a process')
  const [, ...rest] = hearth.output().split(hearth.token)
  t.equal(rest.length, 1, 'the key is printed exactly once')
})

t.test('the AWS SDK for JavaScript deploys, waits, invokes, updates and deletes', async (t) => {
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId: hearth.accessKeyId, secretAccessKey: hearth.secretAccessKey },
    maxAttempts: 1
  })
  t.teardown(() => client.destroy())
  const FunctionName = 'sdk'
  const invoke = async (payload: object, options: object = {}) => {
    const answer = await client.send(
      new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(payload)), ...options })
    )
    return { ...answer, value: JSON.parse(Buffer.from(answer.Payload ?? []).toString() || 'null') as unknown }
  }

  const created = await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: RUNTIME,
      Handler: 'index.handler',
      Role: ROLE,
      Code: {
        ZipFile: await zipOf({
          'index.js':
            'exports.handler = async (e) => { console.log("got", e.n); return { n: e.n + 1, v: process.env.WORD } }'
        })
      },
      Environment: { Variables: { WORD: 'one' } }
    })
  )
  t.match(created, { State: 'Pending', Version: '$LATEST', MemorySize: 128, Timeout: 3 })
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName })

  const first = await invoke({ n: 1 }, { LogType: 'Tail' })
  t.match(first, { StatusCode: 200, ExecutedVersion: '$LATEST', value: { n: 2, v: 'one' } })
  t.notOk(first.FunctionError)
  t.match(
    Buffer.from(first.LogResult ?? '', 'base64').toString(),
    /START RequestId[\s\S]*INFO\tgot 1\nEND RequestId[\s\S]*REPORT RequestId/
  )
  t.equal(
    first.$metadata.requestId,
    /START RequestId: (\S+)/.exec(Buffer.from(first.LogResult ?? '', 'base64').toString())?.[1]
  )

  await client.send(
    new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { WORD: 'two' } }, Timeout: 5 })
  )
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName })
  t.match((await invoke({ n: 2 })).value, { n: 3, v: 'two' })

  await client.send(
    new UpdateFunctionCodeCommand({
      FunctionName,
      ZipFile: await zipOf({ 'index.mjs': 'export const handler = async () => { throw new RangeError("new") }' })
    })
  )
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName })
  t.match(await invoke({}), {
    StatusCode: 200,
    FunctionError: 'Unhandled',
    value: { errorType: 'RangeError', errorMessage: 'new' }
  })
  t.match(await client.send(new InvokeCommand({ FunctionName, InvocationType: 'DryRun' })), { StatusCode: 204 })

  const { Code, Configuration } = await client.send(new GetFunctionCommand({ FunctionName, Qualifier: '$LATEST' }))
  t.match(Configuration, { State: 'Active', LastUpdateStatus: 'Successful', Timeout: 5 })
  const download = await fetch(Code?.Location ?? '')
  t.equal(
    Buffer.from(await download.arrayBuffer()).length,
    Configuration?.CodeSize,
    'the package comes back from its signed link'
  )
  const { Functions } = await client.send(new ListFunctionsCommand({}))
  t.ok(Functions?.some((f) => f.FunctionName === FunctionName))

  await client.send(new DeleteFunctionCommand({ FunctionName }))
  await t.rejects(invoke({}), ResourceNotFoundException)
})

for (const cli of awsClis()) {
  t.test(`the AWS CLI (${version(cli)}) does the same with the credentials file`, async (t) => {
    const dir = t.testdir()
    const env = {
      PATH: process.env['PATH'],
      HOME: dir,
      AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: ''
    }
    const aws = async (...args: string[]) => {
      const { stdout } = await runAws(cli, ['lambda', ...args, '--endpoint-url', hearth.url], { cwd: dir, env })
      return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>)
    }
    const isV2 = version(cli).includes('aws-cli/2')
    const payload = ['--payload', '{"n":41}', ...(isV2 ? ['--cli-binary-format', 'raw-in-base64-out'] : [])]
    const name = `cli${isV2 ? 2 : 1}`
    writeFileSync(path.join(dir, 'fn.zip'), await zipOf({ 'app.js': 'exports.go = async (e) => e.n + 1' }))
    t.match(
      await aws(
        'create-function',
        '--function-name',
        name,
        '--runtime',
        RUNTIME,
        '--handler',
        'app.go',
        '--role',
        ROLE,
        '--zip-file',
        'fileb://fn.zip'
      ),
      { FunctionName: name, State: 'Pending' }
    )
    await aws('wait', 'function-active', '--function-name', name)
    t.match(await aws('invoke', '--function-name', name, ...payload, 'out.json'), { StatusCode: 200 })
    t.equal(readFileSync(path.join(dir, 'out.json'), 'utf8'), '42')
    t.match(await aws('update-function-configuration', '--function-name', name, '--memory-size', '256'), {
      MemorySize: 256
    })
    await aws('wait', 'function-updated', '--function-name', name)
    writeFileSync(path.join(dir, 'fn.zip'), await zipOf({ 'app.js': 'exports.go = async (e) => e.n + 2' }))
    await aws('update-function-code', '--function-name', name, '--zip-file', 'fileb://fn.zip')
    await aws('wait', 'function-updated', '--function-name', name)
    await aws('invoke', '--function-name', name, ...payload, 'out.json')
    t.equal(readFileSync(path.join(dir, 'out.json'), 'utf8'), '43')
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`
    await aws('tag-resource', '--resource', arn, '--tags', 'team=a,stage=test')
    await aws('untag-resource', '--resource', arn, '--tag-keys', 'stage')
    t.strictSame(await aws('list-tags', '--resource', arn), { Tags: { team: 'a' } })
    t.match(await aws('get-account-settings'), {
      AccountLimit: { CodeSizeZipped: 52_428_800 },
      AccountUsage: { FunctionCount: Number }
    })
    const refused = await aws('list-event-source-mappings', '--function-name', name).catch(
      (error: unknown) => (error as { stderr: string }).stderr
    )
    t.match(refused, /\(NotImplementedException\).*ListEventSourceMappings is not supported by this server: /)
    await aws('delete-function', '--function-name', name)
    const gone = await aws('get-function', '--function-name', name).catch(
      (error: unknown) => (error as { stderr: string }).stderr
    )
    t.match(gone, /ResourceNotFoundException.*Function not found/)
  })
}

function version(cli: string): string {
  try {
    return execFileSync(cli, ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? cli
  } catch {
    return 'unusable'
  }
}
