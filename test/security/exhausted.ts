import type { Attack, Report } from './attack.ts'
import type { World } from './world.ts'

/** How an instance ends that wants more than there is. A mistake in the attack itself would have another name. */
const ENDS = ['Runtime.OutOfMemory', 'Runtime.ExitError', 'Sandbox.Timedout']

/** It tried, was refused or ended for it, and never had it all. */
export const exhausted: NonNullable<Attack['verdict']> = ({ status, failure, loot, refused, notes, text }: Report) => {
  if (loot.length > 0) return `it got ${loot.join(', ')} ${JSON.stringify(notes)}`
  if (status === 200 && failure === '') return Object.keys(refused).length > 0 ? undefined : `it tried nothing: ${text}`
  return ENDS.includes(failure) ? undefined : `ended by ${status} ${failure}: ${text.slice(0, 300)}`
}

/** Where memory is counted for whole sandboxes, it is known to be what ended this one. */
export const outOfMemory: NonNullable<Attack['verdict']> = (report: Report, world: World) => {
  const isCounted = !world.weak.has('memory-limit') && !world.weak.has('oom-detection')
  if (!isCounted || report.failure === 'Runtime.OutOfMemory') return exhausted(report, world)
  return `ended by ${report.status} ${report.failure}: ${report.text.slice(0, 300)}`
}
