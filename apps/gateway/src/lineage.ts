import { createHash } from 'node:crypto'

/** Calls of one function in one chain; the next is stopped. Source: Lambda developer guide, recursive loop detection. */
const MOST_CALLS = 16
/** Functions of a chain that are remembered; a longer list would not fit into what clients pass on. */
const MOST_FUNCTIONS = 16
/** As it comes: `Lineage=1:0123abcd:3|4567cdef:0`, the `1:` being its format. */
const LIST = /;Lineage=(?:1:)?([0-9a-f:|]*)/
const PART = /;Lineage=[^;]*/g

/**
 * How often a function is in the chain of calls that led to a call of it. The trace header says so: what calls a
 * function from inside a function (AWS's clients do) passes it on.
 *
 * @see reference: Lambda invocation §4
 */
export class Lineage {
  /** Names the function in trace headers. */
  readonly #key: string
  readonly #first: string
  readonly #mayRecurse: boolean

  /** @param mayRecurse - Count, and stop nothing */
  constructor(functionArn: string, mayRecurse: boolean) {
    this.#key = createHash('sha256').update(functionArn).digest('hex').slice(0, 8)
    this.#first = `;Lineage=1:${this.#key}:0`
    this.#mayRecurse = mayRecurse
  }

  /**
   * The trace header that the function is to see.
   *
   * @param traceId - The one that its caller sent
   * @returns undefined when it has been called too often in this chain
   */
  enter(traceId: string): string | undefined {
    const at = traceId.indexOf(';Lineage=')
    // The common case: somebody outside calls.
    if (at === -1) return traceId + this.#first
    const list = LIST.exec(traceId)?.[1] ?? ''
    const calls = new Map<string, number>()
    for (const entry of list.split('|')) {
      const [key = '', count = ''] = entry.split(':')
      if (key !== '' && /^\d{1,4}$/.test(count)) calls.set(key, Number(count))
    }
    const before = calls.get(this.#key)
    const now = before === undefined ? 0 : before + 1
    if (now >= MOST_CALLS && !this.#mayRecurse) return undefined
    // The last one is the newest: those before it are forgotten first.
    calls.delete(this.#key)
    const others = [...calls].slice(-(MOST_FUNCTIONS - 1))
    const all = [...others, [this.#key, now] as const].map(([key, count]) => `${key}:${count}`)
    return `${traceId.replace(PART, '')};Lineage=1:${all.join('|')}`
  }
}
