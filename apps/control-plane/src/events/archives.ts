import { randomUUID } from 'node:crypto'
import {
  type ArnScope,
  archiveArn,
  busArn,
  compileEventPattern,
  type EventArchive,
  type EventBus,
  type EventReplay,
  type EventRule,
  HearthError,
  type ReplayState,
  ruleArn
} from '@hearth/shared'
import type { ArchivesRepository } from '@hearth/store'

export interface ArchiveSettings {
  readonly pattern?: string | undefined
  readonly description?: string | undefined
  /** 0: for ever. */
  readonly retentionDays?: number | undefined
}

export interface ReplaySettings {
  /** ARNs. */
  readonly archive: string
  readonly destination: string
  readonly rules: readonly string[]
  readonly description?: string | undefined
  /** Unix times in ms. */
  readonly eventsFrom: number
  readonly eventsUntil: number
}

/** What the gateway says of archives and replays, by their ids. */
export interface ArchiveReport {
  readonly archives: readonly { readonly id: string; readonly events: number; readonly bytes: number }[]
  readonly replays: readonly {
    readonly id: string
    readonly state: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED'
    readonly reason: string
    readonly lastEventAt?: number | undefined
    readonly endedAt?: number | undefined
  }[]
}

/** Archives and replays. What is not there is told in AWS's words. */
export interface Archives {
  readonly repository: ArchivesRepository
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(name: string): EventArchive
  /** @throws HearthError RESOURCE_EXISTS, RESOURCE_NOT_FOUND, LIMIT_EXCEEDED, INVALID_EVENT_PATTERN */
  create(name: string, busArn: string, settings: ArchiveSettings): EventArchive
  /** What is not said stays. @throws HearthError RESOURCE_NOT_FOUND, INVALID_EVENT_PATTERN */
  update(name: string, settings: ArchiveSettings): EventArchive
  /** With its events; replays that are under way fail. @throws HearthError RESOURCE_NOT_FOUND */
  delete(name: string): void
  /** What the gateway last said. */
  contentsOf(archive: EventArchive): { readonly events: number; readonly bytes: number }
  /** @throws HearthError RESOURCE_NOT_FOUND */
  getReplay(name: string): EventReplay
  /** @throws HearthError RESOURCE_EXISTS, RESOURCE_NOT_FOUND, LIMIT_EXCEEDED, VALIDATION_FAILED */
  startReplay(name: string, settings: ReplaySettings): EventReplay
  /** @throws HearthError RESOURCE_NOT_FOUND, REPLAY_STATE */
  cancelReplay(name: string): EventReplay
  /** Takes what the gateway says. */
  report(report: ArchiveReport): void
}

export interface ArchivesDeps {
  readonly repository: ArchivesRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  /** @throws HearthError RESOURCE_NOT_FOUND */
  readonly getBus: (name: string) => EventBus
  /** @throws HearthError RESOURCE_NOT_FOUND */
  readonly getRule: (bus: string, name: string) => EventRule
}

/** Replays that have not ended: EventBridge's quota. Archives: one of ours. */
const LIMITS = { replays: 10, archives: 1_000 }
/** How long AWS keeps a replay that has ended. */
const KEPT_MS = 90 * 86_400_000

export function createArchives({ repository, scope, now, exclusively, getBus, getRule }: ArchivesDeps): Archives {
  const contents = new Map<string, { readonly events: number; readonly bytes: number }>()
  const lastEvents = new Map<string, number>()

  const get = (name: string): EventArchive => {
    const archive = repository.find(name)
    if (archive === undefined) throw notFound(`Archive ${name} does not exist.`)
    return archive
  }
  const getReplay = (name: string): EventReplay => {
    const replay = repository.findReplay(name)
    if (replay === undefined) throw notFound(`Replay ${name} does not exist.`)
    const lastEventAt = replay.lastEventAt ?? lastEvents.get(replay.id)
    return { ...replay, lastEventAt }
  }
  const busOf = (arn: string, member: string): string => {
    const start = busArn(scope, '')
    if (!arn.startsWith(start)) throw invalid(member, 'Must contain an event bus ARN.')
    return getBus(arn.slice(start.length)).name
  }
  const archiveOf = (arn: string): EventArchive => {
    const start = archiveArn(scope, '')
    if (!arn.startsWith(start)) throw invalid('EventSourceArn', 'Must contain an archive ARN.')
    const name = arn.slice(start.length)
    const archive = repository.find(name)
    if (archive === undefined) throw invalid('EventSourceArn', `Archive ${name} does not exist.`)
    return archive
  }
  /** @throws HearthError when it is none of this bus */
  const checkRule = (bus: string, arn: string): void => {
    const start = ruleArn(scope, bus, '')
    const name = arn.startsWith(start) ? arn.slice(start.length) : ''
    if (name === '' || name.includes('/')) {
      throw invalid('Destination.FilterArns', `${arn} is no rule of the destination.`)
    }
    getRule(bus, name)
  }

  function end(replay: EventReplay, state: ReplayState, reason: string | undefined, endedAt: number): void {
    const lastEventAt = lastEvents.get(replay.id) ?? replay.lastEventAt
    lastEvents.delete(replay.id)
    repository.putReplay({ ...replay, state, reason, lastEventAt, endedAt })
  }

  return {
    repository,
    get,
    create(name, arn, { pattern, description, retentionDays = 0 }) {
      return exclusively(() => {
        if (repository.find(name) !== undefined) throw exists(`Archive ${name} already exists.`)
        const bus = busOf(arn, 'EventSourceArn')
        if (pattern !== undefined) compileEventPattern(pattern)
        if (repository.count() >= LIMITS.archives) throw tooMany('archives', LIMITS.archives)
        const createdAt = now().getTime()
        const archive = { name, id: randomUUID(), bus, pattern, description, retentionDays, createdAt }
        repository.put(archive)
        return archive
      })
    },
    update(name, settings) {
      return exclusively(() => {
        const before = get(name)
        if (settings.pattern !== undefined) compileEventPattern(settings.pattern)
        const archive = {
          ...before,
          pattern: settings.pattern ?? before.pattern,
          description: settings.description ?? before.description,
          retentionDays: settings.retentionDays ?? before.retentionDays
        }
        repository.put(archive)
        return archive
      })
    },
    delete(name) {
      exclusively(() => {
        const { id } = get(name)
        for (const replay of repository.openReplays(id)) {
          end(replay, 'FAILED', 'The archive was deleted.', now().getTime())
        }
        contents.delete(id)
        repository.remove(name)
      })
    },
    contentsOf: ({ id }) => contents.get(id) ?? { events: 0, bytes: 0 },
    getReplay,
    startReplay(name, { archive: source, destination, rules, description, eventsFrom, eventsUntil }) {
      return exclusively(() => {
        repository.removeReplays(now().getTime() - KEPT_MS)
        const bus = busOf(destination, 'Destination.Arn')
        const archive = archiveOf(source)
        if (archive.bus !== bus) throw invalid('Destination.Arn', 'Cross event bus replay is not permitted.')
        for (const rule of rules) checkRule(bus, rule)
        if (eventsFrom >= eventsUntil) {
          throw invalid('EventEndTime', 'EventStartTime must be before EventEndTime.')
        }
        if (repository.findReplay(name) !== undefined) throw exists(`Replay ${name} already exists.`)
        if (repository.openReplays().length >= LIMITS.replays) throw tooMany('concurrent replays', LIMITS.replays)
        const replay: EventReplay = {
          name,
          id: randomUUID(),
          archive: archive.name,
          archiveId: archive.id,
          bus,
          description,
          rules,
          eventsFrom,
          eventsUntil,
          state: 'STARTING',
          reason: undefined,
          lastEventAt: undefined,
          startedAt: now().getTime(),
          endedAt: undefined
        }
        repository.putReplay(replay)
        return replay
      })
    },
    cancelReplay(name) {
      return exclusively(() => {
        const replay = getReplay(name)
        if (replay.state !== 'STARTING' && replay.state !== 'RUNNING') {
          throw new HearthError('REPLAY_STATE', `Replay ${name} is not in a valid state for this operation.`)
        }
        const cancelling: EventReplay = { ...replay, state: 'CANCELLING' }
        repository.putReplay(cancelling)
        return cancelling
      })
    },
    report({ archives, replays }) {
      for (const { id, events, bytes } of archives) contents.set(id, { events, bytes })
      const open = new Map(repository.openReplays().map((replay) => [replay.id, replay]))
      for (const { id, state, reason, lastEventAt, endedAt } of replays) {
        const replay = open.get(id)
        if (replay === undefined) continue
        if (lastEventAt !== undefined) lastEvents.set(id, lastEventAt)
        if (state !== 'RUNNING') {
          end(replay, state, reason === '' ? undefined : reason, endedAt ?? now().getTime())
        } else if (replay.state === 'STARTING') {
          repository.putReplay({ ...replay, state })
        }
      }
    }
  }
}

function notFound(message: string): HearthError {
  return new HearthError('RESOURCE_NOT_FOUND', message)
}

function exists(message: string): HearthError {
  return new HearthError('RESOURCE_EXISTS', message)
}

function invalid(member: string, reason: string): HearthError {
  return new HearthError('VALIDATION_FAILED', `Parameter ${member} is not valid. Reason: ${reason}`)
}

function tooMany(what: string, limit: number): HearthError {
  const message = `The requested resource exceeds the maximum number allowed: ${limit} ${what}.`
  return new HearthError('LIMIT_EXCEEDED', message)
}
