import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Facts, type Kit, makeKit } from './kit.ts'
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
  /** What it does, as a verb. */
  readonly name: string
  /** Runs inside; its source text is deployed, so it may use nothing but its argument. Or that text itself. */
  readonly body: ((kit: Kit) => unknown) | string
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
  const text = String(attack.body)
  // The source of a method has no `function` before it.
  const property = /^(async )?body\(/.test(text) ? text : `body: ${text}`
  return `
    process.title = '${marker}'
    const makeKit = ${String(makeKit)}
    const { body: attack } = { ${property} }
    export const handler = async (facts) => {
      const kit = makeKit(facts)
      const answer = await attack(kit)
      return answer ?? { loot: kit.loot, refused: kit.refused, notes: kit.notes }
    }
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
