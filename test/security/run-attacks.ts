import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { commandLine, eventually } from '../helpers/hearth.ts'
import { type Attack, commonVerdict, type Report, runControl, sourceOf } from './attack.ts'
import { discoverAttacks } from './discover.ts'
import { expectNumber } from './documented.ts'
import { launch, type Shot } from './launch.ts'
import type { World } from './world.ts'

/** Attacks that run side by side when they do not disturb each other. */
const JOBS = 4
/** Latency that another function may see in the worst case while an attack runs; idle it is about 2 ms. */
const WORST_MS = 1_500
const MIDDLE_MS = 150
/** The middle of fewer is one call that came at a bad time. */
const ENOUGH_CALLS = 10

/** Runs every attack that is written for Node.js in functions of Node.js. */
export async function runAttacks(t: Test, world: World): Promise<void> {
  const attacks = (await discoverAttacks()).filter((attack) => attack.in === undefined)
  t.jobs = JOBS
  let serial = 0
  let skipped = 0
  const run = (attack: Attack, buffered: boolean) => {
    const marker = `attack-${process.pid}-${++serial}`
    const skip = reasonToSkip(attack, world)
    if (skip !== false) skipped++
    return t.test(attack.name, { buffered, skip }, async (t) => {
      await runControlOf(t, attack, marker, world)
      const source = sourceOf(attack, marker)
      const shot: Shot = {
        marker,
        body: (await attack.archive?.(source, world)) ?? source,
        settings: attack.settings ?? '',
        event: { ...world.facts, attack: attack.name },
        via: attack.via,
        calls: attack.calls
      }
      await runAttack(t, attack, shot, world)
    })
  }
  await Promise.all(attacks.filter(({ alone }) => alone !== true).map((attack) => run(attack, true)))
  for (const attack of attacks) if (attack.alone === true) await run(attack, false)
  expectNumber(t, world, 'node', attacks.length, skipped)
}

/** Why an attack cannot run on this server, or false. */
export function reasonToSkip(attack: Attack, world: World): string | false {
  if (attack.arch !== undefined && attack.arch !== process.arch) return attack.arch
  return attack.skip?.(world) ?? false
}

/**
 * Deploys an attack, and looks whether it was stopped and all else is as before.
 *
 * @param watched - Whether nothing else runs, so that others' latency and the gateway's CPU time can be judged
 */
export async function runAttack(
  t: Test,
  attack: Attack,
  shot: Shot,
  world: World,
  watched = attack.alone === true
): Promise<void> {
  const perform = async () => {
    const [report, besides] = await Promise.all([launch(shot, world), attack.during?.(world)])
    const verdict = attack.verdict ?? ((report: Report) => commonVerdict(attack, report))
    return { report, wrong: besides ?? (await verdict(report, world)) }
  }
  if (watched) {
    const { result, watch } = await world.watch(perform)
    expectStopped(t, result, world)
    t.ok(
      watch.worstMs < WORST_MS && (watch.calls < ENOUGH_CALLS || watch.middleMs < MIDDLE_MS),
      'other functions go on being served',
      { watch }
    )
    t.ok(watch.gatewayCpu < (attack.gatewayCpu ?? 0.8), 'the gateway is not kept busy', { watch })
  } else expectStopped(t, await perform(), world)
  await expectAllAsBefore(t, shot.marker, world)
}

/** Removes the function. The server is well, nothing outside was touched, and no process is left. */
export async function expectAllAsBefore(t: Test, marker: string, world: World): Promise<void> {
  await (await world.hearth.request(`/v1/functions/${marker}`, { method: 'DELETE' })).body?.cancel()
  // The gateway sees that the function is gone when the next request comes: this one.
  t.equal(await world.illness(), undefined, 'the server and all else are as before')
  // An instance that was still starting may be seen for a moment after nothing was.
  let left: number[] = []
  await eventually(() => (left = world.processesOf(marker)).length === 0, 8_000).catch(() => {})
  t.same(left.map(describe), [], 'no process of it is left')
}

async function runControlOf(t: Test, attack: Attack, marker: string, world: World): Promise<void> {
  if (attack.control === undefined || !world.controls || (!world.asRoot && attack.controlAsRoot === true)) return
  const dir = path.join(world.scratch, marker)
  mkdirSync(dir)
  const loot = await runControl(attack, { ...world.facts, who: 'control', attack: attack.name }, dir, marker)
  const missing = attack.control.filter((wanted) => !loot.includes(wanted))
  t.same(missing, [], 'outside of a sandbox the same code succeeds', { loot })
}

function expectStopped(t: Test, { report, wrong }: { report: Report; wrong: string | undefined }, world: World): void {
  const { loot, refused, notes, status, failure, ms } = report
  t.equal(wrong, undefined, 'it is stopped', { status, failure, ms, loot, refused, notes })
  t.equal(world.leak(report.text), undefined, 'no secret is in its answer')
}

function describe(pid: number): string {
  return `${pid} ${commandLine(pid)}`
}
