/** One kind of sandbox that would like to be kept ready. */
export interface Wish {
  /** How many are kept when there is room for all. */
  readonly base: number
  /** How many recent demand asks for; at least `base` counts. */
  readonly wanted: number
  /** Memory of one, in bytes. */
  readonly bytes: number
  /** Whether a function of this kind has instances now, or lately wanted one. */
  readonly inUse: boolean
}

/**
 * Divides memory among kinds of sandbox: those in use first, and what they leave among the others. Of each sort every
 * kind gets its base, those used last before those used long ago; then what is left goes to what demand asks for beyond
 * it, one at a time in turn, so that one kind's burst does not take everything.
 *
 * @param wishes - The kind that was used last comes first
 * @param budgetBytes - For all of them together
 * @returns how many of each may be kept, in the order of `wishes`
 */
export function divideBudget(wishes: readonly Wish[], budgetBytes: number): number[] {
  let left = budgetBytes
  const granted = wishes.map(() => 0)
  for (const isTheirTurn of [true, false]) {
    const turn = [...wishes.entries()].filter(([, { inUse }]) => inUse === isTheirTurn)
    for (const [i, { base, bytes }] of turn) {
      granted[i] = Math.min(base, Math.floor(left / bytes))
      left -= granted[i] * bytes
    }
    for (let isGiven = true; isGiven; ) {
      isGiven = false
      for (const [i, { wanted, bytes }] of turn) {
        if (granted[i]! >= wanted || bytes > left) continue
        granted[i]!++
        left -= bytes
        isGiven = true
      }
    }
  }
  return granted
}
