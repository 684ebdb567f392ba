import { type ArnScope, HearthError, type LogGroup, type LogStream } from '@hearth/shared'
import type { LogGroupFacts, LogGroupsRepository, LogReader, LogStreamFacts } from '@hearth/store'
import type { ServiceInvoker } from '../service-invoker.ts'
import { noGroup, noStream } from './refusals.ts'

/** A group, whether somebody made it or a function did by writing. */
export interface KnownGroup extends LogGroup {
  /** On disk. */
  readonly storedBytes: number
}

export interface KnownStream extends LogStream {
  /** Undefined: it has no events. */
  readonly events: LogStreamFacts | undefined
}

export interface LogGroupsDeps {
  readonly repository: LogGroupsRepository
  /** Does not show what was removed. */
  readonly reader: LogReader
  readonly invoker: ServiceInvoker
  readonly scope: ArnScope
  /** Unix time in ms. */
  readonly now: () => number
  readonly exclusively: <T>(work: () => T) => T
}

/** Log groups and streams: those that are in the database, and those that are only in files because functions wrote them. */
export interface LogGroups extends LogGroupsDeps {
  find(name: string): Promise<KnownGroup | undefined>
  /** @throws HearthError LOG_GROUP_NOT_FOUND */
  require(name: string): Promise<KnownGroup>
  /** In the order of their names, in bytes. */
  list(): Promise<readonly KnownGroup[]>
  /** @throws HearthError LOG_GROUP_EXISTS */
  create(group: Pick<LogGroup, 'name' | 'class' | 'isDeletionRefused' | 'tags'>): Promise<void>
  /** Its events too. @throws HearthError LOG_GROUP_NOT_FOUND, RESOURCE_IN_USE */
  remove(name: string): Promise<void>
  /**
   * Changes what is said of a group; what `work` does is done together with it.
   *
   * @throws HearthError LOG_GROUP_NOT_FOUND
   */
  change(name: string, work: (group: LogGroup) => LogGroup): Promise<void>
  /** Says how long a group is kept, and makes it where there is none. @param days - Undefined: for ever */
  keep(name: string, days: number | undefined): Promise<void>
  /** In the order of their names, in bytes. @throws HearthError LOG_GROUP_NOT_FOUND */
  streams(group: string): Promise<readonly KnownStream[]>
  /** @throws HearthError LOG_GROUP_NOT_FOUND, RESOURCE_NOT_FOUND */
  requireStream(group: string, name: string): Promise<KnownStream>
  /** @throws HearthError LOG_GROUP_NOT_FOUND, RESOURCE_EXISTS */
  createStream(group: string, name: string): Promise<void>
  /** @throws HearthError LOG_GROUP_NOT_FOUND, RESOURCE_NOT_FOUND */
  removeStream(group: string, name: string): Promise<void>
}

export function createLogGroups(deps: LogGroupsDeps): LogGroups {
  const { repository, reader, now, exclusively } = deps

  async function find(name: string): Promise<KnownGroup | undefined> {
    const facts = await reader.group(name)
    const row = repository.findGroup(name)
    if (row !== undefined) return { ...row, storedBytes: facts?.storedBytes ?? 0 }
    return facts && unsaid(facts)
  }

  async function require(name: string): Promise<KnownGroup> {
    const found = await find(name)
    if (found === undefined) throw noGroup()
    return found
  }

  async function list(): Promise<readonly KnownGroup[]> {
    const facts = new Map((await reader.groups()).map((group) => [group.name, group]))
    const rows = repository.listGroups()
    const known = rows.map((row): KnownGroup => ({ ...row, storedBytes: facts.get(row.name)?.storedBytes ?? 0 }))
    for (const { name } of rows) facts.delete(name)
    for (const group of facts.values()) known.push(unsaid(group))
    return known.sort(byName)
  }

  /** @throws HearthError LOG_GROUP_NOT_FOUND when it is deleted meanwhile */
  async function change(name: string, work: (group: LogGroup) => LogGroup): Promise<void> {
    const found = await require(name)
    const isRow = repository.findGroup(name) !== undefined
    exclusively(() => {
      const row = repository.findGroup(name)
      if (row === undefined && isRow) throw noGroup()
      repository.putGroup(work(row ?? found))
    })
  }

  async function streams(group: string): Promise<readonly KnownStream[]> {
    await require(group)
    const known = new Map<string, KnownStream>()
    for (const { name, createdAt } of repository.listStreams(group))
      known.set(name, { name, createdAt, events: undefined })
    for (const events of await reader.streams(group)) {
      const { name } = events
      known.set(name, { name, createdAt: known.get(name)?.createdAt ?? events.firstEventAt, events })
    }
    return [...known.values()].sort(byName)
  }

  return {
    ...deps,
    find,
    require,
    list,
    change,
    streams,
    async keep(name, days) {
      const facts = (await find(name)) ?? unsaid({ name, createdAt: now(), storedBytes: 0 })
      exclusively(() => {
        repository.putGroup({ ...(repository.findGroup(name) ?? facts), retentionDays: days })
      })
    },
    async create(group) {
      if ((await find(group.name)) !== undefined) throw groupExists()
      exclusively(() => {
        if (repository.findGroup(group.name) !== undefined) throw groupExists()
        repository.putGroup({ ...group, createdAt: now(), retentionDays: undefined })
      })
    },
    async remove(name) {
      const { isDeletionRefused } = await require(name)
      if (isDeletionRefused) {
        throw new HearthError('RESOURCE_IN_USE', 'Deletion protection of the log group is on.', {
          awsCode: 'ValidationException'
        })
      }
      repository.removeGroup(name, now())
    },
    async requireStream(group, name) {
      const found = (await streams(group)).find((stream) => stream.name === name)
      if (found === undefined) throw noStream()
      return found
    },
    async createStream(group, name) {
      if ((await streams(group)).some((stream) => stream.name === name)) throw streamExists()
      await change(group, (row) => row)
      exclusively(() => {
        if (repository.findGroup(group) === undefined) throw noGroup()
        if (repository.findStream(group, name) !== undefined) throw streamExists()
        repository.addStream(group, { name, createdAt: now() })
      })
    },
    async removeStream(group, name) {
      if (!(await streams(group)).some((stream) => stream.name === name)) throw noStream()
      repository.removeStream(group, name, now())
    }
  }
}

function unsaid({ name, createdAt, storedBytes }: LogGroupFacts): KnownGroup {
  return {
    name,
    createdAt,
    storedBytes,
    retentionDays: undefined,
    class: 'STANDARD',
    isDeletionRefused: false,
    tags: {}
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

function groupExists(): HearthError {
  return new HearthError('LOG_GROUP_EXISTS', 'The specified log group already exists')
}

function streamExists(): HearthError {
  return new HearthError('RESOURCE_EXISTS', 'The specified log stream already exists')
}
