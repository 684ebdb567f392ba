// A real Prometheus asks a running server under load, every query of every dashboard and every rule.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { allQueries, DEPLOY } from '../deploy/dashboards.ts'
import { parsePromql, withoutMacros } from '../deploy/promql.ts'
import { eventually, freePort, NODE, ROOT, startHearth } from '../helpers/hearth.ts'

t.setTimeout(120_000)
const run = promisify(execFile)

const SOURCE = `
export const handler = async (event) => {
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs))
  if (event.fail) throw new Error('as asked')
  if (event.fill) { const kept = []; for (;;) kept.push(Buffer.alloc(8_388_608, 1)) }
  console.log('done')
  return { statusCode: event.status ?? 200, body: 'ok' }
}
`
/** Of prom-client: gauges whose name ends as a counter's does. */
const NOT_OURS = /^nodejs_active_(handles|requests|resources)_total /
/** Until every query has an answer, in ms. */
const ANSWERED_WITHIN_MS = 30_000

/** Something that answers webhooks with 410, so that outcomes are given up at once. */
const gone = http.createServer((_req, res) => res.writeHead(410).end())
await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
t.teardown(() => gone.close())
const goneUrl = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/`

const hearth = await startHearth({
  env: { HEARTH_WEBHOOK_NETWORKS: '127.0.0.1', HEARTH_CONCURRENCY: '20', HEARTH_OUTPUT_BYTES_PER_SECOND: '65536' }
})
t.teardown(() => hearth.stop())
const tokenFile = path.join(t.testdir(), 'hearth', 'token')

t.test('an operator makes a key for Prometheus that may read metrics and nothing else', async (t) => {
  const make = () =>
    run('env', [
      ...NODE.slice(1),
      path.join(ROOT, 'scripts/metrics-key.mjs'),
      ...['--out', tokenFile, '--url', hearth.url, '--admin', path.join(hearth.dataDir, 'token')]
    ])
  const first = await make()
  t.notMatch(first.stdout, /hearth_/, 'the token is in the file alone')
  t.equal(statSync(tokenFile).mode & 0o777, 0o400)
  const token = readFileSync(tokenFile, 'utf8')
  t.match((await make()).stdout, 'is good')
  t.equal(readFileSync(tokenFile, 'utf8'), token, 'a good one stays')

  const ask = async (url: string, key = token.trim()) =>
    (await fetch(hearth.url + url, { headers: { authorization: `Bearer ${key}` } })).status
  t.equal(await ask('/metrics'), 200)
  t.equal(await ask('/metrics/control-plane'), 200)
  t.equal(await ask('/v1/functions'), 403)
  t.equal(await ask('/metrics/control-plane', 'wrong'), 401)
  t.equal((await fetch(`${hearth.url}/metrics/control-plane`)).status, 401)
})

t.test('every query and every rule has an answer while functions are called in every way', async (t) => {
  const prometheus = await startPrometheus(t.testdir())
  t.teardown(() => prometheus.stop())
  await deployAll()
  let isOver = false
  const load = callInEveryWay(() => isOver)
  t.teardown(async () => {
    isOver = true
    await load
  })

  await t.test('dashboards', async (t) => {
    const unanswered = new Map(allQueries().map((query) => [`${query.where}: ${query.expr}`, query]))
    const problems = new Map<string, string>()
    await eventually(async () => {
      for (const [key, { expr, legend }] of unanswered) {
        const problem = problemOf(await prometheus.query(withoutMacros(expr)), legend)
        if (problem === undefined) unanswered.delete(key)
        else problems.set(key, problem)
      }
      return unanswered.size === 0
    }, ANSWERED_WITHIN_MS).catch(() => {})
    for (const key of unanswered.keys()) t.fail(`${key}: ${problems.get(key)}`)
    t.ok(allQueries().length > 40, `${allQueries().length} queries`)
  })

  await t.test('rules', async (t) => {
    const rules = await eventually(async () => {
      const all = await prometheus.rules()
      return all.every(({ health }) => health !== 'unknown') && all
    })
    // They are there one evaluation after what they are made of.
    for (const { name } of rules.filter(({ type }) => type === 'recording')) {
      await eventually(async () => problemOf(await prometheus.query(name), '') === undefined).catch(() => t.fail(name))
    }
    const names = new Set(await prometheus.metricNames())
    for (const { name, query, health, lastError } of rules) {
      t.equal(health, 'ok', `${name} ${lastError ?? ''}`)
      const { metrics, selectors } = parsePromql(query)
      for (const metric of metrics) t.ok(names.has(metric), `${name} asks for ${metric}`)
      // A label's value that nothing has would make an alert that never fires.
      for (const selector of selectors) {
        await eventually(async () => problemOf(await prometheus.query(selector), '') === undefined).catch(() =>
          t.fail(`${name} finds nothing by ${selector}`)
        )
      }
    }
    t.ok(rules.length > 15)
    // An increase takes two scrapes and an evaluation after them.
    const firing = await eventually(async () => {
      const names = (await prometheus.rules()).filter(({ state }) => state === 'firing').map(({ name }) => name)
      return names.includes('HearthEventsDropped') && names
    })
    t.notOk(firing.includes('HearthDown'), 'what runs is not said to be down')
  })

  await t.test('function names of the variable', async (t) => {
    const { data } = await prometheus.get('/api/v1/series?match[]=hearth_function_info')
    const functions = new Set((data as { function: string }[]).map((labels) => labels.function))
    t.ok(functions.has('prom-ok'))
  })

  await t.test('names, help and types are as promtool wants them', async (t) => {
    for (const target of ['/metrics', '/metrics/control-plane']) {
      const text = await (await hearth.request(target)).text()
      const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !NOT_OURS.test(line))
      t.same(complaints, [], `${target} (${status})`)
    }
  })
})

async function deployAll(): Promise<void> {
  const deployed = await Promise.all([
    hearth.deploy('prom-ok', SOURCE),
    hearth.deploy('prom-slow', SOURCE, 'timeout=1'),
    hearth.deploy('prom-small', SOURCE, 'memory=128'),
    hearth.deploy('prom-events', SOURCE)
  ])
  for (const answer of deployed)
    if (!answer.ok) throw new Error(`a deploy answers ${answer.status}: ${await answer.text()}`)
  await put('/v1/functions/prom-slow/concurrency', { reserved: 1 })
  await put('/v1/functions/prom-ok/url', { authType: 'NONE' })
  await put('/v1/functions/prom-events/event-invoke-config', {
    maximumRetryAttempts: 0,
    onFailure: { webhook: { url: goneUrl } }
  })
  await put('/v1/triggers/schedule/prom-soon', { function: 'prom-ok', expression: 'rate(1 minute)' })
}

async function put(target: string, body: unknown): Promise<unknown> {
  const answer = await hearth.request(target, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`PUT ${target} answers ${answer.status}: ${text}`)
  return JSON.parse(text)
}

/** Calls until `isOver`; each round has every kind of end in it. */
async function callInEveryWay(isOver: () => boolean): Promise<void> {
  const { pathUrl } = (await (await hearth.request('/v1/functions/prom-ok/url')).json()) as { pathUrl: string }
  const later = { prefer: 'respond-async' }
  for (let round = 0; !isOver(); round++) {
    const calls = [
      hearth.invoke('prom-ok', {}),
      hearth.invoke('prom-ok', { fail: true }),
      hearth.invoke('prom-events', {}, later),
      hearth.invoke('prom-events', { fail: true }, later),
      fetch(pathUrl),
      fetch(`${hearth.url}/v1/functions`, { headers: { authorization: 'Bearer wrong' } }),
      ...(round % 5 === 0
        ? [
            hearth.invoke('prom-slow', { sleepMs: 5_000 }),
            hearth.invoke('prom-slow', {}),
            hearth.invoke('prom-small', { fill: true }),
            hearth.deploy('prom-again', SOURCE)
          ]
        : [])
    ]
    await Promise.all(calls.map(async (call) => (await call).arrayBuffer()))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: unknown
}

interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
  readonly type: 'alerting' | 'recording'
  readonly state?: string
}

/** What is wrong with the answer to an instant query, or undefined. */
function problemOf({ status, error, data }: Answer, legend: string): string | undefined {
  if (status !== 'success') return error ?? status
  const { result } = data as { result: { metric: Record<string, string>; value: [number, string] }[] }
  if (result.length === 0) return 'no series'
  if (result.every(({ value }) => value[1] === 'NaN')) return 'not a number'
  for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
    if (!result.every(({ metric }) => metric[label!] !== undefined)) return `a series without the label ${label}`
  }
  return undefined
}

/** Prometheus with the project's own configuration, but for where it is and how often it asks. */
async function startPrometheus(folder: string) {
  const port = await freePort()
  const config = readFileSync(path.join(DEPLOY, 'prometheus/prometheus.yml'), 'utf8')
    .replaceAll('hearth:8080', `127.0.0.1:${hearth.ports.gateway}`)
    .replace('rule_files: [rules.yml]', `rule_files: [${path.join(DEPLOY, 'prometheus/rules.yml')}]`)
    .replace('/etc/prometheus/hearth/token', tokenFile)
    .replaceAll(/_interval: 15s/g, '_interval: 1s')
  const configFile = path.join(folder, 'prometheus.yml')
  writeFileSync(configFile, config)
  const checked = spawnSync('promtool', ['check', 'config', configFile], { encoding: 'utf8' })
  t.equal(checked.status, 0, checked.stderr)

  let said = ''
  const child: ChildProcess = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'TERM', '--', 'prometheus', `--config.file=${configFile}`],
      ...[`--storage.tsdb.path=${path.join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`]
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const origin = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(said)
    return fetch(`${origin}/-/ready`).then(
      ({ status }) => status === 200,
      () => false
    )
  }, 20_000)
  const get = async (target: string): Promise<Answer> => (await (await fetch(origin + target)).json()) as Answer
  return {
    get,
    query: (expr: string) => get(`/api/v1/query?query=${encodeURIComponent(expr)}`),
    async rules(): Promise<readonly Rule[]> {
      const { data } = await get('/api/v1/rules')
      return (data as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules)
    },
    async metricNames(): Promise<readonly string[]> {
      return (await get('/api/v1/label/__name__/values')).data as string[]
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
  }
}
