import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { ROOT } from '../helpers/hearth.ts'
import type { RuntimeName } from './runtimes/runtime.ts'
import type { World } from './world.ts'

/** What a machine may lack on which root runs the tests: another processor's ABIs, an address, the packet filter. */
const MOST_SKIPPED = 6

/** How many attacks docs/security.md says that run in the sandbox of a runtime. @throws Error if it says nothing */
function documentedNumber(runtime: RuntimeName | 'node'): number {
  const text = readFileSync(path.join(ROOT, 'docs/security.md'), 'utf8')
  const number = new RegExp(`^\\| \`${runtime}\` \\|(?:[^|\\n]*\\|)* (\\d+) \\|$`, 'm').exec(text)?.[1]
  if (number === undefined) throw new Error(`docs/security.md has no number of attacks for ${runtime}`)
  return Number(number)
}

/** The documentation may not claim more than there is, and what is skipped, with its reason, may not be much. */
export function expectNumber(t: Test, world: World, runtime: RuntimeName | 'node', all: number, skipped: number): void {
  const documented = documentedNumber(runtime)
  t.ok(all >= documented, `docs/security.md says ${documented} attacks in the sandbox of ${runtime}`, { all })
  if (world.privileged) t.ok(skipped <= MOST_SKIPPED, `all but ${skipped} of them run`)
}
