import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { createDirectory, FunctionMetrics } from '@hearth/gateway'
import type { FunctionRecord } from '@hearth/shared'
import t from 'tap'
import {
  ADMIN,
  ask,
  BEARER,
  executorDouble,
  outcome,
  rawConnection,
  record,
  startGateway,
  textOf,
  until
} from './harness.ts'

const AWS = '/2015-03-31/functions/hello/invocations'
const invoke = (port: number, name: string) => ask(port, `/v1/functions/${name}/invocations`, { body: '{}' })

t.test('what another process commits holds for the very next request', async (t) => {
  const { port, functions, keys, executor } = await startGateway(t)
  executor.behaviour = (_invocation, spec) => outcome(JSON.stringify(spec.handler))
  t.match(await invoke(port, 'hello'), { body: '"index.handler"' })
  t.match(await invoke(port, 'late'), { status: 404 })
  functions.create(record('late'))
  t.match(await invoke(port, 'late'), { status: 200 })

  functions.create(record('uncalled'))
  await ask(port, '/metrics')
  const { body } = await ask(port, '/metrics')
  t.match(
    body,
    'hearth_invocations_total{function="uncalled",status="error"} 0\n',
    'the first error will be an increase'
  )
  functions.update('uncalled', () => undefined)

  for (const handler of ['a.handler', 'b.handler', 'c.handler']) {
    functions.update('hello', (current) => ({ ...current!, handler }))
    t.match(await invoke(port, 'hello'), { body: `"${handler}"` })
  }
  t.same(
    executor.retired.map((spec) => spec.handler),
    ['index.handler', 'a.handler', 'b.handler']
  )

  const opened = executor.opened.length
  functions.update('hello', (current) => ({ ...current!, description: 'new', tags: { a: '1' }, revisionId: 'other' }))
  t.match(await invoke(port, 'hello'), { body: '"c.handler"' })
  t.equal(executor.opened.length, opened, 'what no instance knows costs no instance')
  functions.update('hello', (current) => ({ ...current!, environment: { A: '1' } }))
  await invoke(port, 'hello')
  t.match(executor.opened.at(-1), { environment: { A: '1' } })

  functions.update('hello', () => undefined)
  t.match(await invoke(port, 'hello'), { status: 404 })
  t.match(executor.retired.at(-1), { name: 'hello', environment: { A: '1' } })
  t.notMatch((await ask(port, '/metrics')).body, 'function="hello"', 'its series are gone with it')
  functions.create(record('hello'))
  t.match(await invoke(port, 'hello'), { status: 200 })

  keys.setStatus(ADMIN.accessKeyId, 'Inactive')
  t.match(await invoke(port, 'hello'), { status: 401 }, 'a key that is taken away is of no use any more')
  keys.setStatus(ADMIN.accessKeyId, 'Active')
  t.match(await invoke(port, 'hello'), { status: 200 })
})

t.test('a record becomes what the executor needs, with the server’s defaults', async (t) => {
  const { port, executor, dataDir } = await startGateway(t, {
    functions: [
      record('plain'),
      record('own', {
        network: 'internet',
        instances: 'threads',
        timeoutS: 900,
        logging: { format: 'JSON', applicationLevel: 'DEBUG', logGroup: '/x' }
      }),
      record('many', { concurrency: 8 })
    ]
  })
  for (const name of ['plain', 'own', 'many']) await invoke(port, name)
  t.match(executor.opened[0], {
    network: 'none',
    backend: 'process',
    timeoutMs: 3_000,
    codeDir: `${dataDir}/code/${'a'.repeat(64)}`,
    logLevel: 'INFO'
  })
  t.match(executor.opened[1], {
    network: 'internet',
    backend: 'threads',
    timeoutMs: 900_000,
    logFormat: 'JSON',
    logLevel: 'DEBUG',
    logGroup: '/x'
  })
  t.match(executor.opened[2], { concurrency: 8, backend: 'process' })
})

t.test('a deleted function ends its instances although nobody calls anything any more', async (t) => {
  const { port, functions, executor } = await startGateway(t)
  await invoke(port, 'hello')
  functions.update('hello', () => undefined)
  await until('its pool is retired', () => executor.retired.length === 1)
})

t.test('a trail of changes that is too short means looking at everything again, a little at a time', async (t) => {
  const names = Array.from({ length: 250 }, (_, i) => `f${i}`)
  const records = new Map<string, FunctionRecord>(names.map((name) => [name, record(name)]))
  let version = 1
  let lookups = 0
  const executor = executorDouble()
  const directory = createDirectory({
    reader: {
      dataVersion: () => version,
      changesSince: () => ({ seq: version, functions: [], keys: false, reset: version > 1 }),
      logSettings: {
        revision: () => 0,
        read: () => ({ retention: new Map(), removals: [] }),
        findGroup: () => undefined,
        hasStream: () => false
      },
      triggerRevision: () => 0,
      readTriggers: () => ({
        buses: [],
        rules: [],
        schedules: [],
        archives: [],
        replays: [],
        webhooks: [],
        loadBalancers: []
      }),
      apiRevision: () => 0,
      readApis: () => ({ apis: [], mappings: [] }),
      usagePlanRevision: () => 0,
      readUsagePlans: () => ({ plans: [], keys: [] }),
      findUrl: () => undefined,
      findSecret: () => undefined,
      findServerSecret: () => undefined,
      findDomain: () => undefined,
      findFunction(name) {
        lookups++
        return records.get(name)
      },
      listFunctionInfos: () => [],
      listAliases: () => [],
      listPolicies: () => [],
      findUser: () => undefined,
      findRole: () => undefined,
      findEventSettings: () => ({ configs: [], mayRecurse: false }),
      listReleases: () => [],
      listReserved: () => [],
      listProvisioned: () => [],
      listKeys: () => [],
      close: () => undefined
    },
    executor,
    scope: { region: 'us-east-1', accountId: '000000000000' },
    toSpec: ({ name, handler }) => ({ name, handler }) as never,
    onKeys: () => undefined,
    onDeployed: () => undefined,
    onRemoved: () => undefined,
    onError: (err) => t.fail(String(err)),
    // This test says when.
    watchMs: 2 ** 31 - 1
  })
  directory.refresh()
  for (const name of names) t.ok(directory.find(name)?.pool !== undefined)
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
  await nextTurn()

  lookups = 0
  directory.refresh()
  directory.find('f0')
  t.equal(lookups, 0, 'nothing changed, nothing is looked up')
  await nextTurn()

  version = 2
  records.set('f249', { ...records.get('f249')!, handler: 'new.handler' })
  records.delete('f248')
  directory.refresh()
  t.equal(directory.find('f249')?.record.handler, 'new.handler', 'right at once for who asks')
  t.equal(directory.find('f248'), undefined)
  t.ok(lookups < 10, 'and nobody waits for the others')
  await until('the rest is looked at', () => lookups >= 249)
  t.same(executor.retired.map(({ name }) => name).sort(), ['f248', 'f249'])
  t.equal(executor.opened.length, 250, 'unchanged functions keep their instances')
  directory.close()
})

t.test('until the database is there the server is up but not ready', async (t) => {
  const harness = await startGateway(t, { attached: false })
  const { port } = harness
  t.match(await ask(port, '/healthz', { auth: false }), { status: 200, body: '{"status":"alive"}' })
  const before = await ask(port, '/readyz', { auth: false })
  t.equal(before.status, 503)
  t.match(JSON.parse(before.body), { status: 'not ready', checks: { directory: { ok: false }, running: { ok: true } } })
  t.match(await ask(port, AWS, { body: '{}' }), { status: 503, headers: { 'x-amzn-errortype': 'ServiceException' } })
  t.match(await ask(port, '/metrics'), { status: 503 })
  harness.attach()
  t.match(await ask(port, '/readyz', { auth: false }), { status: 200 })
  t.match(await ask(port, AWS, { body: '{}' }), { status: 200 })
})

t.test('a stop finishes what runs, refuses what comes, and leaves nothing open', async (t) => {
  const { port, gateway, executor, logs } = await startGateway(t)
  const idle = await rawConnection(t, port)
  executor.behaviour = () => undefined
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const req = http.request({ port, path: AWS, method: 'POST', agent, headers: { authorization: BEARER } })
  req.end('{}')
  await until('it runs', () => executor.waiting.size === 1)
  let flushed = false
  const close = logs.close.bind(logs)
  t.capture(logs, 'close', async () => {
    await close()
    flushed = true
  })

  const stopped = gateway.stop()
  t.equal(gateway.readiness.report().status, 'not ready')
  t.match(gateway.readiness.report().checks['running'], { ok: false, detail: 'stopping' })
  await until('the idle connection is closed', () => idle.closed)
  await t.rejects(ask(port, '/healthz'), { code: 'ECONNREFUSED' })
  t.equal(executor.closedWith, undefined, 'instances live as long as their invocations')

  const [invocation] = executor.waiting
  executor.waiting.clear()
  invocation!.settle(outcome('"in time"'))
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  t.equal(await textOf(res), '"in time"')
  await stopped
  t.ok((executor.closedWith ?? 0) > 0, 'what is left of the drain time goes to the executor')
  t.ok(flushed)
  await gateway.stop()
  agent.destroy()
})

t.test('a stop does not wait for longer than it may', async (t) => {
  const { port, gateway, executor } = await startGateway(t, { drainMs: 100 })
  executor.behaviour = () => undefined
  const answer = ask(port, AWS, { body: '{}' })
  await until('it runs', () => executor.waiting.size === 1)
  const startedAt = Date.now()
  await gateway.stop()
  t.match(await answer, { status: 200, headers: { 'x-amz-function-error': 'Unhandled' } }, 'killed, and told so')
  t.ok(Date.now() - startedAt < 1_500)
})

interface Sample {
  readonly name: string
  readonly labels: Record<string, string>
  readonly value: number
}

/** Prometheus' text format, strictly: one TYPE line before all of a family's samples, and no sample twice. */
function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = []
  const types = new Map<string, string>()
  const seen = new Set<string>()
  let family = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line)
    if (type !== null) {
      if (types.has(type[1]!)) throw new Error(`two families of one name: ${line}`)
      types.set(type[1]!, type[2]!)
      family = type[1]!
      continue
    }
    if (line.startsWith('# HELP ')) continue
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[\d.e+-]+|Na[Nn]|[+-]Inf)$/.exec(line)
    if (match === null) throw new Error(`not a sample: ${line}`)
    const [, name = '', labelText = '', value = ''] = match
    if (name.replace(/_(bucket|sum|count)$/, '') !== family && name !== family)
      throw new Error(`outside of its family: ${line}`)
    if (seen.has(`${name}{${labelText}}`)) throw new Error(`twice: ${line}`)
    seen.add(`${name}{${labelText}}`)
    const labels: Record<string, string> = {}
    for (const [, key, text] of labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)) labels[key!] = text!
    samples.push({ name, labels, value: Number(value.replace('Inf', 'Infinity')) })
  }
  return samples
}

t.test('the metrics say what happened', async (t) => {
  const { port, executor } = await startGateway(t)
  const answers = [
    outcome('1'),
    outcome('1', { cold: true, phases: { queueMs: 1, sandboxMs: 2, initMs: 30, executeMs: 700 }, billedMs: 730 }),
    outcome('{}', { status: 'error' }),
    outcome('{}', { status: 'crash' }),
    outcome('{}', { status: 'timeout' }),
    outcome('{}', { status: 'oom' }),
    outcome('{}', { status: 'init_error' }),
    outcome('', { status: 'throttled', errorType: 'account' }),
    outcome('', { status: 'throttled' }),
    outcome('', { status: 'unavailable' })
  ]
  for (const answer of answers) {
    executor.behaviour = () => answer
    await invoke(port, 'hello')
  }
  await ask(port, AWS, { body: '{}', auth: false })
  const res = await ask(port, '/metrics')
  t.equal(res.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const samples = parseMetrics(res.body)
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text)
    )?.value
  const hello = { function: 'hello' }
  for (const [status, count] of Object.entries({ ok: 2, error: 2, timeout: 1, oom: 1, init_error: 1 })) {
    t.equal(value('hearth_invocations_total', { ...hello, status }), count, status)
  }
  for (const [reason, count] of Object.entries({ function: 0, account: 1, rate: 0, queue: 1 })) {
    t.equal(value('hearth_throttles_total', { ...hello, reason }), count, reason)
  }
  t.equal(value('hearth_cold_starts_total', hello), 1)
  t.equal(value('hearth_concurrent_executions', hello), 0)
  t.ok(Math.abs(value('hearth_billed_duration_seconds_total', hello)! - 0.742) < 1e-9)
  const duration = 'hearth_invocation_duration_seconds'
  t.equal(value(`${duration}_count`, hello), 7)
  for (const [le, count] of Object.entries({ '0.001': 0, '0.005': 6, '0.5': 6, '1': 7, '+Inf': 7 })) {
    t.equal(value(`${duration}_bucket`, { ...hello, le }), count, `le ${le}`)
  }
  t.equal(value('hearth_invocation_phase_seconds_count', { phase: 'queue' }), 9)
  t.equal(value('hearth_invocation_phase_seconds_count', { phase: 'init' }), 1)
  t.equal(value('hearth_invocation_phase_seconds_count', { phase: 'execute' }), 7)
  t.ok(value('hearth_invocation_phase_seconds_count', { phase: 'respond' })! >= 9)
  const route = { service: 'gateway', route: '/v1/functions/:name/invocations', method: 'POST' }
  t.equal(value('hearth_http_request_duration_seconds_count', { ...route, code: '502' }), 4)
  t.equal(value('hearth_http_request_duration_seconds_count', { ...route, code: '429' }), 2)
  t.equal(value('hearth_environments', { runtime: 'nodejs20.x', state: 'idle' }), 2)
  t.equal(value('hearth_invocations_waiting'), 5)
  t.equal(value('hearth_auth_failures_total', { reason: 'missing' }), 1)
  t.equal(value('hearth_build_info', { version: '0.0.0-test', node: process.version }), 1)
  t.ok(value('process_cpu_user_seconds_total')! > 0)
})

t.test('sandboxes that are ready are shown, for people and for Prometheus', async (t) => {
  const { port, executor } = await startGateway(t)
  executor.runtimes = () => [
    {
      runtime: 'nodejs20.x',
      language: 'node',
      name: 'node20',
      interpreter: 'Node.js 20',
      exact: true,
      remedy: undefined
    },
    {
      runtime: 'ruby3.4',
      language: 'ruby',
      name: undefined,
      interpreter: undefined,
      exact: false,
      remedy: 'install Ruby'
    }
  ]
  t.equal((await ask(port, '/v1/runtimes', { headers: { authorization: '' } })).status, 401)
  t.same(JSON.parse((await ask(port, '/v1/runtimes')).body), {
    items: [
      {
        id: 'nodejs20.x',
        language: 'node',
        interpreter: 'Node.js 20',
        exact: true,
        remedy: null,
        prestarted: [{ memoryMiB: 128, ephemeralMiB: 512, network: 'none', ready: 4, target: 6 }]
      },
      { id: 'ruby3.4', language: 'ruby', interpreter: null, exact: false, remedy: 'install Ruby', prestarted: [] }
    ],
    prestarted: { usedMiB: 80, limitMiB: 2_048 }
  })
  const { body } = await ask(port, '/metrics')
  for (const sample of [
    'hearth_prestarted_target{runtime="node20"} 6',
    'hearth_prestarted_taken_total{runtime="node20",result="hit"} 7',
    'hearth_prestarted_taken_total{runtime="node20",result="miss"} 2',
    'hearth_prestarted_memory_bytes 83886080',
    'hearth_prestarted_memory_limit_bytes 2147483648'
  ]) {
    t.ok(body.includes(`\n${sample}\n`), sample)
  }
})

t.test('more functions than there may be series add up under one name', async (t) => {
  let now = 0
  const metrics = new FunctionMetrics(3, () => now)
  const run = (name: string) => metrics.settled(metrics.started(name), outcome('1'))
  const counts = (): Record<string, number> => {
    const samples = parseMetrics([...metrics.render()].join(''))
    const total = samples.filter(({ name, labels }) => name === 'hearth_invocations_total' && labels['status'] === 'ok')
    return Object.fromEntries(total.map(({ labels, value }) => [labels['function'] ?? '', value] as const))
  }
  for (const name of ['a', 'b', 'c', 'd', 'd', 'e']) run(name)
  t.same(counts(), { _other: 3, a: 1, b: 1, c: 1 })
  const held = metrics.started('b')
  now = 700_000
  run('a')
  run('d')
  t.same(counts(), { _other: 4, a: 2, b: 1, d: 1 }, 'the one that was idle longest gave its name up, not its count')
  metrics.remove('b')
  t.same(counts(), { _other: 4, a: 2, d: 1 })
  metrics.settled(held, outcome('1'))
  run('f')
  t.same(counts(), { _other: 4, a: 2, d: 1, f: 1 }, 'a freed row starts from zero')
})

t.test('what is there at the start has its zeros, and gives way to what is called', async (t) => {
  const metrics = new FunctionMetrics(2, () => 0)
  metrics.foresee(['a', 'b', 'c'].map((name) => ({ name, runtime: 'nodejs20.x', memoryMiB: 128 })))
  t.equal(metrics.room, 0)
  const text = (): string => [...metrics.render()].join('')
  t.match(text(), 'hearth_function_info{function="a",runtime="nodejs20.x",memory_mb="128"} 1\n')
  t.match(text(), 'hearth_invocations_total{function="b",status="error"} 0\n')
  t.notMatch(text(), 'function="c"', 'no more than may have series')
  for (const name of ['c', 'd']) metrics.settled(metrics.started(name), outcome('1'))
  t.match(text(), 'hearth_invocations_total{function="d",status="ok"} 1\n')
  t.notMatch(text(), /function="[ab]"/)
  t.match(text(), 'hearth_metrics_functions_folded 0\n', 'those were never called')

  const functions = Array.from({ length: 30 }, (_, i) =>
    record(`f${i}`, { lastModified: `2026-01-01T00:00:${i + 10}.000Z` })
  )
  const bounded = await startGateway(t, { functions, functionSeries: 20 })
  const { body } = await ask(bounded.port, '/metrics?scope=functions')
  t.match(body, 'hearth_function_info{function="f29"')
  t.match(body, 'hearth_throttles_total{function="f10",reason="account"} 0\n')
  t.notMatch(body, 'function="f9"', 'those that were changed last')
})
