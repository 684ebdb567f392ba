import { ANY, bracketed, type CharSet, escaped, OTHERS, single } from './char-set.ts'
import { FilterFault } from './fault.ts'

/** More steps than this in one expression are refused: `x{200}` has 200. */
const MOST_STEPS = 400
/** Remembered at once; more of them, and they are found anew. */
const MOST_STATES = 500

type Step =
  | { readonly kind: 'char'; readonly set: CharSet }
  /** May go on with any of these. */
  | { readonly kind: 'fork'; readonly to: readonly number[] }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'found' }

/** The steps that a text may stand at after some of its characters. */
interface State {
  readonly steps: readonly number[]
  readonly isFound: boolean
  /** Of each character: undefined as long as none had to know. */
  readonly next: (State | undefined)[]
}

/**
 * Compiles the subset of regular expressions that filter patterns have: no groups, no look-around, no references. Time
 * is linear in the text, whatever the expression: all ways through it are gone at once.
 *
 * @returns whether it is found anywhere in a text. `$` is before the last line feed too
 * @throws FilterFault
 * @see reference: CloudWatch Logs §2.4
 */
export function compileRegex(source: string): (text: string) => boolean {
  const steps = readSteps(source)
  let known = new Map<string, State>()

  const stateOf = (entries: readonly number[], atStart: boolean): State => {
    const reached = follow(steps, entries, atStart, false)
    const key = reached.join()
    const old = known.get(key)
    if (old !== undefined) return old
    if (known.size >= MOST_STATES) known = new Map()
    const isFound = reached.some((step) => steps[step]!.kind === 'found')
    const state: State = { steps: reached, isFound, next: new Array<State | undefined>(OTHERS + 1).fill(undefined) }
    known.set(key, state)
    return state
  }
  const after = (state: State, code: number): State => {
    const entries = [0]
    for (const at of state.steps) {
      const step = steps[at]!
      if (step.kind === 'char' && step.set[code] === 1) entries.push(at + 1)
    }
    const next = stateOf(entries, false)
    state.next[code] = next
    return next
  }
  const isFoundAtEnd = ({ steps: at }: State, atStart: boolean): boolean =>
    follow(steps, at, atStart, true).some((step) => steps[step]!.kind === 'found')
  const first = stateOf([0], true)

  return (text) => {
    const length = text.endsWith('\n') ? text.length - 1 : text.length
    let state = first
    for (let i = 0; i < length && !state.isFound; i++) {
      const code = Math.min(text.charCodeAt(i), OTHERS)
      state = state.next[code] ?? after(state, code)
    }
    return state.isFound || isFoundAtEnd(state, length === 0)
  }
}

/** @returns steps that wait for a character or for the end, or are the end, sorted */
function follow(steps: readonly Step[], entries: readonly number[], atStart: boolean, atEnd: boolean): number[] {
  const seen = new Set<number>()
  const open = [...entries]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const step = steps[at]!
    if (step.kind === 'fork') open.push(...step.to)
    else if ((step.kind === 'start' && atStart) || (step.kind === 'end' && atEnd)) open.push(at + 1)
  }
  return [...seen].filter((at) => !['fork', 'start'].includes(steps[at]!.kind)).sort((a, b) => a - b)
}

function readSteps(source: string): readonly Step[] {
  if (source === '') throw new FilterFault('Invalid filter pattern: a regular expression is empty')
  const ways = readAlternatives(source)
  const starts: number[] = []
  const steps: Step[] = [{ kind: 'fork', to: starts }]
  for (const way of ways) {
    starts.push(steps.length)
    // Forks in a way count from its own beginning.
    const base = steps.length
    for (const step of way) {
      steps.push(step.kind === 'fork' ? { kind: 'fork', to: step.to.map((at) => at + base) } : step)
    }
    steps.push({ kind: 'found' })
  }
  if (steps.length > MOST_STEPS) throw new FilterFault('Invalid filter pattern: a regular expression is too long')
  return steps
}

function readAlternatives(source: string): Step[][] {
  let steps: Step[] = []
  const ways = [steps]
  for (let i = 0; i < source.length; ) {
    const character = source[i]!
    if (character === '|') {
      steps = []
      ways.push(steps)
      i++
    } else if (character === '^' || character === '$') {
      steps.push({ kind: character === '^' ? 'start' : 'end' })
      i++
    } else {
      const { set, end } = readSet(source, i)
      const { least, most, end: behind } = readTimes(source, end)
      repeat(steps, set, least, most)
      i = behind
    }
  }
  return ways
}

function readSet(source: string, at: number): { readonly set: CharSet; readonly end: number } {
  const character = source[at]!
  switch (character) {
    case '.':
      return { set: ANY, end: at + 1 }
    case '\\':
      return escaped(source, at + 1)
    case '[':
      return bracketed(source, at + 1)
    default:
      return { set: single(character), end: at + 1 }
  }
}

function readTimes(source: string, at: number) {
  switch (source[at]) {
    case '?':
      return { least: 0, most: 1, end: at + 1 }
    case '*':
      return { least: 0, most: Number.POSITIVE_INFINITY, end: at + 1 }
    case '+':
      return { least: 1, most: Number.POSITIVE_INFINITY, end: at + 1 }
    case '{': {
      const [whole, low, comma, high] = /^\{(\d{1,3})(,?)(\d{0,3})\}/.exec(source.slice(at, at + 9)) ?? []
      if (whole === undefined || (comma === '' && high !== '')) {
        throw new FilterFault('Invalid filter pattern: repetitions are written {n}, {n,} or {n,m}')
      }
      const least = Number(low)
      const most = comma === '' ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high)
      if (most < least)
        throw new FilterFault('Invalid filter pattern: repetitions go from the lower to the higher number')
      return { least, most, end: at + whole.length }
    }
    default:
      return { least: 1, most: 1, end: at }
  }
}

function repeat(steps: Step[], set: CharSet, least: number, most: number): void {
  const step: Step = { kind: 'char', set }
  for (let i = 0; i < least; i++) steps.push(step)
  if (most === Number.POSITIVE_INFINITY) {
    const here = steps.length
    steps.push({ kind: 'fork', to: [here + 1, here + 3] }, step, { kind: 'fork', to: [here] })
  } else {
    const end = steps.length + 2 * (most - least)
    for (let i = least; i < most; i++) steps.push({ kind: 'fork', to: [steps.length + 1, end] }, step)
  }
  if (steps.length > MOST_STEPS) throw new FilterFault('Invalid filter pattern: a regular expression is too long')
}
