// Metrics of a whole server: what functions did is there after a restart, functions put metrics as their role, and
// Prometheus' own tool has nothing to say of what is shown.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

t.setTimeout(240_000)
const run = promisify(execFile)
const dataDir = mkdtempSync(path.join(tmpdir(), 'hearth-metrics-'))
t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))

const PUTTER = `
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
const client = new CloudWatchClient({ maxAttempts: 1 })
export const handler = async ({ fail, namespace, pad }) => {
  if (fail) throw new Error('asked for')
  const MetricData = [{ MetricName: 'orders', Value: 3, Unit: 'Count' }]
  // From 10 KB on the client compresses.
  for (let i = 0; i < pad; i++) MetricData.push({ MetricName: 'orders', Value: 0, Unit: 'Count' })
  try {
    await client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData }))
    return 'taken'
  } catch (error) {
    return error.name
  }
}
`

t.test('metrics of functions, by functions, and for Prometheus', async (t) => {
  const first = await startHearth({ dataDir })
  t.teardown(() => first.stop())
  const { outputFiles } = await build({
    stdin: { contents: PUTTER, resolveDir: path.join(ROOT, 'test') },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20'
  })
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'cloudwatch:PutMetricData',
        Resource: '*',
        Condition: { StringEquals: { 'cloudwatch:namespace': 'Shop' } }
      }
    ]
  }
  const role = await first.request('/v1/roles/putter', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ policies: { put: policy } })
  })
  t.equal(role.status, 201, await role.text())
  const zip = await zipOf({ 'index.js': outputFiles[0]!.text })
  const query = 'runtime=nodejs20.x&handler=index.handler&role=arn:aws:iam::000000000000:role/putter'
  const deployed = await first.deploy('putter', zip, query)
  t.equal(deployed.status, 201, await deployed.text())
  t.equal(await (await first.invoke('putter', { namespace: 'Shop', pad: 0 })).json(), 'taken')
  t.equal(await (await first.invoke('putter', { namespace: 'Shop', pad: 300 })).json(), 'taken', 'compressed')
  t.match(await (await first.invoke('putter', { namespace: 'Other', pad: 0 })).json(), /AccessDenied/)
  await (await first.invoke('putter', { fail: true })).text()

  const shown = await Promise.all(
    [first.url, `http://127.0.0.1:${first.ports.control}`].map(async (url) => {
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${first.token}` } })
      return answer.text()
    })
  )
  t.match(shown[0], 'hearth_function_info{function="putter",runtime="nodejs20.x",memory_mb="128"} 1\n')
  t.match(shown[0], 'hearth_invocations_total{function="putter",status="error"} 1\n')
  t.match(shown[0], /hearth_function_memory_used_bytes\{function="putter"\} [1-9]/)
  t.match(shown[0], /hearth_memory_capacity_bytes [1-9]/)
  t.match(shown[0], /hearth_memory_available_bytes [1-9]/)
  t.match(shown[0], 'hearth_memory_reserved_bytes 134217728\n', 'one instance of 128 MiB')
  // It is asked for once a second.
  await eventually(async () => {
    const text = await (await first.request('/metrics?scope=functions')).text()
    return /hearth_function_cpu_seconds_total\{function="putter"\} 0\.\d*[1-9]/.test(text)
  })
  for (const text of shown) t.match(text, /hearth_build_info\{version="\d+\.\d+\.\d+",node="v\d+/)
  t.match(shown[1], /hearth_db_query_duration_seconds_count\{op="write"\} [1-9]/)
  t.match(shown[1], /hearth_db_size_bytes\{database="telemetry"\} [1-9]/)
  t.match(shown[1], /hearth_code_store_bytes [1-9]/)
  const scoped = await first.request('/metrics?scope=functions')
  t.notMatch(await scoped.text(), 'hearth_build_info')
  t.equal((await first.request('/metrics?scope=all')).status, 400)
  const promtool = (await run('bash', ['-c', 'type -P promtool']).catch(() => ({ stdout: '' }))).stdout.trim()
  if (promtool === '') t.comment('no promtool here')
  else for (const text of shown) t.strictSame(await lint(promtool, text), [])
  await first.stop()

  const second = await startHearth({ dataDir, ports: first.ports })
  t.teardown(() => second.stop())
  const read = async (more: string): Promise<unknown> =>
    ((await (await second.request(`/v1/metrics?period=86400&from=1d&${more}`)).json()) as { points: unknown }).points
  t.match(await read('function=putter&metric=Invocations'), [{ value: 4 }])
  t.match(await read('function=putter&metric=Errors'), [{ value: 1 }])
  t.match(await read('function=putter&metric=Errors&stat=Average'), [{ value: 0.25 }])
  t.match(await read('metric=Duration&stat=p99'), [{ value: Number }])
  t.match(await read('namespace=Shop&metric=orders'), [{ value: 6 }])
  t.strictSame(await read('namespace=Other&metric=orders'), [])
  for (const bad of ['metric=Errors&stat=p200', 'metric=Errors&period=61', 'metric=Errors&from=soon', 'stat=Sum']) {
    t.match(await (await second.request(`/v1/metrics?${bad}`)).json(), { code: /INVALID_REQUEST|VALIDATION_FAILED/ })
  }
})

/** What promtool says, without prom-client's own gauges with the ending of counters. */
async function lint(promtool: string, text: string): Promise<string[]> {
  const child = execFile(promtool, ['check', 'metrics'])
  let said = ''
  child.stderr?.on('data', (chunk: string) => (said += chunk))
  child.stdout?.on('data', (chunk: string) => (said += chunk))
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdin?.end(text)
  await ended
  return said.split('\n').filter((line) => line !== '' && !/^nodejs_active_\w+_total /.test(line))
}
