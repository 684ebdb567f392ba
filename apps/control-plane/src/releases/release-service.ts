import { randomUUID } from 'node:crypto'
import {
  type AliasRecord,
  type ArnScope,
  functionArn,
  HearthError,
  type ReleaseCounts,
  type ReleaseEvent,
  type ReleaseRecord,
  type ReleaseStep
} from '@hearth/shared'
import {
  type AliasesRepository,
  type ConcurrencyRepository,
  type FunctionsRepository,
  LATEST,
  type ReleasesRepository
} from '@hearth/store'
import { checkRouting, pointTo } from '../functions/alias-service.ts'
import { refuseProvisionedVersions, unpublished } from '../functions/provisioned-rules.ts'
import type { VersionService } from '../functions/version-service.ts'
import { breachOf, waitsFor } from './verdict.ts'

export interface ReleaseServiceDeps {
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly releases: ReleasesRepository
  readonly versions: VersionService
  readonly concurrency: Pick<ConcurrencyRepository, 'find'>
  readonly scope: ArnScope
  readonly now: () => Date
  /** Told of every transition. */
  readonly onEvent: (release: ReleaseRecord, event: ReleaseEvent) => void
}

export interface ReleaseWish {
  readonly alias: string
  /** Undefined: `$LATEST` is published first. */
  readonly version: string | undefined
  readonly steps: readonly ReleaseStep[]
  readonly maxErrorRatio: number
  readonly maxP99Ms: number | undefined
  readonly minInvocations: number
}

/** What the gateway counted of a release's step. */
export interface ReleaseReport extends ReleaseCounts {
  readonly id: string
  readonly step: number
}

/**
 * Moves an alias to another version step by step. It is driven by the gateway's reports alone: without word of how
 * the new version does, nothing moves.
 */
export interface ReleaseService {
  /** @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, RELEASE_UNDER_WAY, INVALID_REQUEST, UPDATE_IN_PROGRESS, ALREADY_PROVISIONED */
  start(functionName: string, wish: ReleaseWish): ReleaseRecord
  /** @throws HearthError RELEASE_NOT_FOUND */
  get(functionName: string, id: string): ReleaseRecord
  /** Newest first. @throws HearthError FUNCTION_NOT_FOUND */
  list(functionName: string): readonly ReleaseRecord[]
  /** The split stays as it is and its time stands still; bounds are still watched. @throws HearthError RELEASE_NOT_FOUND, RELEASE_STATE */
  pause(functionName: string, id: string): ReleaseRecord
  /** @throws HearthError RELEASE_NOT_FOUND, RELEASE_STATE */
  resume(functionName: string, id: string): ReleaseRecord
  /** All calls go to the version before, at once. @throws HearthError RELEASE_NOT_FOUND, RELEASE_STATE */
  abort(functionName: string, id: string, reason: string): ReleaseRecord
  /**
   * Points an alias back, at once and whatever is under way: a release is aborted, a split ends; else the alias goes
   * to the version that it pointed to before.
   *
   * @throws HearthError FUNCTION_NOT_FOUND, ALIAS_NOT_FOUND, NOTHING_TO_ROLL_BACK, INVALID_REQUEST
   */
  rollBack(functionName: string, alias: string): AliasRecord
  /** Judges, and moves or ends what is to be moved or ended. */
  report(reports: readonly ReleaseReport[]): void
  /** What the current step waits for; undefined when nothing is under way. */
  waitsFor(release: ReleaseRecord): string | undefined
}

/** Ends are kept for people to look at. */
const KEPT = 50
const NOTHING: ReleaseCounts = { invocations: 0, errors: 0, slow: 0, p99Ms: undefined }

export function createReleaseService(deps: ReleaseServiceDeps): ReleaseService {
  const { functions, aliases, releases, scope, now } = deps
  const notFound = (functionName: string): HearthError =>
    new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, functionName)}`)

  const find = (functionName: string, id: string): ReleaseRecord => {
    const release = releases.find(id)
    if (release !== undefined && release.functionName === functionName) return release
    throw new HearthError('RELEASE_NOT_FOUND', `Function ${functionName} has no release ${id}.`)
  }

  const findAlias = (functionName: string, name: string): AliasRecord => {
    if (functions.find(functionName) === undefined) throw notFound(functionName)
    const alias = aliases.find(functionName, name)
    if (alias !== undefined) return alias
    throw new HearthError('ALIAS_NOT_FOUND', `Alias not found: ${functionArn(scope, functionName, name)}`)
  }

  const refuse = (release: ReleaseRecord, wish: string): HearthError =>
    new HearthError('RELEASE_STATE', `Release ${release.id} is ${release.state}: there is nothing to ${wish}.`)

  /** Writes a release and says what happened. */
  const write = (
    release: ReleaseRecord,
    event: ReleaseEvent['event'],
    weight: number,
    reason: string
  ): ReleaseRecord => {
    const entry: ReleaseEvent = { at: now().toISOString(), event, weight, reason }
    const written = { ...release, events: [...release.events, entry] }
    releases.put(written)
    deps.onEvent(written, entry)
    return written
  }

  /** Sends a share of the alias's calls to the new version. */
  const split = (release: ReleaseRecord, weight: number): void => {
    const alias = aliases.find(release.functionName, release.alias)
    if (alias === undefined) return
    const { fromVersion, toVersion } = release.plan
    aliases.put(pointTo(alias, fromVersion, { [toVersion]: weight / 100 }))
  }

  /** Sends all of them to one. */
  const settle = (release: ReleaseRecord, version: string): void => {
    const alias = aliases.find(release.functionName, release.alias)
    if (alias !== undefined) aliases.put(pointTo(alias, version, {}))
  }

  const shift = (release: ReleaseRecord, step: number, event: 'started' | 'shifted', reason: string): ReleaseRecord => {
    const { weight } = release.plan.steps[step]!
    split(release, weight)
    const moved = { ...release, step, stepStartedAt: now().toISOString(), pausedAt: undefined, counts: undefined }
    return write(moved, event, weight, reason)
  }

  const end = (
    release: ReleaseRecord,
    state: 'completed' | 'rolled-back' | 'aborted',
    reason: string
  ): ReleaseRecord => {
    const { fromVersion, toVersion } = release.plan
    settle(release, state === 'completed' ? toVersion : fromVersion)
    const ended = write({ ...release, state, pausedAt: undefined }, state, state === 'completed' ? 100 : 0, reason)
    releases.prune(release.functionName, KEPT)
    return ended
  }

  const elapsedMs = ({ stepStartedAt, pausedAt }: ReleaseRecord): number =>
    (pausedAt === undefined ? now().getTime() : Date.parse(pausedAt)) - Date.parse(stepStartedAt)

  const judge = ({ id, step, ...counts }: ReleaseReport): void => {
    const release = releases.find(id)
    if (release === undefined || !isUnderWay(release) || release.step !== step) return
    const known = { ...release, counts }
    const breach = breachOf(release.plan, counts)
    if (breach !== undefined) {
      end(known, 'rolled-back', breach)
      return
    }
    const current = release.plan.steps[step]!
    if (release.state === 'paused' || waitsFor(release.plan, current, counts, elapsedMs(release)) !== undefined) {
      if (counts.invocations !== release.counts?.invocations) releases.put(known)
      return
    }
    const reason = `${counts.invocations} calls of version ${release.plan.toVersion} were within bounds, ${counts.errors} of them failed.`
    if (step + 1 < release.plan.steps.length) shift(known, step + 1, 'shifted', reason)
    else end(known, 'completed', reason)
  }

  return {
    start(functionName, wish) {
      return functions.exclusively(() => {
        const alias = findAlias(functionName, wish.alias)
        const current = releases.findUnderWay(functionName, wish.alias)
        if (current !== undefined) {
          throw new HearthError(
            'RELEASE_UNDER_WAY',
            `Release ${current.id} of alias ${wish.alias} is ${current.state}.`
          )
        }
        if (alias.version === LATEST || Object.keys(alias.weights).length > 0) {
          throw new HearthError(
            'INVALID_REQUEST',
            `A release begins at an alias that points to one published version; ${wish.alias} ${alias.version === LATEST ? 'points to $LATEST' : 'already splits its calls'}.`
          )
        }
        const toVersion = wish.version ?? deps.versions.publish(functionName, {}).record.version
        if (toVersion === alias.version) {
          throw new HearthError('INVALID_REQUEST', `Alias ${wish.alias} points to version ${toVersion} already.`)
        }
        checkRouting(functions, scope, functionName, alias.version, { [toVersion]: 0 })
        if (deps.concurrency.find(functionName, wish.alias) !== undefined)
          refuseProvisionedVersions(deps.concurrency, functionName, [toVersion])
        const { steps, maxErrorRatio, maxP99Ms, minInvocations } = wish
        const at = now().toISOString()
        const release: ReleaseRecord = {
          id: randomUUID(),
          functionName,
          alias: wish.alias,
          state: 'running',
          step: 0,
          plan: { fromVersion: alias.version, toVersion, steps, maxErrorRatio, maxP99Ms, minInvocations },
          stepStartedAt: at,
          pausedAt: undefined,
          counts: undefined,
          events: [],
          createdAt: at
        }
        return shift(release, 0, 'started', `From version ${alias.version} to ${toVersion}.`)
      })
    },

    get: find,

    list(functionName) {
      if (functions.find(functionName) === undefined) throw notFound(functionName)
      return releases.list(functionName, KEPT)
    },

    pause(functionName, id) {
      return functions.exclusively(() => {
        const release = find(functionName, id)
        if (release.state !== 'running') throw refuse(release, 'pause')
        const paused = { ...release, state: 'paused' as const, pausedAt: now().toISOString() }
        return write(paused, 'paused', weightOf(release), 'Asked for.')
      })
    },

    resume(functionName, id) {
      return functions.exclusively(() => {
        const release = find(functionName, id)
        if (release.state !== 'paused') throw refuse(release, 'resume')
        const stepStartedAt = new Date(now().getTime() - elapsedMs(release)).toISOString()
        const resumed = { ...release, state: 'running' as const, stepStartedAt, pausedAt: undefined }
        return write(resumed, 'resumed', weightOf(release), 'Asked for.')
      })
    },

    abort(functionName, id, reason) {
      return functions.exclusively(() => {
        const release = find(functionName, id)
        if (!isUnderWay(release)) throw refuse(release, 'abort')
        return end(release, 'aborted', reason)
      })
    },

    rollBack(functionName, name) {
      return functions.exclusively(() => {
        const alias = findAlias(functionName, name)
        const release = releases.findUnderWay(functionName, name)
        if (release !== undefined) {
          end(release, 'aborted', 'The alias was rolled back.')
        } else if (Object.keys(alias.weights).length > 0) {
          aliases.put(pointTo(alias, alias.version, {}))
        } else {
          if (alias.previousVersion === undefined) {
            throw new HearthError('NOTHING_TO_ROLL_BACK', `Alias ${name} has never pointed to another version.`)
          }
          checkRouting(functions, scope, functionName, alias.previousVersion, {})
          if (alias.previousVersion === LATEST && deps.concurrency.find(functionName, name) !== undefined)
            throw unpublished()
          aliases.put(pointTo(alias, alias.previousVersion, {}))
        }
        return findAlias(functionName, name)
      })
    },

    report(reports) {
      if (reports.length > 0) functions.exclusively(() => reports.forEach(judge))
    },

    waitsFor(release) {
      if (!isUnderWay(release)) return undefined
      if (release.state === 'paused') return 'being resumed'
      const step = release.plan.steps[release.step]!
      return waitsFor(release.plan, step, release.counts ?? NOTHING, elapsedMs(release)) ?? 'word from the gateway'
    }
  }
}

function isUnderWay({ state }: ReleaseRecord): boolean {
  return state === 'running' || state === 'paused'
}

function weightOf(release: ReleaseRecord): number {
  return release.plan.steps[release.step]!.weight
}
