import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type ArnScope, type FunctionRecord, functionArn, HearthError } from '@hearth/shared'
import { type AliasesRepository, type FunctionsRepository, LATEST, type VersionPosition } from '@hearth/store'
import { functionNotFound, type Precondition, refuseUnsettled } from './function-record.ts'

export interface VersionServiceDeps {
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly scope: ArnScope
  readonly now: () => Date
}

export interface PublishWish {
  /** Of the version; absent: as `$LATEST`'s. */
  readonly description?: string | undefined
  /** Base64; what `$LATEST` must have. */
  readonly codeSha256?: string | undefined
  readonly precondition?: Precondition
}

export interface Published {
  readonly record: FunctionRecord
  /** False: `$LATEST` is as the newest version already was. */
  readonly created: boolean
}

/** Published versions: numbered copies of `$LATEST` that never change. */
export interface VersionService {
  /** @throws HearthError FUNCTION_NOT_FOUND, UPDATE_IN_PROGRESS, REVISION_MISMATCH, INVALID_REQUEST */
  publish(name: string, wish: PublishWish): Published
  /** `$LATEST` first, then by number. @param after - -1: from the beginning. @throws HearthError FUNCTION_NOT_FOUND */
  list(name: string, after: number, limit: number): readonly FunctionRecord[]
  /** Every version of every function. */
  listAll(after: VersionPosition, limit: number): readonly FunctionRecord[]
  /**
   * @param version - A number as text.
   * @returns whether there was such a version
   * @throws HearthError FUNCTION_NOT_FOUND, VERSION_IN_USE
   */
  remove(name: string, version: string): boolean
}

export function createVersionService(deps: VersionServiceDeps): VersionService {
  const { functions, aliases, scope } = deps
  return {
    publish(name, { precondition, codeSha256, description }) {
      return functions.exclusively(() => {
        const latest = functions.find(name)
        precondition?.(latest)
        if (latest === undefined) throw functionNotFound(scope, name)
        refuseUnsettled(latest, scope)
        if (codeSha256 !== undefined && codeSha256 !== '' && codeSha256 !== latest.codeSha256) {
          throw new HearthError(
            'INVALID_REQUEST',
            `CodeSHA256 (${codeSha256}) is different from current CodeSHA256 in $LATEST (${latest.codeSha256}). Please try again with the CodeSHA256 in $LATEST.`
          )
        }
        const published = publishLatest(functions, latest, deps.now(), { description })
        // Publishing is a revision of $LATEST too. Source: Lambda control API §4, RevisionId.
        if (published.created) functions.update(name, (current) => current && { ...current, revisionId: randomUUID() })
        return published
      })
    },

    list(name, after, limit) {
      if (functions.find(name) === undefined) throw functionNotFound(scope, name)
      return functions.listVersions(name, after, limit)
    },

    listAll: (after, limit) => functions.listAll(after, limit),

    remove(name, version) {
      return functions.exclusively(() => {
        if (functions.find(name) === undefined) throw functionNotFound(scope, name)
        const users = aliases.listUsers(name, version)
        if (users.length > 0) {
          const which = users.length === 1 ? `alias ${users[0]}` : `aliases ${users.join(', ')}`
          throw new HearthError(
            'VERSION_IN_USE',
            `Version ${functionArn(scope, name, version)} cannot be deleted: ${which} of the function points to it. Point it elsewhere or delete it first.`
          )
        }
        return functions.update(name, () => undefined, version).before !== undefined
      })
    }
  }
}

export interface PublishOptions {
  readonly description?: string | undefined
  /** The version is not ready yet: somebody settles it. */
  readonly pending?: boolean
}

/** Makes a version of `latest`, unless the newest one is the same. To be called under the write lock. */
export function publishLatest(
  functions: FunctionsRepository,
  latest: FunctionRecord,
  now: Date,
  { description, pending = false }: PublishOptions
): Published {
  const newest = functions.newestVersion(latest.name)
  if (newest !== undefined && newest.latestDescription === latest.description && isSame(newest.record, latest)) {
    return { record: newest.record, created: false }
  }
  const record: FunctionRecord = {
    ...latest,
    version: functions.nextVersion(latest.name),
    description: description ?? latest.description,
    // Tags are the function's, not a version's.
    tags: {},
    revisionId: randomUUID(),
    state: pending ? 'Pending' : 'Active',
    lastUpdateStatus: pending ? undefined : 'Successful',
    createdAt: now.toISOString()
  }
  functions.addVersion(record, latest.description)
  return { record, created: true }
}

/** Whether two versions have the same code and configuration. */
function isSame(a: FunctionRecord, b: FunctionRecord): boolean {
  return isDeepStrictEqual(essenceOf(a), essenceOf(b))
}

const BOOKKEEPING: ReadonlySet<string> = new Set<keyof FunctionRecord>([
  'version',
  'reservedConcurrency',
  'description',
  'tags',
  'revisionId',
  'state',
  'lastUpdateStatus',
  'createdAt',
  'lastModified'
])

/** All that is not bookkeeping: a setting that is new to records counts without being named here. */
function essenceOf(record: FunctionRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([member]) => !BOOKKEEPING.has(member)))
}

/** The number behind a version's name, for lists. */
export function numberOf(version: string): number {
  return version === LATEST ? 0 : Number(version)
}
