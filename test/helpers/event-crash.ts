import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { openEventQueue } from '@hearth/store'
import { eventually, type Hearth, ROOT } from './hearth.ts'

export interface CrashRun {
  /** Events to be accepted. */
  readonly events: number
  readonly clients: number
  /** How often the gateway is killed meanwhile. */
  readonly kills: number
  /** For all of them to end after the last was accepted. */
  readonly patienceMs: number
}

export interface CrashResult {
  readonly accepted: number
  /** Of the accepted: not done, or with more than the one attempt that was noted. */
  readonly lost: number
  readonly again: number
  /** Outcomes that did not reach the destination exactly once. */
  readonly untold: number
  /** Records that were seen ended and were another way later. */
  readonly changed: number
  /** Of those: begun again after that, by the function's own word. */
  readonly resumed: number
  /** Records that were seen ended while there were kills. */
  readonly seen: number
}

/** What {@link crashRun} needs of the server: its functions, one of which may tell the other. */
export async function deployForCrash(hearth: Hearth): Promise<void> {
  const Resource = 'arn:aws:lambda:us-east-1:000000000000:function:sink'
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource }]
  const role = await hearth.request('/v1/roles/crash', {
    method: 'PUT',
    body: JSON.stringify({ policies: { tell: { Version: '2012-10-17', Statement } } })
  })
  if (!role.ok) throw new Error(await role.text())
  for (const [name, source] of Object.entries(SOURCES)) {
    const answer = await hearth.deploy(
      `${name}.mjs`,
      source,
      'concurrency=32&role=arn:aws:iam::000000000000:role/crash'
    )
    if (!answer.ok) throw new Error(await answer.text())
  }
}

/** Records that are looked up together. */
const CHECKED_AT_ONCE = 500

/** Functions that {@link crashRun} sends events to. The outcome of the first goes to the second, by a config. */
const SOURCES = {
  work: `export const handler = async (event) => { console.log('ran ' + event.n); return event.n }`,
  sink: `export const handler = async () => null`
}

/**
 * Sends events while the gateway is killed again and again, waits for all to end, and reads the queue afterwards. The
 * server is stopped then.
 *
 * @throws Error when they do not end in time
 */
export async function crashRun(hearth: Hearth, { events, clients, kills, patienceMs }: CrashRun): Promise<CrashResult> {
  const accepted: string[] = []
  let next = 0
  const client = async (): Promise<void> => {
    while (next < events) {
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
  const all = Array.from({ length: clients }, client)
  for (let kill = 1; kill <= kills; kill++) {
    const at = Math.floor((events * kill) / (kills + 1)) + randomInt(Math.max(1, Math.floor(events / (kills + 1) / 2)))
    await eventually(() => accepted.length >= at, patienceMs)
    const answer = await eventually(() =>
      hearth.request('/v1/functions/work/invocations?status=succeeded').catch(() => undefined)
    )
    const { invocations } = (await answer.json()) as { invocations: { requestId: string; endedAt: string }[] }
    for (const { requestId, endedAt } of invocations) done.set(requestId, endedAt)
    process.kill(hearth.pids().gateway, 'SIGKILL')
  }
  await Promise.all(all)
  // In this order, so that an event that begins between the two is seen by one of them.
  const open = async (name: string, status: 'queued' | 'running'): Promise<boolean> => {
    const answer = await hearth
      .request(`/v1/functions/${name}/invocations?status=${status}&limit=1`)
      .catch(() => undefined)
    return answer?.status !== 200 || ((await answer.json()) as { invocations: unknown[] }).invocations.length > 0
  }
  const isOver = async (): Promise<boolean> => {
    for (const name of ['work', 'sink']) {
      if ((await open(name, 'queued')) || (await open(name, 'running'))) return false
    }
    const metrics = await (await hearth.request('/metrics')).text()
    return !/^hearth_async_pending_deliveries [1-9]/m.test(metrics)
  }
  await eventually(isOver, patienceMs)
  const { dataDir } = hearth
  process.kill(hearth.supervisor.pid!, 'SIGTERM')
  await new Promise((resolve) => hearth.supervisor.once('exit', resolve))
  return readResult(dataDir, accepted, done)
}

async function readResult(
  dataDir: string,
  accepted: readonly string[],
  done: ReadonlyMap<string, string>
): Promise<CrashResult> {
  const migrationsDir = path.join(ROOT, 'migrations/queue')
  const queue = await openEventQueue({ file: path.join(dataDir, 'queue.db'), migrationsDir })
  let lost = 0
  let again = 0
  let untold = 0
  let changed = 0
  try {
    const check = async (requestId: string): Promise<void> => {
      const record = await queue.find(requestId)
      if (record?.state !== 'succeeded') lost += 1
      else if (record.attempts !== 1) again += 1
      const deliveries = await queue.listDeliveries(requestId)
      const told = await queue.find(deliveries[0]?.id ?? '')
      if (deliveries.length !== 1 || deliveries[0]!.state !== 'delivered' || told?.state !== 'succeeded') untold += 1
    }
    for (let at = 0; at < accepted.length; at += CHECKED_AT_ONCE) {
      await Promise.all(accepted.slice(at, at + CHECKED_AT_ONCE).map(check))
    }
    for (const [requestId, endedAt] of done) {
      const record = await queue.find(requestId)
      if (record?.endedAt !== Date.parse(endedAt)) changed += 1
    }
  } finally {
    await queue.close()
  }
  const resumed = await countResumed(path.join(dataDir, 'logs/work'), done)
  return { accepted: accepted.length, lost, again, untold, changed, resumed, seen: done.size }
}

/** What the function printed, and when, of events that were seen ended by then. */
async function countResumed(logs: string, done: ReadonlyMap<string, string>): Promise<number> {
  let resumed = 0
  for (const name of await readdir(logs)) {
    for (const line of (await readFile(path.join(logs, name), 'utf8')).split('\n')) {
      if (!line.includes('ran ')) continue
      const { requestId, t: time } = JSON.parse(line) as { requestId: string; t: string }
      const endedAt = done.get(requestId)
      if (endedAt !== undefined && Date.parse(time) > Date.parse(endedAt)) resumed += 1
    }
  }
  return resumed
}
