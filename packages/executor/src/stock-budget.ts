/** One kind of sandbox that would like to be kept ready. */
export interface Wish {
  /** How many are kept when there is room for all. */
  readonly base: number
  /** How many recent demand asks for; at least `base` counts. */
  readonly wanted: number
  /** Memory of one, in bytes. */
  readonly bytes: number
}

/**
 * Divides memory among kinds of sandbox. First each gets its base, those used last before those used long ago; then
 * what is left goes to what demand asks for beyond it, one at a time in turn, so that one kind's burst does not take
 * everything.
 *
 * @param wishes - The kind that was used last comes first
 * @param budgetBytes - For all of them together
 * @returns how many of each may be kept, in the order of `wishes`
 */
export function divideBudget(wishes: readonly Wish[], budgetBytes: number): number[] {
  let left = budgetBytes
  const granted = wishes.map(({ base, bytes }) => {
    const count = Math.min(base, Math.floor(left / bytes))
    left -= count * bytes
    return count
  })
  for (let isGiven = true; isGiven; ) {
    isGiven = false
    for (const [i, { wanted, bytes }] of wishes.entries()) {
      if (granted[i]! >= wanted || bytes > left) continue
      granted[i]!++
      left -= bytes
      isGiven = true
    }
  }
  return granted
}
