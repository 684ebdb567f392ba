import { createHash } from 'node:crypto'
import path from 'node:path'

/**
 * Tells this server from others on the machine: eight characters that stay the same as long as its data folder does.
 *
 * @param part - For a host beside the first one: what it is for
 */
export function serverIdOf(dataDir: string, part = ''): string {
  const digest = createHash('sha256')
    .update(part === '' ? dataDir : `${dataDir}\0${part}`)
    .digest()
  return digest.readBigUInt64BE().toString(36).padStart(8, '0').slice(-8)
}

/**
 * Folder for sockets and sandbox roots: short, local, and gone after a restart of the machine.
 *
 * @param runtimeDir - The user's own (XDG_RUNTIME_DIR), if there is one.
 */
export function defaultRunDir(serverId: string, uid: number, runtimeDir: string | undefined): string {
  if (uid === 0) return path.join('/run/hearth', serverId)
  return path.join(runtimeDir ?? '/tmp', `hearth-${uid}`, serverId)
}
