import type { ReleaseCounts, ReleaseTally } from './release.ts'

/** Each bound is a quarter more than the one before, from 0.1 ms to over 15 minutes. */
const FIRST_MS = 0.1
const GROWTH = 1.25

/** How many buckets durations are sorted into. */
export const DURATION_BUCKETS = 73
/** How many gateway processes' tallies are told apart in one step; those before them are one sum. */
const KEPT = 8
const BEFORE = 'before'

/** The bucket of a duration in ms, 0 to {@link DURATION_BUCKETS} - 1. */
export function durationBucket(ms: number): number {
  if (ms <= FIRST_MS) return 0
  return Math.min(DURATION_BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)))
}

/**
 * Takes in what a gateway process has counted by now, in place of what it had counted before.
 *
 * @returns `known` itself when there is nothing new
 */
export function takeTally(known: readonly ReleaseTally[], tally: ReleaseTally): readonly ReleaseTally[] {
  const at = known.findIndex(({ gateway }) => gateway === tally.gateway)
  if (at === -1) return tally.invocations === 0 ? known : fold([...known, tally])
  // An earlier report that was held up on its way.
  return tally.invocations <= known[at]!.invocations ? known : known.with(at, tally)
}

/** What all gateway processes of a step have counted. */
export function countsOf(tallies: readonly ReleaseTally[]): ReleaseCounts {
  const { invocations, errors, slow, buckets } = sum(tallies)
  return { invocations, errors, slow, p99Ms: p99Ms(buckets, invocations) }
}

function fold(tallies: readonly ReleaseTally[]): readonly ReleaseTally[] {
  const surplus = tallies.length - KEPT
  return surplus <= 0 ? tallies : [sum(tallies.slice(0, surplus + 1)), ...tallies.slice(surplus + 1)]
}

function sum(tallies: readonly ReleaseTally[]): ReleaseTally {
  const buckets = new Array<number>(DURATION_BUCKETS).fill(0)
  let [invocations, errors, slow] = [0, 0, 0]
  for (const tally of tallies) {
    invocations += tally.invocations
    errors += tally.errors
    slow += tally.slow
    for (const [bucket, calls] of tally.buckets) buckets[bucket]! += calls
  }
  return { gateway: BEFORE, invocations, errors, slow, buckets: sparse(buckets) }
}

/** Buckets that have calls in them. */
export function sparse(buckets: ArrayLike<number>): [bucket: number, calls: number][] {
  return Array.from(buckets, (calls, bucket): [number, number] => [bucket, calls]).filter(([, calls]) => calls > 0)
}

/** Upper bound of the bucket that the 99th percentile is in. */
function p99Ms(buckets: ReleaseTally['buckets'], invocations: number): number | undefined {
  if (invocations === 0) return undefined
  let above = invocations / 100
  let bucket = 0
  for (const [index, calls] of buckets.toReversed()) {
    bucket = index
    above -= calls
    if (above < 0) break
  }
  return Math.round(FIRST_MS * GROWTH ** bucket * 100) / 100
}
