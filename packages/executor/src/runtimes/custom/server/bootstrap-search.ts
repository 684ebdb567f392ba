import { existsSync } from 'node:fs'
import { executionProblem } from './processes.ts'

/** Where Lambda looks for the program of a custom runtime, in this order. */
const PLACES = ['/var/runtime/bootstrap', '/var/task/bootstrap', '/opt/bootstrap']

/** The program to start, or what is wrong. */
export function findBootstrap(): { readonly file: string } | { readonly problem: string } {
  const file = PLACES.find((place) => existsSync(place))
  if (file === undefined) return { problem: `Couldn't find valid bootstrap(s): [${PLACES.slice(1).join(' ')}]` }
  const problem = executionProblem(file)
  return problem === undefined ? { file } : { problem: `fork/exec ${file}: ${problem}` }
}
