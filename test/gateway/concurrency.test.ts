import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ProvisionedReport, readConfig } from '@hearth/shared'
import t from 'tap'
import { ask, INTERNAL_TOKEN, outcome, record, startGateway, textOf, until } from './harness.ts'

const AWS = '/2015-03-31/functions/f/invocations'

t.test('the executor hears of what is reserved and provisioned, the control plane of how far that is', async (t) => {
  const reports: ProvisionedReport[][] = []
  let status = 503
  const plane = http.createServer((req, res) => {
    // It hears of other things too.
    if (req.url !== '/internal/provisioned') {
      res.writeHead(204).end()
      return
    }
    t.match(req, {
      method: 'POST',
      headers: { authorization: `Bearer ${INTERNAL_TOKEN}` }
    })
    textOf(req)
      .then((body) => {
        reports.push((JSON.parse(body) as { provisioned: ProvisionedReport[] }).provisioned)
        res.writeHead(status).end()
      })
      .catch((err: unknown) => t.fail(String(err)))
  })
  plane.listen(0, '127.0.0.1')
  await once(plane, 'listening')
  t.teardown(() => plane.close())
  const { port: controlPort } = plane.address() as AddressInfo

  const harness = await startGateway(t, { functions: [record('f'), record('g')], controlPort, attached: false })
  const { port, executor, functions, aliases, concurrency } = harness
  for (const version of ['1', '2']) functions.addVersion(record('f', { version }), '')
  const alias = (version: string) => ({
    functionName: 'f',
    name: 'live',
    version,
    weights: {},
    description: '',
    revisionId: randomUUID(),
    previousVersion: undefined
  })
  const wish = (qualifier: string, requested: number) => ({
    functionName: 'f',
    qualifier,
    requested,
    revisionId: randomUUID(),
    lastModified: '2026-01-02T03:04:05.000Z',
    status: 'IN_PROGRESS' as const,
    statusReason: undefined,
    allocated: 0,
    available: 0
  })
  aliases.put(alias('1'))
  concurrency.setReserved('g', 5)
  concurrency.put(wish('live', 3))
  harness.attach()
  t.same([...executor.reservations], [['g', 5]], 'also of functions that nobody has called')
  t.same([...executor.provisions], [['f:1', 3]])

  await until('it is reported', () => reports.length >= 2)
  t.match(reports[0], [{ functionName: 'f', qualifier: 'live', available: 0, status: 'IN_PROGRESS' }])
  status = 204
  executor.progress = { available: 3, status: 'READY', statusReason: undefined }
  await until('the change is reported', () => reports.at(-1)?.[0]?.status === 'READY')
  const known = reports.length
  await ask(port, AWS, { body: '{}' })
  t.ok(reports.length <= known + 1, 'what is known is not told again and again')

  concurrency.setReserved('g', undefined)
  concurrency.setReserved('f', 0)
  concurrency.put(wish('2', 1))
  t.equal((await ask(port, AWS, { body: '{}' })).status, 200)
  t.same(
    [...executor.reservations],
    [
      ['g', undefined],
      ['f', 0]
    ],
    'for the very next request'
  )
  t.same(
    [...executor.provisions],
    [
      ['f:1', 3],
      ['f:2', 1]
    ]
  )
  executor.progress = { available: 3, status: 'FAILED', statusReason: 'FUNCTION_ERROR_INIT_FAILURE' }
  aliases.put(alias('2'))
  await ask(port, AWS, { body: '{}' })
  t.equal(executor.provisions.get('f:1'), 0, 'it follows its alias')
  t.equal(executor.provisions.get('f:2'), 4)
  await until('each has its own', () => reports.at(-1)?.[1]?.status === 'FAILED')
  t.match(reports.at(-1), [
    { qualifier: '2', available: 1, allocated: 1, status: 'READY' },
    { qualifier: 'live', available: 2, status: 'FAILED', statusReason: 'FUNCTION_ERROR_INIT_FAILURE' }
  ])
  concurrency.remove('f', '2')
  concurrency.remove('f', 'live')
  await ask(port, AWS, { body: '{}' })
  t.equal(executor.provisions.get('f:2'), 0)

  executor.behaviour = () => outcome('', { status: 'throttled', errorType: 'function' })
  t.match(JSON.parse((await ask(port, AWS, { body: '{}' })).body), {
    Type: 'User',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded'
  })
})

t.test('of a function with a reservation no more events of the queue run at once than are reserved', async (t) => {
  const { port, executor, concurrency } = await startGateway(t, { functions: [record('f')] })
  concurrency.setReserved('f', 2)
  executor.behaviour = () => undefined
  for (let i = 0; i < 6; i++) {
    t.equal((await ask(port, AWS, { body: '{}', headers: { 'x-amz-invocation-type': 'Event' } })).status, 202)
  }
  let done = 0
  while (done < 6) {
    await until('events run', () => executor.waiting.size === Math.min(2, 6 - done))
    for (const invocation of [...executor.waiting]) {
      executor.waiting.delete(invocation)
      done++
      invocation.settle(outcome('null'))
    }
  }
})

t.test('defaults follow the machine, and raise no bound that is set', async (t) => {
  const of = (env: NodeJS.ProcessEnv, cpus: number, memoryMiB: number) => {
    const { concurrency, maxInstances, memoryReserveMiB } = readConfig(env, t.testdir(), { cpus, memoryMiB })
    return { concurrency, maxInstances, memoryReserveMiB }
  }
  t.same(of({}, 2, 24_000), { concurrency: 200, maxInstances: 200, memoryReserveMiB: 1_024 })
  t.same(of({}, 1, 1_000), { concurrency: 100, maxInstances: 200, memoryReserveMiB: 50 })
  t.same(of({ HEARTH_MAX_INSTANCES: '50' }, 64, 256_000), {
    concurrency: 50,
    maxInstances: 50,
    memoryReserveMiB: 1_024
  })
  t.match(of({ HEARTH_MAX_INSTANCES: '2000' }, 16, 64_000), { concurrency: 1_000 })
  t.match(of({ HEARTH_CONCURRENCY: '500', HEARTH_MEMORY_RESERVE: '0' }, 2, 4_000), {
    concurrency: 500,
    memoryReserveMiB: 0
  })
  t.throws(() => readConfig({ HEARTH_CONCURRENCY: '0' }, t.testdir()), /HEARTH_CONCURRENCY/)
})
