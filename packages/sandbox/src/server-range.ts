const FIRST_UID = 300_000
const UIDS_PER_SERVER = 16_384
const SERVERS = 8192

/** FNV-1a: spreads server ids evenly over the ranges that they get. */
export function hashServerId(serverId: string): number {
  let hash = 0x811c9dc5
  for (const char of serverId) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return hash >>> 0
}

/** Hands out uids to sandboxes, each to one at a time. */
export interface UidPool {
  /** @throws Error when 16,384 sandboxes are running */
  take(): number
  /** To be called when no process of the sandbox is left. */
  free(uid: number): void
}

/** The uids of one server: apart from those of other servers on this machine and of ordinary users. */
export function uidPool(serverId: string): UidPool {
  const first = FIRST_UID + (hashServerId(serverId) % SERVERS) * UIDS_PER_SERVER
  const taken = new Set<number>()
  let next = 0
  return {
    take() {
      if (taken.size >= UIDS_PER_SERVER) throw new Error('all uids for sandboxes are in use')
      while (taken.has(first + next)) next = (next + 1) % UIDS_PER_SERVER
      const uid = first + next
      // Round robin, so that a uid rests for as long as possible before it is used again.
      next = (next + 1) % UIDS_PER_SERVER
      taken.add(uid)
      return uid
    },
    free: (uid) => void taken.delete(uid)
  }
}
