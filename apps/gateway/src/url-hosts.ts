import { hostName } from '@hearth/shared'
import type { Door } from './call.ts'
import type { Directory } from './directory.ts'
import type { Hallway } from './hallway.ts'
import type { HostBook, ServeHost } from './host-entrance.ts'
import { enterUrl } from './url-entrance.ts'
import type { NOWHERE, UrlTable, UrlTarget } from './url-table.ts'

export interface UrlHostsOptions {
  readonly hallway: Hallway & { readonly directory: Pick<Directory, 'refresh'> }
  readonly door: Door
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  /** Undefined until the database is there. */
  readonly table: () => UrlTable | undefined
}

/** Hosts of function URLs, and domains that lead to one. All that is below the URL domain is theirs. */
export function createUrlHosts({ hallway, door, urlDomain, table }: UrlHostsOptions): HostBook {
  const suffix = `.${urlDomain}`
  const serveAt =
    (target: UrlTarget | typeof NOWHERE | undefined): ServeHost =>
    (req, res, id) => {
      enterUrl(hallway, door, req, res, id, target)
    }
  return {
    find(header) {
      const urls = table()
      if (urls === undefined) return hostName(header).endsWith(suffix) ? serveAt(undefined) : undefined
      hallway.directory.refresh()
      const target = urls.byHost(header)
      return target && serveAt(target)
    }
  }
}
