import { readFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import t from 'tap'
import { awsCliOnPath, runAws } from '../helpers/aws-clis.ts'
import { eventually, type Hearth, type Program, startHearth } from '../helpers/hearth.ts'

interface Release {
  readonly id: string
  readonly state: string
  readonly counts: {
    readonly invocations: number
    readonly errors: number
    readonly slow: number
    readonly p99Ms: number
  } | null
  readonly events: readonly { readonly event: string; readonly weight: number; readonly reason: string }[]
}

t.setTimeout(120_000)

const hearth = await startHearth()
t.teardown(() => hearth.stop())

async function json<T>(target: string, init: RequestInit = {}): Promise<T> {
  const res = await hearth.request(target, init)
  if (!res.ok) throw new Error(`${target}: ${res.status} ${await res.text()}`)
  return (await res.json()) as T
}

const send = <T>(method: string, target: string, body: object) =>
  json<T>(target, { method, body: JSON.stringify(body) })

/** Calls the alias without a pause until stopped. @returns stops, and says how each call ended, by version */
function load(name: string, connections: number): () => Promise<Map<string, { ok: number; failed: number }>> {
  const seen = new Map<string, { ok: number; failed: number }>()
  let going = true
  const workers = Array.from({ length: connections }, async () => {
    while (going) {
      const res = await hearth.invoke(`${name}:live`, {}).then(async (answer) => {
        await answer.arrayBuffer()
        return answer
      })
      const version = res.headers.get('x-amz-executed-version') ?? `status ${res.status}`
      const counts = seen.get(version) ?? { ok: 0, failed: 0 }
      counts[res.status === 200 ? 'ok' : 'failed']++
      seen.set(version, counts)
    }
  })
  return async () => {
    going = false
    await Promise.all(workers)
    return seen
  }
}

async function deployWithAlias(name: string): Promise<void> {
  await hearth.deploy(name, 'export const handler = async () => process.env.AWS_LAMBDA_FUNCTION_VERSION')
  await send('POST', `/v1/functions/${name}/versions`, {})
  await send('PUT', `/v1/functions/${name}/aliases/live`, { version: '1' })
}

const underWay = async (name: string, { id }: Release) => {
  const release = await json<Release>(`/v1/functions/${name}/releases/${id}`)
  return release.state === 'running' ? undefined : release
}

t.test('a healthy version takes over under load, and no call fails', async (t) => {
  await deployWithAlias('healthy')
  await hearth.deploy('healthy', 'export const handler = async () => `new ${process.env.AWS_LAMBDA_FUNCTION_VERSION}`')
  const stop = load('healthy', 4)
  const started = await send<Release>('POST', '/v1/functions/healthy/releases', {
    alias: 'live',
    steps: [
      { weight: 20, durationS: 1 },
      { weight: 60, durationS: 1 }
    ],
    maxP99Ms: 2_000,
    minInvocations: 20
  })
  const ended = await eventually(() => underWay('healthy', started), 30_000)
  const seen = await stop()
  t.equal(ended.state, 'completed', JSON.stringify(ended))
  t.same(
    ended.events.map(({ event, weight }) => [event, weight]),
    [
      ['started', 20],
      ['shifted', 60],
      ['completed', 100]
    ]
  )
  t.ok((ended.counts?.p99Ms ?? 0) > 0)
  t.same([...seen.keys()].sort(), ['1', '2'])
  t.equal((seen.get('1')?.failed ?? 0) + (seen.get('2')?.failed ?? 0), 0)
  t.equal(await (await hearth.invoke('healthy:live', {})).json(), 'new 2')
  t.equal(await (await hearth.invoke('healthy:1', {})).json(), '1', 'the version before is there still')
  t.match(await send('POST', '/v1/functions/healthy/aliases/live/rollback', {}), { version: '1' })
  t.equal(
    await (await hearth.invoke('healthy:live', {})).json(),
    '1',
    'one call takes it back, for the very next request'
  )
})

t.test('a broken version is taken back by itself, and few calls meet it', async (t) => {
  await deployWithAlias('broken')
  await hearth.deploy('broken', 'export const handler = async () => { throw new Error("broken") }')
  const stop = load('broken', 4)
  const started = await send<Release>('POST', '/v1/functions/broken/releases', {
    alias: 'live',
    steps: [{ weight: 10, durationS: 600 }],
    maxErrorRatio: 0.05,
    minInvocations: 20
  })
  const ended = await eventually(() => underWay('broken', started), 30_000)
  t.equal(ended.state, 'rolled-back')
  t.match(ended.events.at(-1)?.reason, /calls of version 2 failed; at most 5 % may/)
  const seen = await stop()
  const all = [...seen.values()].reduce((sum, { ok, failed }) => sum + ok + failed, 0)
  t.equal(seen.get('2')?.ok, 0)
  t.ok((seen.get('2')?.failed ?? 0) / all < 0.2, `${seen.get('2')?.failed} of ${all} calls failed`)
  t.equal(seen.get('1')?.failed, 0)
  for (let i = 0; i < 50; i++) {
    if ((await (await hearth.invoke('broken:live', {})).json()) !== '1') t.fail('it still gets calls')
  }
})

t.test('a slow version is taken back by what was counted before and after a crash of either process', async (t) => {
  await deployWithAlias('slow')
  await hearth.deploy('slow', 'export const handler = async () => new Promise((resolve) => setTimeout(resolve, 120))')
  const started = await send<Release>('POST', '/v1/functions/slow/releases', {
    alias: 'live',
    steps: [{ weight: 100, durationS: 600 }],
    maxP99Ms: 100,
    minInvocations: 400
  })
  const release = () => json<Release>(`/v1/functions/slow/releases/${started.id}`)
  const call = async (times: number) => {
    for (let n = 0; n < times; n++) t.equal((await hearth.invoke('slow:live', {})).status, 200)
  }
  const counted = (slow: number) => eventually(async () => (await release()).counts?.slow === slow)
  const crash = async (...programs: Program[]) => {
    await hearth.crash(...programs)
    const answers = (target: string, method: string) =>
      hearth.request(target, { method }).then(
        (res) => res.ok,
        () => false
      )
    await eventually(() => answers('/v1/functions/slow', 'GET'), 30_000)
    await eventually(() => answers('/v1/functions/slow:1/invocations', 'POST'), 30_000)
  }
  await call(2)
  await counted(2)
  await crash('gateway')
  t.match(await release(), { state: 'running', counts: { invocations: 2, slow: 2 } })
  await call(1)
  await counted(3)
  await crash('gateway', 'controlPlane')
  t.match(await release(), { state: 'running', counts: { invocations: 3, slow: 3 } }, 'as it was')
  await call(2)
  const ended = await eventually(() => underWay('slow', started), 30_000)
  t.match(ended, { state: 'rolled-back', counts: { invocations: 5, slow: 5, errors: 0 } })
  t.match(ended.events.at(-1)?.reason, /^5 of 5 calls of version 2 took longer than 100 ms/)
})

t.test('versions run their own code, with their own environment and log streams', async (t) => {
  const source = (n: number) =>
    `export const handler = async (event, { functionVersion, invokedFunctionArn, logStreamName }) => ({ n: ${n}, e: process.env.WHO, v: process.env.AWS_LAMBDA_FUNCTION_VERSION, functionVersion, invokedFunctionArn, logStreamName })`
  await hearth.deploy('own', source(1), 'env.WHO=first')
  await send('POST', '/v1/functions/own/versions', {})
  await hearth.deploy('own', source(2), 'env.WHO=second')
  await send('PUT', '/v1/functions/own/aliases/live', { version: '1' })
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:own'
  t.match(await (await hearth.invoke('own:live', {})).json(), {
    n: 1,
    e: 'first',
    v: '1',
    functionVersion: '1',
    invokedFunctionArn: `${arn}:live`,
    logStreamName: /^\d{4}\/\d\d\/\d\d\/\[1\][0-9a-f]{32}$/
  })
  t.match(await (await hearth.invoke('own', {})).json(), {
    n: 2,
    e: 'second',
    v: '$LATEST',
    invokedFunctionArn: new RegExp(`^${arn}$`),
    logStreamName: /\[\$LATEST\]/
  })
  t.match(await (await hearth.request('/fn/own:1/', {})).json(), { n: 1 })
})

t.test('50 deploys under load: no call fails, and none is answered by what was before', async (t) => {
  await hearth.deploy('busy', 'export const handler = async () => 0')
  let deployed = 0
  let answered = 0
  let going = true
  const problems: string[] = []
  const workers = Array.from({ length: 3 }, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (going) {
      const atLeast = deployed
      const { status, body } = await call(hearth, agent, 'busy')
      answered++
      if (status !== 200) problems.push(`${status}: ${body}`)
      else if (Number(body) < atLeast) problems.push(`${body} after ${atLeast} was deployed`)
    }
    agent.destroy()
  })
  for (let n = 1; n <= 50; n++) {
    const res = await hearth.deploy('busy', `export const handler = async () => ${n}`)
    if (res.status !== 200) t.fail(`deploy ${n}: ${await res.text()}`)
    deployed = n
    // Some calls of each; others are still under way when the next one comes.
    const before = answered
    await eventually(() => answered > before + 2)
  }
  going = false
  await Promise.all(workers)
  t.same(problems.slice(0, 5), [])
  t.ok(answered > 150, `${answered} calls`)
})

t.test('the AWS CLI lives the life of a version and of an alias', async (t) => {
  const dir = t.testdir()
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: ''
  }
  const FUNCTION = ['--function-name', 'cli']
  const aws = async (operation: string, ...args: string[]) => {
    const { stdout } = await runAws(awsCliOnPath()!, ['lambda', operation, ...args, '--endpoint-url', hearth.url], {
      cwd: dir,
      env
    })
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as object)
  }
  const source = (n: number) => `export const handler = async () => ${n}`
  await hearth.deploy('cli', source(1))
  t.match(await aws('publish-version', ...FUNCTION), { Version: '1' })
  await hearth.deploy('cli', source(2))
  t.match(await aws('publish-version', ...FUNCTION, '--description', 'two'), { Version: '2', Description: 'two' })
  await aws('wait', 'published-version-active', ...FUNCTION, '--qualifier', '2')
  const LIVE = [...FUNCTION, '--name', 'live']
  const weights = ['--routing-config', 'AdditionalVersionWeights={2=1}']
  t.match(await aws('create-alias', ...LIVE, '--function-version', '1', ...weights), {
    FunctionVersion: '1',
    RoutingConfig: { AdditionalVersionWeights: { '2': 1 } }
  })
  const invoke = () => aws('invoke', ...FUNCTION, '--qualifier', 'live', 'out.json')
  t.match(await invoke(), { StatusCode: 200, ExecutedVersion: '2' })
  t.equal(readFileSync(path.join(dir, 'out.json'), 'utf8'), '2')
  await aws('update-alias', ...LIVE, '--routing-config', '{}')
  t.match(await invoke(), { ExecutedVersion: '1' })
  t.match(await aws('list-versions-by-function', ...FUNCTION, '--page-size', '1'), {
    Versions: [{ Version: '$LATEST' }, { Version: '1' }, { Version: '2' }]
  })
  t.match(await aws('list-aliases', ...FUNCTION), { Aliases: [{ Name: 'live', FunctionVersion: '1' }] })
  const refused = await aws('delete-function', ...FUNCTION, '--qualifier', '1').catch(
    (error: unknown) => (error as { stderr: string }).stderr
  )
  t.match(refused, /ResourceConflictException.*alias live/)
  await aws('delete-alias', ...LIVE)
  await aws('delete-function', ...FUNCTION, '--qualifier', '1')
  t.match(await aws('list-versions-by-function', ...FUNCTION), { Versions: [{ Version: '$LATEST' }, { Version: '2' }] })
})

/** One call on the agent's only connection. */
function call(server: Hearth, agent: http.Agent, name: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const req = http.request(
      `${server.url}/v1/functions/${name}/invocations`,
      { method: 'POST', agent, headers: { authorization: `Bearer ${server.token}` } },
      (res) => {
        let body = ''
        res.on('data', (chunk: Buffer) => {
          body += chunk.toString()
        })
        res.on('end', () => {
          resolve({ status: res.statusCode ?? 0, body })
        })
      }
    )
    req.on('error', reject)
    req.end('{}')
  })
}
