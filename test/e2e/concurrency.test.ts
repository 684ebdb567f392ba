import { once } from 'node:events'
import net from 'node:net'
import {
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  TooManyRequestsException,
  UpdateAliasCommand
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { eventually, type Hearth, startHearth } from '../helpers/hearth.ts'

const SOURCE = `
const type = process.env.AWS_LAMBDA_INITIALIZATION_TYPE
export const handler = async (event) => {
  if (event.say) console.log(event.say)
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms))
  return { type, ms: event.ms }
}
`
const EVENTS = 100

t.setTimeout(120_000)
const env = { HEARTH_CONCURRENCY: '60', HEARTH_DRAIN_MS: '2500' }
let hearth = await startHearth({ env })
t.teardown(() => hearth.stop())
const first = hearth
t.teardown(() => first.stop())
const client = new LambdaClient({
  endpoint: hearth.url,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: hearth.accessKeyId, secretAccessKey: hearth.secretAccessKey }
})
t.teardown(() => client.destroy())
const payload = (value: unknown) => Buffer.from(JSON.stringify(value))
const hasSaid = (server: Hearth, name: string, text: string) =>
  eventually(async () => (await (await server.request(`/v1/functions/${name}/logs`)).text()).includes(text))

t.test('a call over the reserved concurrency of its function is throttled, in every dialect', async (t) => {
  await hearth.deploy('narrow.mjs', SOURCE)
  const FunctionName = 'narrow'
  await client.send(new InvokeCommand({ FunctionName }))
  await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }))
  const slow = client.send(new InvokeCommand({ FunctionName, Payload: payload({ ms: 1_500, say: 'begun' }) }))
  await hasSaid(hearth, 'narrow', 'begun')
  const thrown = await client.send(new InvokeCommand({ FunctionName })).catch((err: unknown) => err)
  t.ok(thrown instanceof TooManyRequestsException)
  t.match(thrown, {
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    Type: 'User',
    message: 'Rate Exceeded.',
    retryAfterSeconds: '1',
    $metadata: { httpStatusCode: 429 }
  })
  const rest = await hearth.invoke('narrow')
  t.match({ status: rest.status, after: rest.headers.get('retry-after') }, { status: 429, after: '1' })
  t.match(await rest.json(), {
    code: 'CAPACITY_EXHAUSTED',
    reason: 'ReservedFunctionConcurrentInvocationLimitExceeded'
  })
  t.equal((await hearth.request('/fn/narrow')).status, 429)
  t.match(await slow, { StatusCode: 200 })
  t.match(await client.send(new InvokeCommand({ FunctionName })), { StatusCode: 200 }, 'its place is free again')
  const metrics = await (await hearth.request('/metrics')).text()
  t.match(metrics, 'hearth_concurrency_limit 60\n')
  t.match(metrics, 'hearth_concurrency_unreserved 59\n')
  t.match(metrics, 'hearth_reserved_concurrency{function="narrow"} 1\n')
  t.match(metrics, 'hearth_concurrency_throttles_total{reason="function"} 3\n')
  t.match(metrics, 'hearth_throttles_total{function="narrow",reason="function"} 3\n')

  await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
  t.equal((await hearth.invoke('narrow')).status, 429, 'switched off')
})

t.test('the account’s limit is another reason', async (t) => {
  t.equal((await hearth.deploy('wide.mjs', SOURCE, 'concurrency=64&timeout=30')).status, 201)
  await hearth.invoke('wide')
  const answers = await Promise.all(Array.from({ length: 80 }, () => hearth.invoke('wide', { ms: 500 })))
  const bodies = await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()] as const))
  const throttled = bodies.filter(([status]) => status === 429)
  t.ok(throttled.length > 0 && throttled.length <= 20, `${throttled.length} of 80 were over 60`)
  for (const [, body] of throttled) t.match(body, { reason: 'ConcurrentInvocationLimitExceeded' })
})

t.test('provisioned instances are reported ready, and serve', async (t) => {
  await hearth.deploy('ahead.mjs', SOURCE)
  const { Version } = await client.send(new PublishVersionCommand({ FunctionName: 'ahead' }))
  const of = { FunctionName: 'ahead', Qualifier: Version }
  const put = new PutProvisionedConcurrencyConfigCommand({ ...of, ProvisionedConcurrentExecutions: 2 })
  t.match(await client.send(put), { Status: 'IN_PROGRESS', RequestedProvisionedConcurrentExecutions: 2 })
  await eventually(
    async () => (await client.send(new GetProvisionedConcurrencyConfigCommand(of))).Status === 'READY',
    20_000
  )
  t.match(await client.send(new GetProvisionedConcurrencyConfigCommand(of)), {
    AvailableProvisionedConcurrentExecutions: 2,
    AllocatedProvisionedConcurrentExecutions: 2
  })
  const { Payload } = await client.send(new InvokeCommand(of))
  t.match(JSON.parse(Buffer.from(Payload!).toString()), { type: 'provisioned-concurrency' })
})

t.test('what is provisioned follows its alias, and says why it failed', async (t) => {
  const FunctionName = 'moved'
  for (const query of ['', '&description=two', '&env.BROKEN=1']) {
    const source = `if (process.env.BROKEN) throw new Error('no')\n${SOURCE}`
    t.equal((await hearth.deploy('moved.mjs', source, `publish=true${query}`)).ok, true)
  }
  const body = JSON.stringify({ version: '1' })
  await hearth.request('/v1/functions/moved/aliases/live', { method: 'PUT', body })
  const provision = (Qualifier: string) =>
    client.send(
      new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions: 1 })
    )
  const settled = (Qualifier: string) =>
    eventually(async () => {
      const config = await client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
      return config.Status === 'IN_PROGRESS' ? undefined : config
    }, 20_000)
  const before = await client.send(new GetAccountSettingsCommand({}))

  await provision('live')
  t.match(await settled('live'), { Status: 'READY', AvailableProvisionedConcurrentExecutions: 1 })
  const { FunctionVersion } = await client.send(
    new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '2' })
  )
  t.equal(FunctionVersion, '2')
  t.match(await settled('live'), { Status: 'READY', AvailableProvisionedConcurrentExecutions: 1 })
  const called = await client.send(new InvokeCommand({ FunctionName, Qualifier: 'live' }))
  t.equal(called.ExecutedVersion, '2')
  t.match(JSON.parse(Buffer.from(called.Payload!).toString()), { type: 'provisioned-concurrency' })

  await provision('3')
  t.match(await settled('3'), {
    Status: 'FAILED',
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
    AvailableProvisionedConcurrentExecutions: 0
  })
  const after = await client.send(new GetAccountSettingsCommand({}))
  const left = (of: typeof after) => of.AccountLimit?.UnreservedConcurrentExecutions ?? 0
  t.equal(left(before) - left(after), 2)
  await hearth.request('/v1/functions/moved', { method: 'DELETE' })
})

t.test('a signal: not ready, nothing new, what runs ends or meets the limit, events stay on disk', async (t) => {
  await hearth.deploy('last.mjs', SOURCE, 'timeout=60')
  await hearth.deploy('queued.mjs', SOURCE, 'timeout=60&concurrency=10')
  await hearth.invoke('last')
  // Two requests whose first bytes are there: their connections stay until they are answered.
  const begun = await Promise.all([
    halfRequest(t, `GET /readyz HTTP/1.1\r\nhost: a\r\n`),
    halfRequest(
      t,
      `POST /v1/functions/last/invocations HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${hearth.token}\r\ncontent-length: 0\r\n`
    )
  ])
  const finishes = hearth.invoke('last', { ms: 1_200, say: 'the first' })
  const tooLong = hearth.invoke('last', { ms: 60_000, say: 'the second' })
  const accepted = await Promise.all(
    Array.from({ length: EVENTS }, () => hearth.invoke('queued', { ms: 500 }, { prefer: 'respond-async' }))
  )
  for (const answer of accepted) t.equal(answer.status, 202)
  await hasSaid(hearth, 'last', 'the first')
  await hasSaid(hearth, 'last', 'the second')
  const ended = once(hearth.supervisor, 'exit')
  const at = performance.now()
  hearth.supervisor.kill('SIGTERM')
  await eventually(async () => (await hearth.request('/readyz').catch(() => undefined)) === undefined)
  const [ready, invoked] = await Promise.all(begun.map((finish) => finish()))
  t.match(ready, /^HTTP\/1\.1 503 [\s\S]*"not ready"/)
  t.match(invoked, /^HTTP\/1\.1 503 [\s\S]*SHUTTING_DOWN/)
  t.match(await (await finishes).json(), { ms: 1_200 })
  t.match(await (await tooLong).json(), { errorType: 'Runtime.ExitError' })
  t.equal((await ended)[0], 0)
  const elapsedMs = performance.now() - at
  t.ok(elapsedMs > 2_000 && elapsedMs < 12_000, `took ${elapsedMs.toFixed(0)} ms`)

  hearth = await startHearth({ env, dataDir: hearth.dataDir, ports: hearth.ports })
  const count = async (status: string): Promise<number> => {
    const answer = await hearth.request(`/v1/functions/queued/invocations?status=${status}`)
    return ((await answer.json()) as { invocations: unknown[] }).invocations.length
  }
  await eventually(async () => (await count('queued')) + (await count('running')) === 0, 30_000)
  t.equal(await count('succeeded'), EVENTS, 'none is lost, and none counts as failed for having been cut short')
  const answer = await eventually(async () => {
    const attempt = await (
      await hearth.request('/v1/functions/ahead/invocations?qualifier=1', { method: 'POST' })
    ).json()
    return (attempt as { type: string }).type === 'provisioned-concurrency' ? attempt : undefined
  }, 20_000)
  t.ok(answer, 'what is provisioned is provisioned again')
})

/** Sends all of a request but its end. @returns sends that, and waits for the answer */
async function halfRequest(t: Test, head: string): Promise<() => Promise<string>> {
  const socket = net.connect(hearth.ports.gateway, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(head)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString()
  })
  socket.on('error', () => undefined)
  return async () => {
    socket.write('\r\n')
    await eventually(() => received.includes('\r\n\r\n') && received.endsWith('}'))
    return received
  }
}
