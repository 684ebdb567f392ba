import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { createCheckedAddresses } from '@hearth/shared'
import { FetchError, fetchJson, refusedAddress } from './fetch-json.ts'

export interface KeySourceOptions {
  /** Networks that may be reached beside public addresses. */
  readonly networks: readonly string[]
  /** Folder of key sets; undefined: there is none. */
  readonly dir: string | undefined
  /** For each of the two requests. Default: what AWS waits. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 1_500
const MAX_BYTES = 262_144
const MOST_FILES = 100

/**
 * Gets the key set of an issuer of tokens: from a file that the operator has put there for it, else as OpenID Connect
 * Discovery says. An issuer is a name that an API's owner has chosen: it is compared with what files say, and never
 * part of a path.
 *
 * @throws Error that says why there is none
 */
export function createKeySource({ networks, dir, timeoutMs = TIMEOUT_MS }: KeySourceOptions) {
  const addresses = createCheckedAddresses(networks, refusedAddress)
  const options = { addresses, timeoutMs, maxBytes: MAX_BYTES }
  return async (issuer: string): Promise<unknown> => {
    const local = dir === undefined ? undefined : await findLocal(dir, issuer)
    if (local !== undefined) return local
    const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const { jwks_uri: uri } = ((await fetchJson(discovery, options)) ?? {}) as { readonly jwks_uri?: unknown }
    if (typeof uri !== 'string') throw new FetchError('its configuration names no jwks_uri')
    if (discovery.startsWith('https:') && !uri.startsWith('https:')) throw new FetchError('its jwks_uri is not https')
    return fetchJson(uri, options)
  }
}

/** A file that cannot be read is the operator's to hear of: whose it is, nobody knows then. */
async function findLocal(dir: string, issuer: string): Promise<unknown> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).sort()
  for (const name of names.slice(0, MOST_FILES)) {
    const file = path.join(dir, name)
    if ((await stat(file)).size > MAX_BYTES) throw new Error(`${file} is larger than ${MAX_BYTES} bytes`)
    const set = JSON.parse(await readFile(file, 'utf8')) as { readonly issuer?: unknown } | null
    if (set?.issuer === issuer) return set
  }
  return undefined
}
