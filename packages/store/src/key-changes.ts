import type { Db } from './sqlite-addon.ts'

/**
 * Tells whether keys, or what somebody is allowed, changed since it was last asked, by whichever process. Microseconds
 * when nothing did.
 */
export function watchKeys(db: Db): () => boolean {
  const newest = db.prepare<[], number>(`SELECT seq FROM sqlite_sequence WHERE name = 'changes'`).pluck()
  const oldest = db.prepare<[], number | null>('SELECT min(seq) FROM changes').pluck()
  const found = db
    .prepare<[seq: number], number>(`SELECT 1 FROM changes WHERE kind = 'key' AND seq > ? LIMIT 1`)
    .pluck()
  let seen = newest.get() ?? 0
  return () => {
    const seq = newest.get() ?? 0
    if (seq === seen) return false
    // Behind the trail's beginning nobody knows what was in between.
    const changed = seen + 1 < (oldest.get() ?? 0) || found.get(seen) !== undefined
    seen = seq
    return changed
  }
}
