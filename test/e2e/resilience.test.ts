import { readFileSync, rmSync } from 'node:fs'
import t from 'tap'
import { childrenOf, commandLine, eventually, type Hearth, startHearth, treeOf } from '../helpers/hearth.ts'

const COUNTER = `
let calls = 0
export const handler = async (event) => {
  calls++
  if (event.say) console.log(event.say)
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms))
  return { ...event, who: process.env.WHO, calls }
}
`

let hearth: Hearth
t.before(async () => {
  hearth = await startHearth()
})
t.teardown(async () => {
  await hearth.stop()
  rmSync(hearth.dataDir, { recursive: true, force: true })
})

const runtimes = () =>
  treeOf(hearth.pids().gateway).filter(
    (pid) => commandLine(pid).includes('/var/runtime/') && !commandLine(pid).includes('bwrap')
  )

t.test('100 calls at once of 10 functions are each answered with their own', async (t) => {
  const names = Array.from({ length: 10 }, (_, i) => `mixed${i}`)
  await Promise.all(
    names.map(async (name) =>
      t.equal((await hearth.deploy(`${name}.mjs`, COUNTER, `env.WHO=${name}&timeout=30`)).status, 201)
    )
  )
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const name = names[i % 10]!
      const answer = await hearth.invoke(name, { i, name, ms: i % 3 })
      return { i, name, status: answer.status, body: (await answer.json()) as { i: number; name: string; who: string } }
    })
  )
  for (const { i, name, status, body } of answers) t.match({ status, ...body }, { status: 200, i, name, who: name })
})

t.test('an instance that is killed while idle is not noticed by the next caller', async (t) => {
  await hearth.deploy('victim.mjs', COUNTER)
  await hearth.invoke('victim', {})
  for (let round = 0; round < 5; round++) {
    const before = runtimes()
    for (const pid of before) process.kill(pid, 'SIGKILL')
    // At once: the gateway may not even have seen it die.
    const answer = await hearth.invoke('victim', { round })
    t.match({ status: answer.status, ...((await answer.json()) as object) }, { status: 200, round, calls: 1 })
  }
})

t.test('an instance that is killed in mid-event is a function error, and the next call is served', async (t) => {
  await hearth.deploy('killed.mjs', COUNTER, 'timeout=60')
  await hearth.invoke('killed', {})
  const before = new Set(runtimes())
  const running = hearth.invoke('killed', { ms: 50_000, say: 'it has begun' })
  // The busy one is the one whose event loop has a timer: its CPU state does not show, so all of this function go.
  // Until it has read the event, an instance that dies is no failure: the event goes elsewhere.
  await eventually(async () => /it has begun/.test(await (await hearth.request('/v1/functions/killed/logs')).text()))
  for (const pid of before) process.kill(pid, 'SIGKILL')
  const answer = await running
  t.equal(answer.status, 502)
  t.match(await answer.json(), { errorType: 'Runtime.ExitError', errorMessage: /signal: killed$/ })
  t.equal((await hearth.invoke('killed', {})).status, 200)
})

t.test('with the control plane killed calls go on, and it comes back', async (t) => {
  await hearth.deploy('steady.mjs', COUNTER)
  const { controlPlane } = hearth.pids()
  process.kill(controlPlane, 'SIGKILL')
  for (let i = 0; i < 20; i++) t.equal((await hearth.invoke('steady', { i })).status, 200)
  const back = await eventually(async () => {
    const answer = await hearth.request('/v1/functions/steady')
    if (answer.status !== 200) t.equal(answer.status, 503, 'until it is back the answer says so')
    return answer.status === 200
  })
  t.ok(back)
  t.not(hearth.pids().controlPlane, controlPlane)
})

t.test('with the gateway killed every sandbox is gone, and its successor serves what was deployed', async (t) => {
  await hearth.deploy('survivor.mjs', COUNTER, 'timeout=60')
  await hearth.invoke('survivor', {})
  const keyed = async (key: string, payload: object, headers: Record<string, string> = {}) => {
    const res = await hearth.invoke('survivor', payload, { 'idempotency-key': key, ...headers })
    return { status: res.status, body: await res.json(), replayed: res.headers.get('idempotency-replayed') }
  }
  const later = { prefer: 'respond-async' }
  const done = await keyed('done', { n: 1 })
  const event = await keyed('event', { n: 2 }, later)
  void keyed('cut', { ms: 50_000, say: 'under way' }).catch(() => undefined)
  await eventually(async () => /under way/.test(await (await hearth.request('/v1/functions/survivor/logs')).text()))
  const { gateway } = hearth.pids()
  const sandboxed = runtimes()
  t.ok(sandboxed.length > 0)
  process.kill(gateway, 'SIGKILL')
  await eventually(() => sandboxed.every((pid) => commandLine(pid) === ''))
  const answer = await eventually(async () => {
    const attempt = await hearth.invoke('survivor', { again: true }).catch(() => undefined)
    return attempt?.status === 200 ? attempt : undefined
  }, 30_000)
  t.match(await answer.json(), { again: true, calls: 1 })
  t.same(await keyed('done', { n: 1 }), { ...done, replayed: 'true' }, 'an answer under a key outlives it')
  t.same(await keyed('event', { n: 2 }, later), { ...event, replayed: 'true' })
  t.match(
    await keyed('cut', { ms: 50_000, say: 'under way' }),
    { status: 409, body: { code: 'IDEMPOTENCY_ANSWER_MISSING' } },
    'what was cut off is not run again by itself'
  )
})

t.test('a restart with the same data folder keeps functions and keys', async (t) => {
  await hearth.deploy('kept.mjs', COUNTER, 'env.WHO=kept')
  const { dataDir, ports, token } = hearth
  const supervisor = hearth.supervisor.pid!
  process.kill(supervisor, 'SIGTERM')
  await eventually(() => childrenOf(supervisor).length === 0 && commandLine(supervisor) === '')
  hearth = await startHearth({ dataDir, ports })
  t.equal(hearth.token, token)
  t.notMatch(hearth.output(), token, 'the key is printed at the first start only')
  const answer = await hearth.invoke('kept', {})
  t.match(await answer.json(), { who: 'kept' })
  t.equal(readFileSync(`${dataDir}/token`, 'utf8').trim(), token)
})

t.test('a signal lets what runs finish, and leaves no process', async (t) => {
  await hearth.deploy('last.mjs', COUNTER, 'timeout=30')
  await hearth.invoke('last', {})
  const { gateway, controlPlane } = hearth.pids()
  const all = treeOf(hearth.supervisor.pid!)
  const running = hearth.invoke('last', { ms: 1_000 })
  await eventually(async () =>
    /hearth_concurrent_executions\{function="last"\} 1/.test(await (await hearth.request('/metrics')).text())
  )
  const ended = new Promise<number | null>((resolve) => hearth.supervisor.once('exit', resolve))
  hearth.supervisor.kill('SIGINT')
  const answer = await running
  t.match({ status: answer.status, ...((await answer.json()) as object) }, { status: 200, ms: 1_000 })
  t.equal(await ended, 0)
  for (const pid of [gateway, controlPlane, ...all]) t.equal(commandLine(pid), '', `process ${pid} is gone`)
})
