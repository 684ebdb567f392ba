import type { PatternReader } from './expression.ts'

/** From the root of a message; `*` is every member or element. */
export type Selector = readonly (string | number | typeof EVERY)[]

export const EVERY = Symbol('every')

const NAME = /[^\s.[\](){}<>=!&|,"'%*]+/y
const INDEX = /\d{1,9}/y

/** `$.a.b[0]`, `$.["with.dots"]`, `$.*`. @throws FilterFault */
export function readSelector(reader: PatternReader): Selector {
  if (!reader.take('$')) throw reader.fault("a selector, which begins with '$.', is missing")
  const steps: (string | number | typeof EVERY)[] = []
  for (;;) {
    if (reader.peek() === '.') {
      reader.take('.')
      if (reader.peek() === '[') steps.push(readBracket(reader))
      else if (reader.peek() === '*') steps.push(readEvery(reader))
      else {
        const name = reader.takeMatch(NAME)
        if (name === '') throw reader.fault('the name of a member is missing')
        steps.push(name)
      }
    } else if (reader.peek() === '[') steps.push(readBracket(reader))
    else break
  }
  if (steps.length === 0) throw reader.fault("a selector begins with '$.'")
  return steps
}

/** What a selector leads to, whatever it is; nothing where there is nothing. */
export function select(root: unknown, selector: Selector): readonly unknown[] {
  let found: readonly unknown[] = [root]
  for (const step of selector) {
    if (found.length === 0) break
    found = found.flatMap((value) => stepInto(value, step))
  }
  return found
}

function stepInto(value: unknown, step: Selector[number]): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (step === EVERY) return Object.values(value)
  if (Array.isArray(value) !== (typeof step === 'number')) return []
  return Object.hasOwn(value, step) ? [(value as Record<string | number, unknown>)[step]] : []
}

function readBracket(reader: PatternReader): string | number | typeof EVERY {
  reader.take('[')
  reader.skipBlanks()
  const name = reader.takeQuoted('"') ?? reader.takeQuoted("'")
  let step: string | number | typeof EVERY
  if (name !== undefined) step = name
  else if (reader.peek() === '*') step = readEvery(reader)
  else {
    const index = reader.takeMatch(INDEX)
    if (index === '') throw reader.fault('a number or a name in quotes is missing')
    step = Number(index)
  }
  if (!reader.take(']')) throw reader.fault("']' is missing")
  return step
}

function readEvery(reader: PatternReader): typeof EVERY {
  reader.take('*')
  return EVERY
}
