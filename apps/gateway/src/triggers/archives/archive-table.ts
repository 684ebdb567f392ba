import { compileEventPattern, createRuleIndex, type RuleIndex } from '@hearth/shared'
import type { Triggers } from '../kind.ts'

/** The archives of all buses, in memory. */
export interface ArchiveTable {
  update(triggers: Pick<Triggers, 'archives'>): void
  /** @returns ids of the archives that keep an event */
  find(bus: string, event: object): readonly string[]
}

interface BusArchives {
  /** Of those that keep everything. */
  readonly all: readonly string[]
  readonly some: RuleIndex<string>
}

const NONE: readonly string[] = []

export function createArchiveTable(onError: (err: unknown) => void): ArchiveTable {
  let buses = new Map<string, BusArchives>()

  return {
    update({ archives }) {
      const lists = new Map<
        string,
        { all: string[]; some: { rule: string; pattern: ReturnType<typeof compileEventPattern> }[] }
      >()
      for (const { bus, id, pattern } of archives) {
        const list = lists.get(bus) ?? { all: [], some: [] }
        lists.set(bus, list)
        try {
          if (pattern === undefined) list.all.push(id)
          else list.some.push({ rule: id, pattern: compileEventPattern(pattern) })
        } catch (err) {
          onError(err)
        }
      }
      buses = new Map([...lists].map(([bus, { all, some }]) => [bus, { all, some: createRuleIndex(some) }]))
    },
    find(bus, event) {
      const archives = buses.get(bus)
      if (archives === undefined) return NONE
      const some = archives.some.find(event)
      return some.length === 0 ? archives.all : [...archives.all, ...some]
    }
  }
}
