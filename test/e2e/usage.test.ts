// Usage, budgets and health of a whole server: what is counted over a crash, who is told of it, and what is told of the server.
import { execFileSync } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { eventually, type Hearth, startHearth } from '../helpers/hearth.ts'

interface UsageBody {
  readonly items: readonly {
    readonly key: string | null
    readonly usage: Readonly<Record<string, number>>
    readonly price: { readonly total: number; readonly lines: Readonly<Record<string, { readonly free: number }>> }
  }[]
  readonly total: { readonly usage: { readonly requests: number }; readonly price: { readonly total: number } }
}

const PRICES = {
  effective: '2026-01-02',
  region: 'test-1',
  currency: 'USD',
  freeTier: { requests: 4, gbSeconds: 0, streamedGiB: 0 },
  prices: {
    requests: 1,
    duration: 0,
    provisionedDuration: 0,
    provisionedConcurrency: 0,
    ephemeralStorage: 0,
    streaming: 0
  }
}
const masterKey = randomBytes(32).toString('base64')
const s3Secret = `s3-${randomBytes(16).toString('hex')}`
const planted: string[] = [masterKey, s3Secret]
const plant = (): string => {
  const secret = `planted-${randomBytes(12).toString('hex')}`
  planted.push(secret)
  return secret
}

const usage = async (hearth: Hearth, query = ''): Promise<UsageBody> => {
  const answer = await hearth.request(`/v1/usage?${query}`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as UsageBody
}
const requestsOf = async (hearth: Hearth, name: string): Promise<number> =>
  (await usage(hearth)).items.find(({ key }) => key === name)?.usage['requests'] ?? 0
const json = (body: object): RequestInit => ({ method: 'PUT', body: JSON.stringify(body) })

const dir = t.testdir()
const pricesFile = path.join(dir, 'prices.json')
writeFileSync(pricesFile, JSON.stringify(PRICES))
const hearth = await startHearth({
  env: {
    // Free ones: the control plane's parts reach the gateway all the same.
    HEARTH_PORT: '0',
    HEARTH_CONTROL_PORT: '0',
    HEARTH_LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${plant()}`,
    HEARTH_PRICES: pricesFile,
    HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8',
    HEARTH_MASTER_KEY: masterKey,
    HEARTH_S3_ENDPOINT: `http://user:${plant()}@127.0.0.1:9`,
    HEARTH_S3_ACCESS_KEY_ID: 'someone',
    HEARTH_S3_SECRET_ACCESS_KEY: s3Secret
  }
})
t.teardown(() => hearth.stop())

t.test('what was counted outlives the process that counted it, and is counted once', async (t) => {
  await eventually(async () => (await hearth.request('/startupz')).status === 200, 60_000)
  const code = `export const handler = async () => { console.log('${plant()}'); return '${plant()}' }`
  const deployed = await hearth.deploy('spender', code)
  t.equal(deployed.status, 201)
  const answeredAt: number[] = []
  let sent = 0
  let isOver = false
  const loops = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      sent += 1
      const answer = await hearth.invoke('spender', {}).catch(() => undefined)
      if (answer?.status === 200) answeredAt.push(performance.now())
      await answer?.arrayBuffer().catch(() => undefined)
    }
  })
  await eventually(() => answeredAt.length > 100)
  const first = performance.now()
  await eventually(() => performance.now() - first > 1_300)
  const crashed = hearth.crash('gateway')
  const killedAt = performance.now()
  isOver = true
  await Promise.all(loops)
  await crashed
  const counted = await requestsOf(hearth, 'spender')
  const safe = answeredAt.filter((at) => at < killedAt - 1_000).length
  t.ok(counted >= safe, `${counted} of ${answeredAt.length} answers, ${safe} of them more than a second before the end`)
  t.ok(counted <= sent, `${counted} of ${sent} calls`)
  for (let i = 0; i < 5; i++) t.equal((await hearth.invoke('spender', {})).status, 200)
  t.equal(await requestsOf(hearth, 'spender'), counted + 5, 'and from there on exactly')
})

t.test('usage by function, role, tag and day, with its price', async (t) => {
  const tagged = await hearth.deploy('tagged', 'export const handler = async () => 1', 'memory=256')
  t.equal(tagged.status, 201)
  const arn = encodeURIComponent('arn:aws:lambda:us-east-1:000000000000:function:tagged')
  const tags = { method: 'POST', body: JSON.stringify({ Tags: { team: '=cmd+A1' } }) }
  t.equal((await hearth.request(`/2017-03-31/tags/${arn}`, tags)).status, 204)
  for (let i = 0; i < 3; i++) await hearth.invoke('tagged', {})
  const byFunction = await usage(hearth)
  const { requests } = byFunction.total.usage
  t.equal(byFunction.total.price.total, requests - 4, 'four are free')
  const own = byFunction.items.find(({ key }) => key === 'tagged')!
  t.equal(own.usage['requests'], 3)
  t.equal(own.price.lines['requests']!.free.toFixed(9), ((4 * 3) / requests).toFixed(9), 'its share of them')
  t.equal(own.usage['gbSeconds'], (own.usage['billedMs']! * 256) / 1_024_000)
  t.match(await usage(hearth, 'groupBy=role'), { items: [{ key: /:role\/hearth-default$/, usage: { requests } }] })
  t.match(await usage(hearth, 'groupBy=tag:team'), {
    items: [
      { key: '=cmd+A1', usage: { requests: 3 } },
      { key: null, usage: { requests: requests - 3 } }
    ]
  })
  const today = new Date().toISOString().slice(0, 10)
  t.match(await usage(hearth, 'groupBy=day'), { items: [{ key: today }] })

  const csv = await hearth.request('/v1/usage?groupBy=tag:team', { headers: { accept: 'text/csv' } })
  t.match(csv.headers.get('content-type'), /^text\/csv/)
  const lines = (await csv.text()).split('\r\n')
  t.match(lines[0], /^tag:team,requests,eventRequests,billedMs,gbSeconds,.*,amount,currency$/)
  t.ok(lines[1]!.startsWith(`'=cmd+A1,3,0,`), 'no spreadsheet runs it')

  for (const query of [
    'from=2026-02-30',
    'from=2026-02-02&to=2026-02-01',
    'from=2020-01-01',
    'groupBy=tag:',
    'groupBy=x',
    'format=xml'
  ]) {
    t.equal((await hearth.request(`/v1/usage?${query}`)).status, 400, query)
  }
  t.equal((await fetch(`${hearth.url}/v1/usage`)).status, 401)
  t.equal((await hearth.request('/v1/functions/tagged', { method: 'DELETE' })).status, 204)
  t.match(await usage(hearth, 'groupBy=tag:team'), { items: [{ key: null }] }, 'of a function that is deleted')
  t.equal(await requestsOf(hearth, 'tagged'), 3)
})

t.test('budgets tell a function and a webhook, once', async (t) => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  planted.push(secret, secret.slice(6))
  const messages: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = []
  let failures = 1
  const receiver = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      if (failures-- > 0) {
        res.writeHead(503).end()
        return
      }
      messages.push({ headers: req.headers, body: Buffer.concat(chunks).toString() })
      res.writeHead(204).end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => receiver.close())
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${plant()}`
  const amount = await requestsOf(hearth, 'spender')
  const budget = {
    amount,
    unit: 'requests',
    scope: { function: 'spender' },
    thresholds: [50, 100, 900],
    period: 'day'
  }

  const webhook = await hearth.request(
    '/v1/budgets/w',
    json({ ...budget, thresholds: [100], action: { webhook: { url, secret } } })
  )
  t.equal(webhook.status, 201)
  await eventually(() => messages.length === 1)
  const { headers, body } = messages[0]!
  t.match(JSON.parse(body), { budget: 'w', threshold: 100, amount, unit: 'requests', scope: { kind: 'function' } })
  const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`
  const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
    .update(signed)
    .digest('base64')
  t.equal(headers['webhook-signature'], `v1,${signature}`)

  await hearth.deploy(
    'told',
    'export const handler = async (event) => { console.log("told", event.budget, event.threshold) }'
  )
  const told = 'arn:aws:lambda:us-east-1:000000000000:function:told'
  const refused = await hearth.request('/v1/budgets/f', json({ ...budget, action: { function: told } }))
  t.equal(refused.status, 400)
  t.match(await refused.json(), { detail: /budgets\.amazonaws\.com is not authorized/ })
  t.equal((await hearth.request('/v1/budgets/f')).status, 404, 'nothing is left of it')
  const permission = { principal: 'budgets.amazonaws.com', action: 'lambda:InvokeFunction' }
  const allowed = await hearth.request('/v1/functions/told/permissions', {
    method: 'POST',
    body: JSON.stringify({ statementId: 'budgets', ...permission })
  })
  t.equal(allowed.status, 201, await allowed.text())
  for (let i = 0; i < 2; i++) await hearth.request('/v1/budgets/f', json({ ...budget, action: { function: told } }))
  const logs = async () => (await hearth.request('/v1/functions/told/logs')).text()
  await eventually(async () => /told f 50[^]*told f 100|told f 100[^]*told f 50/.test(await logs()))
  t.equal((await logs()).match(/told f \d+/g)?.length, 2, 'each threshold once, and not the third')
  const state = async (name: string) => (await (await hearth.request(`/v1/budgets/${name}`)).json()) as object
  await eventually(async () => JSON.stringify(await state('f')).match(/"delivered"/g)?.length === 2)
  t.match(await state('f'), { alerts: [{ threshold: 50 }, { threshold: 100 }], actual: { value: Number } })
  t.match(await state('w'), {
    alerts: [{ status: 'delivered', attempts: 1 }],
    action: { webhook: { url, secret: undefined } }
  })
  t.match(await (await hearth.request('/v1/budgets')).json(), { items: [{ name: 'f' }, { name: 'w' }] })

  const cases: readonly object[] = [
    { ...budget, amount: 0, action: { function: told } },
    { ...budget, unit: 'EUR', action: { function: told } },
    { ...budget, thresholds: [], action: { function: told } },
    { ...budget, action: { webhook: { url: 'http://10.0.0.1/' } } },
    { ...budget, action: { webhook: { url: 'ftp://example.com/' } } },
    { ...budget, action: { function: 'arn:aws:lambda:us-east-1:000000000000:function:nobody' } },
    budget
  ]
  for (const one of cases) t.equal((await hearth.request('/v1/budgets/x', json(one))).status, 400, JSON.stringify(one))
  t.equal((await hearth.request('/v1/budgets/w', { method: 'DELETE' })).status, 204)
  t.equal((await hearth.request('/v1/budgets/w', { method: 'DELETE' })).status, 404)
})

t.test('a bundle for bug reports has no secret in it', async (t) => {
  const environment = { env: { PASSWORD: plant() } }
  const patched = await hearth.request('/v1/functions/spender', { method: 'PATCH', body: JSON.stringify(environment) })
  t.equal(patched.status, 200)
  t.equal((await hearth.request('/v1/secrets/s', json({ value: plant() }))).status, 201)
  await hearth.invoke('spender', { payload: plant() })
  const token = hearth.token
  planted.push(token, hearth.secretAccessKey)
  // The server writes down the paths of requests.
  for (const name of [encodeURIComponent(masterKey), s3Secret]) {
    t.match(await hearth.request(`/v1/functions/${name}`), { status: name === s3Secret ? 404 : 400 })
  }
  await eventually(() => hearth.output().includes(s3Secret))
  const answer = await hearth.request('/v1/diagnostics')
  t.equal(answer.status, 200)
  const bundle = Buffer.from(await answer.arrayBuffer())
  const file = path.join(dir, 'bundle.tar.gz')
  writeFileSync(file, bundle)
  const env = { ...process.env, NODE_OPTIONS: '' }
  const names = execFileSync('tar', ['-tzf', file], { env, encoding: 'utf8' }).trim().split('\n')
  t.strictSame(names.map((name) => name.replace('hearth-diagnostics/', '')).sort(), [
    'configuration.json',
    'counts.json',
    'data-folder.json',
    'health.json',
    'isolation.json',
    'log-control-plane.ndjson',
    'log-gateway.ndjson',
    'metrics-control-plane.txt',
    'metrics-gateway.txt',
    'runtimes.json',
    'schema.json',
    'versions.json'
  ])
  const read = (name: string): string =>
    execFileSync('tar', ['-xzOf', file, `hearth-diagnostics/${name}`], { env, encoding: 'utf8' })
  t.match(JSON.parse(read('health.json')), { gateway: { status: 'ready' }, controlPlane: { status: 'ready' } })
  t.match(JSON.parse(read('schema.json')), { 'hearth.db': { version: Number }, 'queue.db': { version: Number } })
  t.match(JSON.parse(read('counts.json')), { controlPlane: { functions: 2, budgets: 1 }, queue: { events: 0 } })
  t.match(JSON.parse(read('configuration.json')), { masterKey: '[hidden]', s3: { endpoint: 'http://127.0.0.1:9/' } })
  t.match(read('metrics-gateway.txt'), /hearth_invocations_total/)
  t.match(read('metrics-control-plane.txt'), /hearth_functions 2/)
  const messages = (name: string) =>
    read(name)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly msg: string; readonly path?: string })
  t.ok(messages('log-gateway.ndjson').some(({ msg }) => msg === 'gateway listens'))
  const paths = messages('log-control-plane.ndjson').map(({ path }) => path)
  t.equal(paths.filter((path) => path === '/v1/functions/[hidden]').length, 2, 'hidden, and the line is there')
  const text = gunzipSync(bundle).toString('latin1')
  for (const secret of planted) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      t.notOk(text.includes(form), `no ${secret.slice(0, 8)}…`)
    }
  }
  t.equal((await fetch(`${hearth.url}/v1/diagnostics`)).status, 401)
})

t.test('to the last ms and byte: storage, streams, provisioned concurrency of real instances', async (t) => {
  const of = async (name: string): Promise<Readonly<Record<string, number>>> =>
    (await usage(hearth)).items.find(({ key }) => key === name)?.usage ?? {}
  /** What the function's own REPORT lines say. */
  const billed = async (name: string, calls: number): Promise<number> => {
    const lines = await eventually(async () => {
      const log = await (await hearth.request(`/v1/functions/${name}/logs`)).text()
      const found = [...log.matchAll(/Billed Duration: (\d+) ms/g)]
      return found.length === calls && found
    })
    return lines.reduce((sum, [, ms]) => sum + Number(ms), 0)
  }

  t.equal((await hearth.deploy('stores', 'export const handler = async () => 1', 'ephemeral=1024')).status, 201)
  for (let i = 0; i < 3; i++) t.equal((await hearth.invoke('stores', {})).status, 200)
  const stored = await billed('stores', 3)
  t.match(await of('stores'), { requests: 3, billedMs: stored, ephemeralGbSeconds: (stored * 512) / 1_024_000 })

  const MIB = 1_048_576
  const streams = `export const handler = awslambda.streamifyResponse(async ({ bytes }, out) => {
    for (let left = bytes; left > 0; left -= ${MIB}) out.write(Buffer.alloc(Math.min(left, ${MIB}), 'x'))
    out.end()
  })`
  t.equal((await hearth.deploy('streams', streams)).status, 201)
  const sizes = [1_000, 6 * MIB, 6 * MIB + 1, 8 * MIB]
  for (const bytes of sizes) {
    const answer = await hearth.request('/v1/functions/streams/invocations?invokeMode=RESPONSE_STREAM', {
      method: 'POST',
      body: JSON.stringify({ bytes })
    })
    t.equal((await answer.arrayBuffer()).byteLength, bytes)
  }
  t.match(await of('streams'), {
    requests: sizes.length,
    streamedBytes: sizes.reduce((sum, bytes) => sum + bytes),
    billedStreamedBytes: 1 + 2 * MIB
  })

  t.ok((await hearth.deploy('kept', 'export const handler = async () => 1', 'memory=256&publish=true')).ok)
  const provision = async (amount: number) => {
    const at = '/v1/functions/kept/provisioned-concurrency/1'
    const set = await hearth.request(at, json({ requested: amount }))
    t.ok(set.ok, await set.text())
    await eventually(async () => {
      const { status } = (await (await hearth.request(at)).json()) as { status: string }
      return status === 'READY'
    }, 30_000)
  }
  await provision(2)
  // Five minutes, as soon as they have begun.
  const block = (256 * 300) / 1_024
  await eventually(async () => (await of('kept'))['provisionedConcurrencyGbSeconds'] === 2 * block)
  const inits = (await of('kept'))['provisionedDurationGbSeconds']!
  t.ok(inits > 0, `${inits} GB-s of inits are billed too`)
  for (let i = 0; i < 4; i++) {
    t.equal((await hearth.request('/v1/functions/kept/invocations?qualifier=1', { method: 'POST' })).status, 200)
  }
  const used = await billed('kept', 4)
  const after = await of('kept')
  t.match(after, { requests: 4, gbSeconds: 0 }, 'none of it is on demand')
  t.equal(after['provisionedDurationGbSeconds']!.toFixed(9), (inits + (used * 256) / 1_024_000).toFixed(9))
  await provision(3)
  await eventually(async () => (await of('kept'))['provisionedConcurrencyGbSeconds'] === 3 * block)
  await hearth.crash('gateway')
  t.equal((await of('kept'))['provisionedConcurrencyGbSeconds'], 3 * block, 'the same five minutes')
  t.equal((await hearth.request('/v1/functions/kept', { method: 'DELETE' })).status, 204)
})

t.test('without a control plane calls are answered, and the server says what is missing', async (t) => {
  // Stopped, it is not started again as one that has ended would be.
  const { controlPlane } = hearth.pids()
  process.kill(controlPlane, 'SIGSTOP')
  try {
    await eventually(
      async () => ((await (await hearth.request('/readyz')).json()) as { status: string }).status === 'degraded'
    )
    const ready = await hearth.request('/readyz')
    t.equal(ready.status, 200)
    t.match(await ready.json(), {
      checks: { 'control-plane': { ok: false, detail: 'it does not answer' }, sandbox: { ok: true } }
    })
    t.equal((await hearth.request('/startupz')).status, 200, 'it has started')
    t.equal((await hearth.invoke('spender', {})).status, 200)
  } finally {
    process.kill(controlPlane, 'SIGCONT')
  }
})
