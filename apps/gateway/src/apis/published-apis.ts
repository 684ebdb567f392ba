import type { DirectoryReader, PublishedApis } from '@hearth/store'

/** APIs as the control plane has published them, read once for all who serve them. */
export interface PublishedApisWatch {
  attach(reader: Pick<DirectoryReader, 'apiRevision' | 'readApis'>): void
  /** To be called when something in the database was changed. @throws Error of the database; what was read before stays */
  refresh(): void
  /** What keeps APIs from being served as they are written, if anything does. */
  readonly health: () => string | undefined
}

/** @param takers - Told of what there is, first and whenever it has changed */
export function createPublishedApis(takers: readonly ((published: PublishedApis) => void)[]): PublishedApisWatch {
  let reader: Parameters<PublishedApisWatch['attach']>[0] | undefined
  let revision = -1
  let problem: string | undefined
  return {
    attach(opened) {
      reader = opened
    },
    refresh() {
      if (reader === undefined) return
      try {
        const current = reader.apiRevision()
        if (current !== revision) {
          const published = reader.readApis()
          for (const take of takers) take(published)
          revision = current
        }
        problem = undefined
      } catch (err) {
        problem = 'what is published cannot be read; the server log says why'
        throw err
      }
    },
    health: () => problem
  }
}
