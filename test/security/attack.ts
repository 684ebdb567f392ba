import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Facts, type Kit, makeKit } from './kit.ts'
import type { RuntimeName } from './runtimes/runtime.ts'
import type { World } from './world.ts'

/** What came back from an attack. */
export interface Report {
  readonly functionName: string
  /** Of HTTP; that of the deployment when it was refused. */
  readonly status: number
  /** As `x-hearth-function-error` names it; empty when the function answered. */
  readonly failure: string
  readonly headers: Headers
  readonly text: string
  readonly ms: number
  readonly loot: readonly string[]
  readonly refused: Readonly<Record<string, string>>
  readonly notes: Readonly<Record<string, unknown>>
}

/** A function that does what it should not. */
export interface Attack {
  /** What it does, as a verb. Unique. */
  readonly name: string
  /** The runtime that it is written for; Node.js unless told. Its body is then a text as `runtimes/` describes. */
  readonly in?: RuntimeName
  /** Runs inside; its source text is deployed, so it may use nothing but its argument. Or that text itself. */
  readonly body: ((kit: Kit) => unknown) | string
  /**
   * How it runs in the sandboxes of the other runtimes: `together` with others in one event, which is usual where the
   * common verdict judges it; in an event `by itself` when it may end its sandbox; `nowhere` when it is about a part that
   * only Node.js's sandboxes have.
   */
  readonly elsewhere?: 'together' | 'by itself' | 'nowhere'
  /** Query of the deployment. */
  readonly settings?: string
  /** Files beside the handler's own, or the whole package. */
  readonly archive?: (source: string, world: World) => Promise<Uint8Array>
  /** How an attempt may fail: anything else means that the attack was malformed and proves nothing. */
  readonly only?: readonly string[]
  /** What the same code gets hold of outside of a sandbox: the proof that the attack works. */
  readonly control?: readonly string[]
  /** The control works only for root. */
  readonly controlAsRoot?: true
  /** Instead of the common verdict. @returns what is wrong */
  readonly verdict?: (report: Report, world: World) => string | undefined | Promise<string | undefined>
  /** Runs while the attack does. @returns what is wrong */
  readonly during?: (world: World) => Promise<string | undefined>
  /** Runs while nothing else does; other functions' latency and the gateway's CPU time are watched meanwhile. */
  readonly alone?: true
  /** Part of one CPU that the gateway may use during the attack; 0.8 unless told. */
  readonly gatewayCpu?: number
  readonly via?: 'url'
  /** Calls at the same time; the first one's answer counts, but all must be answered. */
  readonly calls?: number
  /** Depends on the processor. */
  readonly arch?: 'x64'
  /** Not on this server. */
  readonly skip?: (world: World) => string | undefined
}

/** The attack as a function's source file. `marker` is found in the command line or environment of all its processes. */
export function sourceOf(attack: Attack, marker: string): string {
  return `
    process.title = '${marker}'
    const makeKit = ${String(makeKit)}
    const { body: attack } = { ${bodyOf(attack)} }
    export const handler = async (facts) => {
      const kit = makeKit(facts)
      const answer = await attack(kit)
      return answer ?? { loot: kit.loot, refused: kit.refused, notes: kit.notes }
    }
  `
}

/** The body as a property of an object literal. The source of a method has no `function` before it. */
function bodyOf({ body }: Attack): string {
  const text = String(body)
  return /^(async )?body\(/.test(text) ? text : `body: ${text}`
}

/** How an attack that is written for Node.js runs in the sandboxes of the other runtimes. */
export function elsewhere(attack: Attack): NonNullable<Attack['elsewhere']> {
  if (attack.elsewhere !== undefined) return attack.elsewhere
  const isPlain =
    attack.in === undefined &&
    attack.verdict === undefined &&
    attack.during === undefined &&
    attack.archive === undefined &&
    attack.via === undefined &&
    attack.calls === undefined
  return isPlain ? 'together' : 'nowhere'
}

/**
 * A program that runs those of these attacks which its facts name, one after the other, and prints a line of JSON for
 * each. What it says on stderr, and so in the function's log, tells which one was the last.
 */
export function carriedSource(attacks: readonly Attack[]): string {
  const list = attacks.map((attack) => `{ name: ${JSON.stringify(attack.name)}, ${bodyOf(attack)} }`)
  return `
    import fs from 'node:fs'
    const makeKit = ${String(makeKit)}
    const { wanted, ...facts } = JSON.parse(fs.readFileSync(0, 'utf8'))
    for (const { name, body } of [${list.join(',\n')}].filter(({ name }) => wanted.includes(name))) {
      process.chdir('/tmp')
      console.error('begins: ' + name)
      const kit = makeKit({ ...facts, attack: name })
      const report = { name, loot: kit.loot, refused: kit.refused, notes: kit.notes }
      try {
        Object.assign(report, await body(kit))
      } catch (error) {
        report.wrong = String(error.stack)
      }
      console.log(JSON.stringify(report))
      for (const folder of ['/tmp', '/dev/shm'])
        for (const left of fs.readdirSync(folder)) fs.rmSync(folder + '/' + left, { recursive: true, force: true })
    }
    process.exit(0)
  `
}

/** Runs the attack's code where nothing protects from it. @returns its loot */
export async function runControl(attack: Attack, facts: Facts, dir: string, marker: string): Promise<string[]> {
  const file = path.join(dir, `${marker}.mjs`)
  const call = `handler(${JSON.stringify(facts)}).then((answer) => { console.log(JSON.stringify(answer)) })`
  writeFileSync(file, `${sourceOf(attack, marker)}\n${call}`)
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [file],
      { cwd: dir, timeout: 20_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`control: ${error.message}\n${stderr}`))
      }
    )
  })
  return (JSON.parse(output) as { loot: string[] }).loot
}

/** Stopped: it ran to its end, tried something, got nothing, and was refused for the right reasons. */
export function commonVerdict(attack: Attack, report: Report): string | undefined {
  const { status, failure, loot, refused, text } = report
  if (status !== 200 || failure !== '')
    return `the attack did not run to its end: ${status} ${failure} ${text.slice(0, 500)}`
  if (loot.length > 0) return `it got hold of: ${loot.join(', ')}`
  if (Object.keys(refused).length === 0) return 'it tried nothing'
  for (const [what, error] of Object.entries(refused)) {
    if (attack.only !== undefined && !attack.only.includes(error))
      return `${what} failed with ${error}, which proves nothing`
  }
  return undefined
}

/** The instance was ended, and nothing it returned was taken for an answer. */
export function ended(...reasons: readonly string[]): (report: Report) => string | undefined {
  return ({ status, failure, text }) => {
    if (status !== 502 && status !== 504) return `answered with ${status}: ${text.slice(0, 300)}`
    return reasons.length === 0 || reasons.includes(failure) ? undefined : `ended by ${failure}: ${text.slice(0, 300)}`
  }
}
