// What functions do, minute by minute, as CloudWatch's metrics have it, and how the control plane gets to know it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { createMinuteFiles, type Entry, MinuteMetrics, MinuteSums, startMinuteReporter } from '@hearth/gateway'
import { sampleConcurrency } from '@hearth/gateway/internal/minutes/sample-concurrency'
import { type MetricSample, openTelemetry, statisticOf } from '@hearth/store'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { outcome, record } from './harness.ts'

const MINUTE = 60_000
const NOW = Math.floor(Date.now() / MINUTE) * MINUTE
const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:f'

function entry(qualifier: string | undefined, version = '$LATEST'): Entry {
  const invokedArn = qualifier === undefined ? ARN : `${ARN}:${qualifier}`
  return { record: record('f', { version }), invokedArn } as unknown as Entry
}

const ran = (executeMs: number, status: 'ok' | 'error' | 'throttled' = 'ok') =>
  outcome('1', { status, phases: { queueMs: 0, sandboxMs: 0, initMs: 0, executeMs } })

/** A control plane that keeps what it is told, and fails when the test says so. */
async function controlPlane(t: Test) {
  const telemetry = openTelemetry({
    file: path.join(t.testdir(), 'telemetry.db'),
    migrationsDir: path.resolve('migrations/telemetry')
  })
  const received: string[] = []
  /** What becomes of the next reports. */
  const fates: ('lost' | 'refused' | 'hangs')[] = []
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { id, samples } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string; samples: MetricSample[] }
      received.push(id)
      const fate = fates.shift()
      if (fate === 'refused') {
        res.writeHead(500).end()
        return
      }
      telemetry.metrics.put(samples, id)
      // The answer is lost: what was taken in comes again.
      if (fate === 'lost') req.socket.destroy()
      else if (fate !== 'hangs') res.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    telemetry.close()
  })
  return { telemetry, received, fates, port: (server.address() as AddressInfo).port }
}

t.test('each call counts in all its dimension sets, in the minute in which it began', async (t) => {
  const { telemetry, port } = await controlPlane(t)
  const clock = { at: NOW + 30_000 }
  const minutes = new MinuteMetrics(() => clock.at)
  const [plain, alias] = [entry(undefined), entry('live', '3')]
  for (let i = 1; i <= 100; i++) minutes.settled(plain, ran(i), 1)
  minutes.settled(alias, ran(7, 'error'), 4)
  minutes.settled(alias, ran(0, 'throttled'), 4)
  minutes.settled(plain, ran(MINUTE), 2)
  minutes.count('AsyncEventsReceived', 'f')
  minutes.observe('AsyncEventAge', 250, 'f')
  minutes.urlAnswered('f', 503, 12)
  const stop = startMinuteReporter({
    minutes,
    port,
    internalToken: 'x',
    sample: () => undefined,
    onLost: (reports) => t.fail(String(reports)),
    onError: (err) => t.fail(String(err)),
    intervalMs: 3_600_000
  })
  await stop()

  const points = (name: string, ...dimensions: [string, string][]) =>
    telemetry.metrics.points({
      key: { namespace: 'AWS/Lambda', name, dimensions },
      from: NOW - MINUTE,
      to: NOW + MINUTE,
      period: 60
    })
  const own: [string, string] = ['FunctionName', 'f']
  t.match(points('Invocations'), [
    { at: NOW - MINUTE, unit: 'Count', values: { sum: 1 } },
    { at: NOW, values: { sum: 101 } }
  ])
  t.match(points('Invocations', own)[1], { values: { sum: 101 } })
  t.match(points('Invocations', own, ['Resource', 'f'])[1], { values: { sum: 100 } })
  t.match(points('Invocations', own, ['Resource', 'f:live']), [{ values: { sum: 1 } }])
  t.match(points('Invocations', ['ExecutedVersion', '3'], own, ['Resource', 'f:live']), [{ values: { sum: 1 } }])
  const errors = points('Errors', own)[1]!.values
  t.match(errors, { count: 101, sum: 1, min: 0, max: 1 }, 'a 0 for each success: the average is the rate')
  t.match(points('Throttles', own)[1], { values: { sum: 1, count: 102 } })
  const duration = points('Duration', own)[1]!
  t.match(duration, { unit: 'Milliseconds', values: { count: 101, sum: 5_057, min: 1, max: 100 } })
  const p90 = statisticOf(duration.values, 'p90')!
  t.ok(Math.abs(p90 / 90 - 1) < 0.04, `p90 is about 90: ${p90}`)
  t.match(points('ConcurrentExecutions', own)[1], { values: { max: 4 } })
  t.match(points('AsyncEventsReceived', own), [{ values: { sum: 1 } }])
  t.match(points('AsyncEventAge'), [{ values: { max: 250 } }])
  t.match(points('Url5xxCount', own), [{ values: { sum: 1 } }])
  t.match(points('Url4xxCount', own), [{ values: { sum: 0, count: 1 } }])
})

t.test('a large minute is reported in steps, and what ends meanwhile is neither lost nor told twice', async (t) => {
  const clock = { at: NOW + 59_000 }
  const minutes = new MinuteMetrics(() => clock.at)
  // Some are called under two names, and many often enough for buckets.
  const entries = Array.from({ length: 300 }, (_, i) => {
    const invokedArn = `${ARN}${i % 200}${i < 200 ? '' : ':live'}`
    return { record: record(`f${i % 200}`, { version: i < 200 ? '$LATEST' : '7' }), invokedArn } as unknown as Entry
  })
  const call = (times: number): void => {
    for (const entry of entries) for (let i = 1; i <= times; i++) minutes.settled(entry, ran(i), 1)
  }
  call(30)
  clock.at = NOW + MINUTE
  const sums = new Map<string, number>()
  let longest = 0
  const report = (whileAdding: () => void): void => {
    for (const [at, table] of minutes.take(false)) {
      const whole = new MinuteSums(at, table)
      const steps = whole.addUp(250)
      let stepCount = 0
      while (steps.next().done !== true) {
        stepCount++
        whileAdding()
      }
      t.ok(stepCount > 5, `${stepCount} steps`)
      for (const part of whole.parts()) {
        const samples = part()
        t.strictSame(part(), samples, 'a part that is sent again is the same')
        longest = Math.max(longest, samples.length)
        for (const { key, values } of samples) {
          if (key.name !== 'Invocations' && key.name !== 'Duration') continue
          const name = `${at - NOW} ${key.name} ${key.dimensions.join(' ')}`
          sums.set(name, (sums.get(name) ?? 0) + values.count)
          const spread = values.distribution?.reduce((sum, [, count]) => sum + count, 0)
          if (key.name === 'Duration') t.equal(spread, values.count, name)
        }
      }
    }
  }
  let more = 5
  // They began in the minute that is being reported.
  report(() => {
    if (more-- > 0) for (const entry of entries) minutes.settled(entry, ran(2_000), 1)
  })
  t.equal(sums.get('0 Invocations '), 9_000)
  report(() => undefined)
  t.equal(sums.get('0 Invocations '), 10_500)
  t.equal(sums.get('0 Duration FunctionName,f3'), 70)
  t.equal(sums.get('0 Duration FunctionName,f3 Resource,f3'), 35)
  t.equal(sums.get('0 Duration ExecutedVersion,7 FunctionName,f3 Resource,f3:live'), 35)
  t.equal(sums.get('0 Invocations FunctionName,f150'), 35)
  t.ok(longest <= 260, `${longest} samples`)
  t.strictSame(minutes.take(true), [], 'nothing is left')
})

t.test('what runs on provisioned concurrency, under the name by which it is called', async (t) => {
  const { telemetry, port } = await controlPlane(t)
  const minutes = new MinuteMetrics(() => NOW + 30_000)
  const alias = entry('live', '3')
  for (const more of [{ provisioned: true }, { provisioned: true }, { spilled: true }, {}]) {
    minutes.settled(alias, { ...ran(5), ...more }, 1)
  }
  const stats = { limit: 100, inUse: 3, unreserved: 60, throttles: { function: 0, account: 0, queue: 0 } }
  const provisioned = { functionName: 'f', version: '3', requested: 4, available: 4, inUse: 2, spilled: 1 }
  sampleConcurrency(
    minutes,
    {
      ...stats,
      reserved: [{ functionName: 'g', reserved: 36, inUse: 1 }],
      provisioned: [{ ...provisioned, status: 'READY', statusReason: undefined }]
    },
    [{ functionName: 'f', qualifier: 'live', version: '3' }]
  )
  const stop = startMinuteReporter({
    minutes,
    port,
    internalToken: 'x',
    sample: () => undefined,
    onLost: (reports) => t.fail(String(reports)),
    onError: (err) => t.fail(String(err)),
    intervalMs: 3_600_000
  })
  await stop()
  const own: [string, string] = ['FunctionName', 'f']
  const as: [string, string] = ['Resource', 'f:live']
  const version: [string, string] = ['ExecutedVersion', '3']
  const valuesOf = (name: string, ...dimensions: [string, string][]) => {
    const key = { namespace: 'AWS/Lambda', name, dimensions }
    return telemetry.metrics.points({ key, from: NOW, to: NOW + MINUTE, period: 60 })[0]?.values
  }
  for (const dimensions of [[], [own], [own, as], [version, own, as]]) {
    const where = dimensions.join(' ')
    t.match(valuesOf('ProvisionedConcurrencyInvocations', ...dimensions), { sum: 2 }, where)
    t.match(valuesOf('ProvisionedConcurrencySpilloverInvocations', ...dimensions), { sum: 1 }, where)
    if (dimensions.length === 0) continue
    t.match(valuesOf('ProvisionedConcurrentExecutions', ...dimensions), { max: 2 }, where)
    t.match(valuesOf('ProvisionedConcurrencyUtilization', ...dimensions), { max: 0.5 }, where)
  }
  t.match(valuesOf('UnreservedConcurrentExecutions'), { max: 2 })
  t.match(valuesOf('ClaimedAccountConcurrency'), { max: 42 }, 'what is reserved and provisioned, and what runs beside')
})

const GATEWAY = `
  import { createMinuteFiles, MinuteMetrics, startMinuteReporter } from '@hearth/gateway'
  const [dir, port, now] = process.argv.slice(1)
  const clock = { at: Number(now) }
  const minutes = new MinuteMetrics(() => clock.at)
  const phases = { queueMs: 0, sandboxMs: 0, initMs: 0, executeMs: 0 }
  for (let i = 0; i < 60; i++) {
    const record = { name: 'f' + i, version: '$LATEST' }
    const entry = { record, invokedArn: 'arn:aws:lambda:us-east-1:123456789012:function:f' + i }
    for (let n = 1; n <= 40; n++) minutes.settled(entry, { status: 'ok', phases: { ...phases, executeMs: n } }, 1)
    minutes.urlAnswered('f' + i, 404, 7)
  }
  const onError = (err) => { throw err }
  const files = createMinuteFiles(dir)
  startMinuteReporter({ minutes, port, internalToken: 'x', files, sample() {}, onLost: onError, onError, intervalMs: 5 })
  process.on('message', () => { clock.at += 60000 })
  setInterval(() => {}, 1000)`

/** A process on a machine that is busy. */
const STARTS_WITHIN_MS = 30_000

t.test('a gateway that is killed has told, or tells at its next start, what was counted: once', async (t) => {
  const { telemetry, received, fates, port } = await controlPlane(t)
  const dir = path.join(t.testdirName, 'minutes')
  const files = createMinuteFiles(dir)
  const own = (name: string, ...more: [string, string][]) => {
    const key = { namespace: 'AWS/Lambda', name, dimensions: more }
    return telemetry.metrics.points({ key, from: NOW, to: NOW + MINUTE, period: 60 })[0]?.values
  }
  const start = () => {
    const args = ['--input-type=module', '-e', GATEWAY, dir, String(port), String(NOW + 30_000)]
    const child = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const kill = async (child: ChildProcess): Promise<void> => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const tellTheRest = async (): Promise<void> => {
    const stop = startMinuteReporter({
      minutes: new MinuteMetrics(() => NOW + MINUTE),
      port,
      internalToken: 'x',
      files,
      sample: () => undefined,
      onLost: (reports) => t.fail(String(reports)),
      onError: (err) => t.fail(String(err)),
      intervalMs: 3_600_000
    })
    await stop()
  }
  const saved = () => readdirSync(dir, { encoding: 'utf8' }).filter((name) => name.endsWith('.minute'))

  // In the minute: nothing was told of it.
  const first = start()
  await eventually(async () => existsSync(dir) && saved().length === 1, STARTS_WITHIN_MS)
  await kill(first)
  t.equal(received.length, 0)
  await tellTheRest()
  t.match(own('Invocations'), { sum: 2_400 })
  t.match(own('Duration', ['FunctionName', 'f7']), { count: 40, sum: 820, min: 1, max: 40 })
  t.match(own('UrlRequestLatency'), { count: 60, max: 7 })
  t.strictSame(saved(), [], 'what was told is on disk no more')

  // While it is told: the first report was taken, and that was not heard.
  const before = new Set(received).size
  const told = received.length
  fates.push('hangs')
  const second = start()
  await eventually(async () => saved().length === 1, STARTS_WITHIN_MS)
  second.send('the minute is over')
  await eventually(async () => received.length > told, STARTS_WITHIN_MS)
  await kill(second)
  await tellTheRest()
  t.ok(new Set(received).size > before + 2, 'it took several reports')
  t.match(own('Invocations'), { sum: 4_800 })
  t.match(own('Invocations', ['FunctionName', 'f0']), { sum: 80 })
  t.match(own('Invocations', ['FunctionName', 'f59'], ['Resource', 'f59']), { sum: 80 })
  t.match(own('Url4xxCount', ['FunctionName', 'f59']), { sum: 2 })

  writeFileSync(path.join(dir, 'torn.minute'), 'x')
  t.strictSame(await files.load(), [], 'what cannot be read is left out')
  t.strictSame(readdirSync(dir), [])
})

t.test('a report that is lost or refused comes again, and counts once', async (t) => {
  const { telemetry, received, fates, port } = await controlPlane(t)
  const clock = { at: NOW + 30_000 }
  const minutes = new MinuteMetrics(() => clock.at)
  minutes.settled(entry(undefined), ran(1), 1)
  fates.push('refused', 'lost', 'lost')
  let failures = 0
  let taken = (): void => undefined
  const isTaken = new Promise<void>((resolve) => {
    taken = resolve
  })
  const stop = startMinuteReporter({
    minutes,
    port,
    internalToken: 'x',
    sample() {
      if (received.length >= 4) taken()
    },
    onLost: (reports) => t.fail(String(reports)),
    onError: () => failures++,
    intervalMs: 5
  })
  clock.at += MINUTE
  await isTaken
  await stop()
  t.equal(failures, 3)
  t.equal(new Set(received).size, 1, 'under the same id')
  const key = { namespace: 'AWS/Lambda', name: 'Invocations', dimensions: [] }
  t.match(telemetry.metrics.points({ key, from: NOW, to: NOW + 1, period: 60 }), [{ values: { count: 1, sum: 1 } }])
})
