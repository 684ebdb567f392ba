import { FUNCTION_URL_ID, type FunctionUrl, hostName } from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'
import { Cors } from './cors.ts'

/** Where a request for a function's URL leads. */
export interface UrlTarget {
  readonly url: FunctionUrl
  readonly cors: Cors | undefined
  /** The host that it is called by. */
  readonly domainName: string
  readonly domainPrefix: string
}

/** A name that belongs to functions and leads to none, now or ever: nothing else is told about it. */
export const NOWHERE = Symbol('nowhere')

export interface UrlTable {
  /** @param header - The Host header as it came. @returns undefined when it is a name of the server itself */
  byHost(header: string): UrlTarget | typeof NOWHERE | undefined
  byId(id: string): UrlTarget | typeof NOWHERE
}

export interface UrlTableOptions {
  readonly reader: Pick<DirectoryReader, 'findUrl' | 'findDomain'>
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  /** Another number than before: something about functions has changed. */
  readonly generation: () => number
}

/** Answers remembered. Whoever sends other names with every request makes them be looked up, nothing worse. */
const ENTRIES = 4_096
/** No host name is longer: the rest is a port. */
const MAX_HEADER_CHARS = 260

/**
 * Function URLs by the hosts of requests. A name that was seen before costs one look into a map, also when it is the
 * server's own.
 */
export function createUrlTable({ reader, urlDomain, generation }: UrlTableOptions): UrlTable {
  const known = new Map<string, UrlTarget | typeof NOWHERE | null>()
  const suffix = `.${urlDomain}`
  let seen = generation()

  const forgetIfChanged = (): void => {
    const current = generation()
    if (current === seen && known.size < ENTRIES) return
    known.clear()
    seen = current
  }

  const targetOf = (url: FunctionUrl | undefined, domainName: string): UrlTarget | typeof NOWHERE =>
    url === undefined
      ? NOWHERE
      : {
          url,
          cors: url.cors === undefined ? undefined : new Cors(url.cors),
          domainName,
          domainPrefix: domainName.slice(0, domainName.indexOf('.'))
        }

  const byId = (id: string): UrlTarget | typeof NOWHERE =>
    targetOf(FUNCTION_URL_ID.test(id) ? reader.findUrl(id) : undefined, id + suffix)

  const lookUp = (header: string): UrlTarget | typeof NOWHERE | undefined => {
    const host = hostName(header)
    if (host.endsWith(suffix)) return byId(host.slice(0, -suffix.length))
    const domain = reader.findDomain(host)
    return domain && targetOf(domain.url, host)
  }

  return {
    byHost(header) {
      forgetIfChanged()
      const found = known.get(header)
      if (found !== undefined) return found ?? undefined
      if (header.length > MAX_HEADER_CHARS) return undefined
      const target = lookUp(header)
      known.set(header, target ?? null)
      return target
    },
    byId(id) {
      forgetIfChanged()
      // Host names have no slash, so the two can't be mistaken.
      const key = `/${id}`
      const found = known.get(key)
      if (found !== undefined && found !== null) return found
      const target = byId(id)
      if (id.length === 32) known.set(key, target)
      return target
    }
  }
}
