import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { commandLine, eventually } from '../helpers/hearth.ts'
import { type Attack, commonVerdict, type Report, runControl, sourceOf } from './attack.ts'
import { ATTACKS } from './attacks/all.ts'
import type { World } from './world.ts'

/** Attacks that run side by side when they do not disturb each other. */
const JOBS = 4
/** Every caller has an answer by then: longer than any attack's own timeout. */
const ANSWER_MS = 15_000
/** Latency that another function may see in the worst case while an attack runs; idle it is about 2 ms. */
const WORST_MS = 1_500
const MIDDLE_MS = 150

/** Runs every attack against the server of `world`. */
export async function runAttacks(t: Test, world: World): Promise<void> {
  const together = ATTACKS.filter(({ alone }) => alone !== true)
  const alone = ATTACKS.filter((attack) => attack.alone === true)
  t.jobs = JOBS
  let serial = 0
  const run = (attack: Attack, buffered: boolean) => {
    const marker = `attack-${process.pid}-${++serial}`
    const options = {
      buffered,
      skip: attack.arch === undefined || attack.arch === process.arch ? (attack.skip?.(world) ?? false) : attack.arch
    }
    return t.test(attack.name, options, (t) => runAttack(t, attack, marker, world))
  }
  await Promise.all(together.map((attack) => run(attack, true)))
  for (const attack of alone) await run(attack, false)
}

async function runAttack(t: Test, attack: Attack, marker: string, world: World): Promise<void> {
  if (attack.control !== undefined && world.controls && (world.asRoot || attack.controlAsRoot !== true)) {
    const dir = path.join(world.scratch, marker)
    mkdirSync(dir)
    const loot = await runControl(attack, { ...world.facts, who: 'control' }, dir, marker)
    const missing = attack.control.filter((wanted) => !loot.includes(wanted))
    t.same(missing, [], 'outside of a sandbox the same code succeeds', { loot })
  }
  const perform = async () => {
    const [report, besides] = await Promise.all([launch(attack, marker, world), attack.during?.(world)])
    const verdict = attack.verdict ?? ((report: Report) => commonVerdict(attack, report))
    return { report, wrong: besides ?? (await verdict(report, world)) }
  }
  if (attack.alone === true) {
    const { result, watch } = await world.watch(perform)
    expectStopped(t, result, world)
    t.ok(watch.worstMs < WORST_MS && watch.middleMs < MIDDLE_MS, 'other functions go on being served', { watch })
    t.ok(watch.gatewayCpu < (attack.gatewayCpu ?? 0.8), 'the gateway is not kept busy', { watch })
  } else expectStopped(t, await perform(), world)

  await (await world.hearth.request(`/v1/functions/${marker}`, { method: 'DELETE' })).body?.cancel()
  // The gateway sees that the function is gone when the next request comes: this one.
  t.equal(await world.illness(), undefined, 'the server and all else are as before')
  // An instance that was still starting may be seen for a moment after nothing was.
  let left: number[] = []
  await eventually(() => (left = world.processesOf(marker)).length === 0, 8_000).catch(() => {})
  t.same(left.map(describe), [], 'no process of it is left')
}

function expectStopped(t: Test, { report, wrong }: { report: Report; wrong: string | undefined }, world: World): void {
  const { loot, refused, notes, status, failure, ms } = report
  t.equal(wrong, undefined, 'it is stopped', { status, failure, ms, loot, refused, notes })
  t.equal(world.leak(report.text), undefined, 'no secret is in its answer')
}

async function launch(attack: Attack, marker: string, world: World): Promise<Report> {
  const source = sourceOf(attack, marker)
  const body = (await attack.archive?.(source, world)) ?? source
  const settings = `timeout=10&env.ATTACK=${marker}${attack.settings === undefined ? '' : `&${attack.settings}`}`
  const deployed = await world.hearth.deploy(marker, body, dedupe(settings))
  const startedAt = performance.now()
  if (deployed.status !== 201) return toReport(marker, deployed, 'refused', startedAt)
  await deployed.body?.cancel()
  const target = attack.via === 'url' ? `/fn/${marker}` : `/v1/functions/${marker}/invocations`
  const calls = Array.from({ length: attack.calls ?? 1 }, async () => {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const call = world.hearth.request(target, { method: 'POST', body: JSON.stringify(world.facts), signal })
    return call
      .then((answer) => toReport(marker, answer, undefined, startedAt))
      .catch((error: unknown) => toReport(marker, Response.error(), `no answer: ${String(error)}`, startedAt))
  })
  const reports = await Promise.all(calls)
  return reports.find(({ status }) => status === 0) ?? reports[0]!
}

async function toReport(
  functionName: string,
  answer: Response,
  failure: string | undefined,
  startedAt: number
): Promise<Report> {
  const text = await answer.text()
  const value = parse(text)
  return {
    functionName,
    status: answer.status,
    failure: failure ?? answer.headers.get('x-hearth-function-error') ?? '',
    headers: answer.headers,
    text,
    ms: Math.round(performance.now() - startedAt),
    loot: value?.loot ?? [],
    refused: value?.refused ?? {},
    notes: value?.notes ?? {}
  }
}

function describe(pid: number): string {
  return `${pid} ${commandLine(pid)}`
}

/** What an attack answered, if it answered in JSON. */
function parse(text: string): Partial<Pick<Report, 'loot' | 'refused' | 'notes'>> | null {
  try {
    return JSON.parse(text) as Partial<Report> | null
  } catch {
    return null
  }
}

/** The last one of several with the same name counts. */
function dedupe(query: string): string {
  return new URLSearchParams(Object.fromEntries(new URLSearchParams(query))).toString()
}
