import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { ROOT } from '../helpers/hearth.ts'
import type { RuntimeName } from './runtimes/runtime.ts'
import type { World } from './world.ts'

/** How many attacks docs/security.md says that run in the sandbox of a runtime. @throws Error if it says nothing */
function documentedNumber(runtime: RuntimeName | 'node'): number {
  const text = readFileSync(path.join(ROOT, 'docs/security.md'), 'utf8')
  const number = new RegExp(`^\\| \`${runtime}\` \\| (\\d+) \\|`, 'm').exec(text)?.[1]
  if (number === undefined) throw new Error(`docs/security.md has no number of attacks for ${runtime}`)
  return Number(number)
}

/** The documentation may not claim more than what ran. What a machine could not do is skipped, with its reason. */
export function expectNumber(t: Test, world: World, runtime: RuntimeName | 'node', all: number, skipped: number): void {
  const documented = documentedNumber(runtime)
  // A server of root has all mechanisms: there the number is what did run.
  const ran = world.privileged ? all - skipped : all
  t.ok(ran >= documented, `docs/security.md says ${documented} attacks in the sandbox of ${runtime}`, { ran, skipped })
}
