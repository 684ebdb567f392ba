import { functionNameIn } from './function-name.ts'

interface Subscribed {
  readonly group: string
  readonly destinationArn: string
}

/**
 * Which functions' lines a function must not be given: its own, and those of functions that are started, over however
 * many subscriptions, by its own lines. Else each line would make the next one, without end.
 *
 * @param groupOf - The log group that a function writes to; undefined: there is no such function
 * @returns names by the destination's name
 */
export function findLogLoops(
  subscriptions: readonly Subscribed[],
  groupOf: (functionName: string) => string | undefined
): ReadonlyMap<string, ReadonlySet<string>> {
  const fedBy = new Map<string, string[]>()
  for (const { group, destinationArn } of subscriptions) {
    fedBy.set(group, [...(fedBy.get(group) ?? []), functionNameIn(destinationArn)])
  }
  const loops = new Map<string, ReadonlySet<string>>()
  for (const { destinationArn } of subscriptions) {
    const destination = functionNameIn(destinationArn)
    if (loops.has(destination)) continue
    const reached = new Set([destination])
    // A set's own iteration sees what is added on the way.
    for (const name of reached) {
      const group = groupOf(name)
      for (const next of (group === undefined ? undefined : fedBy.get(group)) ?? []) reached.add(next)
    }
    loops.set(destination, reached)
  }
  return loops
}
