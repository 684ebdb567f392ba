/**
 * The version that serves `wanted` best: the same, or else the next newer, or else the newest that there is.
 * Newer interpreters mostly run older code; the other way round does not hold.
 *
 * @param have - Versions as numbers that can be compared: `20` for Node.js 20, `3.013` will not do for Python 3.13
 */
export function nearestVersion(wanted: number, have: readonly number[]): number | undefined {
  const sorted = [...have].sort((a, b) => a - b)
  return sorted.find((version) => version >= wanted) ?? sorted.at(-1)
}
