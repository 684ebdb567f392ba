import { existsSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import { ZipFile } from 'yazl'
import { type Attack, carriedSource, commonVerdict, elsewhere, type Report } from './attack.ts'
import { discoverAttacks } from './discover.ts'
import { expectNumber } from './documented.ts'
import { launch, type Shot } from './launch.ts'
import { expectAllAsBefore, reasonToSkip, runAttack } from './run-attacks.ts'
import { RUNTIMES } from './runtimes/index.ts'
import { SUPERVISORS_NODE } from './runtimes/provided.ts'
import type { PackageFile, RuntimeUnderAttack } from './runtimes/runtime.ts'
import { buildStrike } from './runtimes/strike.ts'
import type { World } from './world.ts'

/** Attacks that run side by side. */
const JOBS = 4
/** All that is carried in one event: one whole CPU, and as long as it takes. */
const CARRIED = 'memory=1769&timeout=60'
const CARRIED_MS = 70_000

/** A runtime with its packages and attacks. */
interface Target {
  readonly runtime: RuntimeUnderAttack
  /** Written for it. */
  readonly natives: readonly Attack[]
  readonly package: Buffer
  /** With Node.js, where the sandbox has none. */
  readonly carrier: Buffer
  readonly files: readonly string[]
  /** Node.js as seen inside. */
  readonly node: string
}

/**
 * Attacks the sandboxes of all runtimes but Node.js: with what is written in their own languages, and with the attacks
 * of Node.js that a function of theirs starts as a child process.
 */
export async function runElsewhere(t: Test, world: World): Promise<void> {
  const attacks = await discoverAttacks()
  t.jobs = JOBS
  const { items } = (await (await world.hearth.request('/v1/runtimes')).json()) as {
    items: { id: string; interpreter: string | null; remedy: string | null }[]
  }
  const strike = buildStrike(mkdtempSync(path.join(world.scratch, 'strike-')))
  const pending: Promise<unknown>[] = []
  let serial = 0
  for (const runtime of RUNTIMES) {
    const { interpreter, remedy } = items.find(({ id }) => id === runtime.identifier) ?? {}
    if (interpreter === null || interpreter === undefined) {
      pending.push(t.test(`in ${runtime.name}`, { skip: remedy ?? 'not on this machine' }, () => {}))
      continue
    }
    const target = await build(runtime, attacks, strike, world)
    const marker = () => `attack-${process.pid}-${++serial}`
    let skipped = 0
    let all = 0
    const test = (attack: Attack, name: string, run: (t: Test) => Promise<void>) => {
      const skip = reasonToSkip(attack, world)
      all++
      if (skip !== false) skipped++
      pending.push(t.test(name, { buffered: true, skip }, run))
    }
    for (const [settings, group] of groupBySettings(attacks)) {
      const able = group.filter((attack) => reasonToSkip(attack, world) === false)
      all += group.length
      skipped += group.length - able.length
      if (able.length === 0) continue
      const title = `in ${runtime.name}, together${settings === '' ? '' : ` with ${settings}`}`
      pending.push(t.test(title, { buffered: true }, (t) => runTogether(t, target, able, settings, marker(), world)))
    }
    for (const attack of attacks.filter((attack) => elsewhere(attack) === 'by itself')) {
      test(attack, `in ${runtime.name}: ${attack.name}`, async (t) => {
        const settings = `memory=256&${attack.settings ?? ''}`
        const shot = carriedShot(target, [attack.name], settings, marker(), world)
        // Others' latency is not watched: much else runs beside it.
        await runAttack(t, attack, shot, world, false)
      })
    }
    target.natives.forEach((attack, n) => {
      test(attack, attack.name, async (t) => {
        const shot: Shot = {
          marker: marker(),
          body: (await attack.archive?.('', world)) ?? target.package,
          settings: settingsOf(runtime, n, attack.settings),
          event: eventOf(world, {}),
          calls: attack.calls
        }
        await runAttack(t, attack, shot, world)
      })
    })
    expectNumber(t, world, runtime.name, all, skipped)
  }
  await Promise.all(pending)
}

/** Attacks that harm nothing, one after the other in one event: each has a verdict of its own. */
async function runTogether(
  t: Test,
  target: Target,
  attacks: readonly Attack[],
  settings: string,
  marker: string,
  world: World
): Promise<void> {
  const names = attacks.map(({ name }) => name)
  const report = await launch(carriedShot(target, names, `${CARRIED}&${settings}`, marker, world), world)
  const outcomes = outcomesOf(report)
  for (const attack of attacks) {
    const outcome = outcomes.get(attack.name)
    const wrong =
      outcome === undefined
        ? 'it did not come to its end'
        : (outcome.wrong ?? commonVerdict(attack, { ...report, ...outcome }))
    t.equal(wrong, undefined, `${attack.name}: it is stopped`, { ...outcome })
  }
  t.equal(world.leak(report.text), undefined, 'no secret is in an answer')
  if (outcomes.size < attacks.length) {
    const log = await (await world.hearth.request(`/v1/functions/${marker}/logs?limit=1000`)).text()
    t.fail(`the last of: ${log.match(/begins: [^"]*/g)?.at(-1)}`, { ...report, text: report.text.slice(-500) })
  }
  await expectAllAsBefore(t, marker, world)
}

type Outcome = Pick<Report, 'loot' | 'refused' | 'notes'> & { readonly name: string; readonly wrong?: string }

function outcomesOf({ text }: Report): Map<string, Outcome> {
  try {
    const lines = (JSON.parse(text) as string).trim().split('\n')
    return new Map(lines.map((line) => JSON.parse(line) as Outcome).map((outcome) => [outcome.name, outcome]))
  } catch {
    return new Map()
  }
}

function groupBySettings(attacks: readonly Attack[]): Map<string, Attack[]> {
  const groups = new Map<string, Attack[]>()
  for (const attack of attacks) {
    if (elsewhere(attack) !== 'together') continue
    // All of them have this much memory, and more.
    const key = (attack.settings ?? '').replace(/^memory=\d+$/, '')
    groups.set(key, [...(groups.get(key) ?? []), attack])
  }
  return groups
}

function carriedShot(target: Target, wanted: readonly string[], settings: string, marker: string, world: World): Shot {
  const facts = JSON.stringify({ ...world.facts, files: target.files, wanted })
  return {
    marker,
    body: target.carrier,
    settings: settingsOf(target.runtime, target.natives.length, settings),
    event: eventOf(world, { node: target.node, facts }),
    answerMs: CARRIED_MS
  }
}

function settingsOf(runtime: RuntimeUnderAttack, n: number, settings = ''): string {
  const { identifier, memoryMiB } = runtime
  const handler = encodeURIComponent(runtime.handlerOf(n))
  return `runtime=${identifier}&handler=${handler}&memory=${memoryMiB}&${settings}`
}

/** Facts as lines, which every language can read without a library. */
function eventOf({ facts }: World, more: Readonly<Record<string, string>>): string {
  const flat = {
    dataDir: facts.dataDir,
    ports: facts.ports.join(','),
    pids: facts.pids.join(','),
    ...prefixed('canary', facts.canary),
    ...prefixed('number', facts.numbers),
    ...more
  }
  return Object.entries(flat)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
}

function prefixed(prefix: string, values: object): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, String(value)]))
}

async function build(
  runtime: RuntimeUnderAttack,
  attacks: readonly Attack[],
  strike: Buffer,
  world: World
): Promise<Target> {
  const natives = attacks.filter((attack) => attack.in === runtime.name)
  const carried = attacks.filter((attack) => elsewhere(attack) !== 'nowhere')
  const bodies = [...natives.map(({ body }) => String(body)), runtime.carrier]
  const files: Record<string, PackageFile> = {
    ...runtime.build(bodies, mkdtempSync(path.join(world.scratch, `${runtime.name}-`))),
    'strike.so': { content: strike, mode: 0o755 },
    'carried.mjs': { content: Buffer.from(carriedSource(carried)) }
  }
  const inside = runtime.name === 'provided' ? SUPERVISORS_NODE : nodeInUsr()
  const own = inside === undefined ? { node: { content: readFileSync(process.execPath), mode: 0o755 } } : {}
  const all: Record<string, PackageFile> = { ...files, ...own }
  return {
    runtime,
    natives,
    package: await zipped(files),
    carrier: await zipped(all),
    files: Object.keys(all),
    node: inside ?? '/var/task/node'
  }
}

/** Sandboxes show /usr: Node.js is there if it lies below that. */
function nodeInUsr(): string | undefined {
  const found = realpathSync(process.execPath)
  return found.startsWith('/usr/') && existsSync(found) ? found : undefined
}

async function zipped(files: Readonly<Record<string, PackageFile>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, { content, mode = 0o644 }] of Object.entries(files))
    zip.addBuffer(content, name, { mode: 0o100000 | mode })
  zip.end()
  return buffer(zip.outputStream)
}
