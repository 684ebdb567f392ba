import { randomInt } from 'node:crypto'
import path from 'node:path'
import { openEventQueue } from '@hearth/store'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'

/** More by HEARTH_TEST_EVENTS. */
const EVENTS = Number(process.env['HEARTH_TEST_EVENTS'] ?? 2_000)
const CLIENTS = 32
const KILLS = 3

const SOURCE = `export const handler = async (event) => { console.log('ran ' + event.n); return event.n }`

t.test('every accepted event is done, whatever kills the gateway', { timeout: 115_000 }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  t.ok((await hearth.deploy('work.mjs', SOURCE)).ok)
  const accepted: string[] = []
  let next = 0
  const client = async (): Promise<void> => {
    while (next < EVENTS) {
      const n = next++
      // Until it is accepted; what was cut off may have been accepted too, unknown to us.
      for (;;) {
        const answer = await hearth.invoke('work', { n }, { prefer: 'respond-async' }).catch(() => undefined)
        await answer?.arrayBuffer().catch(() => undefined)
        if (answer?.status === 202) {
          accepted.push(answer.headers.get('x-amzn-requestid')!)
          break
        }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const done = new Map<string, string>()
  const clients = Array.from({ length: CLIENTS }, client)
  for (let kill = 1; kill <= KILLS; kill++) {
    const at = Math.floor((EVENTS * kill) / (KILLS + 1)) + randomInt(200)
    await eventually(() => accepted.length >= at, 60_000)
    const answer = await eventually(() =>
      hearth.request('/v1/functions/work/invocations?status=succeeded').catch(() => undefined)
    )
    const { invocations } = (await answer.json()) as { invocations: { requestId: string; endedAt: string }[] }
    for (const { requestId, endedAt } of invocations) done.set(requestId, endedAt)
    process.kill(hearth.pids().gateway, 'SIGKILL')
  }
  await Promise.all(clients)
  t.equal(accepted.length, EVENTS)
  // In this order, so that an event that begins between the two is seen by one of them.
  const open = async (status: 'queued' | 'running'): Promise<boolean> => {
    const answer = await hearth.request(`/v1/functions/work/invocations?status=${status}`).catch(() => undefined)
    return answer?.status !== 200 || ((await answer.json()) as { invocations: unknown[] }).invocations.length > 0
  }
  await eventually(async () => !(await open('queued')) && !(await open('running')), 60_000)
  const { dataDir } = hearth
  process.kill(hearth.supervisor.pid!, 'SIGTERM')
  await new Promise((resolve) => hearth.supervisor.once('exit', resolve))
  const queue = await openEventQueue({
    file: path.join(dataDir, 'queue.db'),
    migrationsDir: path.join(ROOT, 'migrations/queue')
  })
  t.teardown(() => queue.close())
  let lost = 0
  let again = 0
  for (const requestId of accepted) {
    const record = await queue.find(requestId)
    if (record?.state !== 'succeeded') lost += 1
    else if (record.attempts !== 1) again += 1
  }
  t.equal(lost, 0, 'none is lost')
  t.equal(again, 0, 'none is counted twice')
  t.ok(done.size > 0)
  for (const [requestId, endedAt] of done) {
    const record = await queue.find(requestId)
    if (record?.endedAt !== Date.parse(endedAt)) t.fail(`${requestId} ran again after its end was noted`)
  }
})
