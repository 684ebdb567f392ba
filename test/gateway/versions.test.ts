import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { durationBucket, type ReleaseRecord } from '@hearth/shared'
import t from 'tap'
import { ADMIN, ask, BEARER, INTERNAL_TOKEN, outcome, record, startGateway, textOf, until } from './harness.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const aws = (name: string, query = '') => `/2015-03-31/functions/${encodeURIComponent(name)}/invocations${query}`

function alias(name: string, version: string, weights: Record<string, number> = {}) {
  return {
    functionName: 'f',
    name,
    version,
    weights,
    description: '',
    revisionId: randomUUID(),
    previousVersion: undefined
  }
}

async function start(t: Parameters<typeof startGateway>[0], random?: () => number, controlPort = 1) {
  const harness = await startGateway(t, {
    functions: [record('f', { handler: 'latest.handler' })],
    controlPort,
    ...(random === undefined ? {} : { random })
  })
  for (const version of ['1', '2', '3'])
    harness.functions.addVersion(record('f', { version, handler: `v${version}.handler` }), '')
  harness.executor.behaviour = ({ invokedArn }, spec) =>
    outcome(JSON.stringify({ version: spec.version, handler: spec.handler, invokedArn }))
  return harness
}

t.test('a version or an alias is found in every form of a name, and the function sees how it was called', async (t) => {
  const { port, aliases } = await start(t)
  aliases.put(alias('live', '2'))
  const cases: readonly [path: string, version: string, invokedArn: string][] = [
    [aws('f'), '$LATEST', `${ARN}:f`],
    [aws('f:$LATEST'), '$LATEST', `${ARN}:f:$LATEST`],
    [aws('f', '?Qualifier=$LATEST'), '$LATEST', `${ARN}:f:$LATEST`],
    [aws('f', '?Qualifier='), '$LATEST', `${ARN}:f`],
    [aws('f:1'), '1', `${ARN}:f:1`],
    [aws('f', '?Qualifier=3'), '3', `${ARN}:f:3`],
    [aws('f:live'), '2', `${ARN}:f:live`],
    [aws('f', '?Qualifier=live'), '2', `${ARN}:f:live`],
    [aws('f:live', '?Qualifier=live'), '2', `${ARN}:f:live`],
    [aws('000000000000:function:f:live'), '2', `${ARN}:f:live`],
    [aws('function:f:1'), '1', `${ARN}:f:1`],
    [aws(`${ARN}:f:live`), '2', `${ARN}:f:live`],
    [aws(`${ARN}:f`, '?Qualifier=1'), '1', `${ARN}:f:1`],
    ['/v1/functions/f/invocations?qualifier=live', '2', `${ARN}:f:live`],
    ['/v1/functions/f:1/invocations', '1', `${ARN}:f:1`]
  ]
  for (const [path, version, invokedArn] of cases) {
    const answer = await ask(port, path, { body: '{}' })
    t.match(answer, { status: 200, headers: { 'x-amz-executed-version': version } }, path)
    t.match(JSON.parse(answer.body), { version, invokedArn }, path)
  }
  for (const path of ['/fn/f:live/some/path?x=1', '/fn/f:2', '/fn/f%3Alive/']) {
    const answer = await ask(port, path)
    t.match(JSON.parse(answer.body), { version: '2' }, path)
  }

  const refused: readonly [path: string, status: number, message: string][] = [
    [aws('f:9'), 404, `Function not found: ${ARN}:f:9`],
    [aws('f:none'), 404, `Function not found: ${ARN}:f:none`],
    [aws('f:constructor'), 404, `Function not found: ${ARN}:f:constructor`],
    [aws('none', '?Qualifier=live'), 404, `Function not found: ${ARN}:none:live`],
    [
      aws('f:live', '?Qualifier=1'),
      400,
      'The derived qualifier from the function name does not match the specified qualifier.'
    ],
    [
      aws('f', '?Qualifier=a%20b'),
      400,
      "1 validation error detected: Value 'a b' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
    ]
  ]
  for (const [path, status, message] of refused) {
    const answer = await ask(port, path, { body: '{}' })
    const body = JSON.parse(answer.body) as { message?: string; Message?: string }
    t.equal(answer.status, status, path)
    t.equal(body.message ?? body.Message, message)
  }
})

t.test('an alias splits its calls by weight', async (t) => {
  // Numerical Recipes' generator: the same numbers in every run.
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const { port, aliases, executor } = await start(t, random)
  aliases.put(alias('live', '1', { '2': 0.1 }))
  const counts = new Map<string, number>()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  const callOnce = async () => {
    const req = http.request({ port, path: aws('f:live'), method: 'POST', agent, headers: { authorization: BEARER } })
    req.end('{}')
    const [res] = (await once(req, 'response')) as [http.IncomingMessage]
    if (!(await textOf(res)).includes(`"invokedArn":"${ARN}:f:live"`)) t.fail('the ARN is another')
    const version = String(res.headers['x-amz-executed-version'])
    counts.set(version, (counts.get(version) ?? 0) + 1)
  }
  for (let i = 0; i < 10_000; i += 100) await Promise.all(Array.from({ length: 100 }, callOnce))
  agent.destroy()
  t.same([...counts.keys()].sort(), ['1', '2'], 'the answers say which version it was')
  const share = (counts.get('2') ?? 0) / 10_000
  t.ok(share > 0.09 && share < 0.11, `${share} of 10,000 calls at a weight of 0.1`)
  for (const [weight, expected] of [
    [0, '1'],
    [1, '2']
  ] as const) {
    aliases.put(alias('live', '1', { '2': weight }))
    for (let i = 0; i < 50; i++) {
      const { headers } = await ask(port, aws('f:live'), { body: '{}' })
      if (headers['x-amz-executed-version'] !== expected) t.fail(`weight ${weight} went elsewhere`)
    }
  }
  t.same(
    executor.opened.map(({ version }) => version).sort(),
    ['1', '2'],
    'one pool a version, however often the alias changes'
  )
})

t.test('the pools of versions live on when an alias moves and when the function is deployed', async (t) => {
  const { port, aliases, functions, executor } = await start(t)
  const call = async (name: string) => (await ask(port, aws(name), { body: '{}' })).headers['x-amz-executed-version']
  aliases.put(alias('live', '1'))
  t.equal(await call('f:live'), '1')
  aliases.put(alias('live', '2'))
  t.equal(await call('f:live'), '2', 'the very next call')
  aliases.put(alias('live', '1'))
  t.equal(await call('f:live'), '1')
  t.equal(await call('f'), '$LATEST')
  functions.update('f', (current) => ({ ...current!, handler: 'new.handler' }))
  t.equal(await call('f'), '$LATEST')
  t.equal(await call('f:1'), '1')
  t.same(
    executor.opened.map(({ version, handler }) => `${version} ${handler}`),
    ['1 v1.handler', '2 v2.handler', '$LATEST latest.handler', '$LATEST new.handler'],
    'nothing is opened twice, nor before it is called'
  )
  t.same(
    executor.retired.map(({ handler }) => handler),
    ['latest.handler']
  )

  functions.update('f', () => undefined, '2')
  t.match(await ask(port, aws('f:2'), { body: '{}' }), { status: 404 })
  t.equal(executor.retired.at(-1)?.handler, 'v2.handler', 'a deleted version ends its instances')
  aliases.remove('f', 'live')
  t.match(await ask(port, aws('f:live'), { body: '{}' }), { status: 404 })
  functions.update('f', () => undefined)
  t.match(await ask(port, aws('f:1'), { body: '{}' }), { status: 404 })
  t.same(executor.retired.map(({ version }) => version).sort(), ['$LATEST', '$LATEST', '1', '2'])

  functions.create(record('f'))
  functions.addVersion(record('f', { version: '1', handler: 'other.handler' }), '')
  const { body } = await ask(port, aws('f:1'), { body: '{}' })
  t.match(JSON.parse(body), { handler: 'other.handler' }, 'another function of the same name')
  t.match((await ask(port, '/metrics')).body, /hearth_invocations_total\{function="f",status="ok"\} \d/)
  t.notMatch((await ask(port, '/metrics')).body, 'function="f:', 'versions do not multiply the series')
})

t.test('the calls of a release’s new version are counted and reported, step by step', async (t) => {
  interface Report {
    readonly id: string
    readonly step: number
    readonly invocations: number
    readonly errors: number
    readonly slow: number
    readonly gateway: string
    readonly buckets: [number, number][]
  }
  const reports: Report[] = []
  const uses: object[] = []
  const control = http.createServer((req, res) => {
    void textOf(req).then((body) => {
      if (req.url === '/v1/internal/key-uses') uses.push(...(JSON.parse(body) as { uses: object[] }).uses)
      // It hears of other things too, such as each minute's metrics.
      if (req.url !== '/v1/internal/release-reports') {
        res.writeHead(204).end()
        return
      }
      t.equal(req.method, 'POST')
      t.equal(req.headers.authorization, `Bearer ${INTERNAL_TOKEN}`)
      reports.push(...(JSON.parse(body) as { releases: Report[] }).releases)
      res.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve))
  t.teardown(() => control.close())
  const { gateway, port, aliases, releases, executor } = await start(
    t,
    () => 0,
    (control.address() as AddressInfo).port
  )
  const release: ReleaseRecord = {
    id: randomUUID(),
    functionName: 'f',
    alias: 'live',
    state: 'running',
    step: 0,
    plan: { fromVersion: '1', toVersion: '2', steps: [], maxErrorRatio: 0, maxP99Ms: 100, minInvocations: 0 },
    stepStartedAt: '2026-01-02T03:04:05.000Z',
    pausedAt: undefined,
    tallies: [],
    events: [],
    createdAt: '2026-01-02T03:04:05.000Z'
  }
  releases.put(release)
  aliases.put(alias('live', '1', { '2': 0.5 }))
  aliases.put(alias('other', '2'))
  const phases = { queueMs: 500, sandboxMs: 0, initMs: 0 }
  const outcomes = [
    ...Array.from({ length: 98 }, () => outcome('1', { phases: { ...phases, executeMs: 10 } })),
    outcome('{}', { status: 'error', phases: { ...phases, executeMs: 10 } }),
    outcome('{}', { status: 'timeout', phases: { ...phases, executeMs: 3_000 } }),
    outcome('', { status: 'throttled' }),
    outcome('', { status: 'unavailable' })
  ]
  const answers = [...outcomes]
  executor.behaviour = ({ invokedArn }) => (invokedArn === `${ARN}:f:live` ? answers.shift()! : outcome('1'))
  for (let i = 0; i < outcomes.length; i++) await ask(port, aws('f:live'), { body: '{}' })
  for (const name of ['f:2', 'f:1', 'f', 'f:other']) await ask(port, aws(name), { body: '{}' })
  await until('all are reported', () => reports.at(-1)?.invocations === 100)
  const { gateway: process, buckets, ...counts } = reports.at(-1)!
  t.same(
    counts,
    { id: release.id, step: 0, invocations: 100, errors: 2, slow: 1 },
    'waiting is not the version’s fault'
  )
  t.match(process, /^[0-9a-f-]{36}$/)
  t.same(buckets, [
    [durationBucket(10), 99],
    [durationBucket(3_000), 1]
  ])

  releases.put({ ...release, step: 1 })
  answers.push(outcome('1'))
  await ask(port, aws('f:live'), { body: '{}' })
  await until('the next step is reported', () => reports.at(-1)?.step === 1 && reports.at(-1)?.invocations === 1)
  t.match(reports.at(-1), { errors: 0 }, 'counted anew')

  releases.put({ ...release, step: 1, state: 'completed' })
  answers.push(outcome('1'))
  await ask(port, aws('f:live'), { body: '{}' })
  t.same([...gateway.directory.counters()], [], 'what is over is not counted')

  releases.put({ ...release, step: 2 })
  answers.push(outcome('1'))
  await ask(port, aws('f:live'), { body: '{}' })
  await gateway.stop()
  t.match(reports.at(-1), { step: 2, invocations: 1, gateway: process }, 'a stop does not lose the last calls')
  await until('the key that was used is told too', () => uses.length > 0)
  t.same(uses[0], { accessKeyId: ADMIN.accessKeyId, service: 'hearth' })
})
