import { randomInt, randomUUID } from 'node:crypto'
import { type ArnScope, HearthError, SECRET_NAME, secretArn } from '@hearth/shared'
import type { SecretListing, SecretRecord, SecretsRepository, SecretValue, SecretVersionRecord } from '@hearth/store'
import type { Tag } from '../access/tags.ts'
import { addTags, removeTags } from './resource-tags.ts'
import { findSecret, secretNotFound } from './secret-ids.ts'
import { CURRENT, holderOf, type Stages, stagesOf, withoutStage, withStages } from './secret-stages.ts'

export interface NewSecret {
  readonly name: string
  readonly description?: string | undefined
  readonly value?: SecretValue | undefined
  /** Becomes the version's id; the same request again is the same version. */
  readonly token?: string | undefined
  readonly tags?: readonly Tag[] | undefined
}

export interface OpenedSecret {
  readonly secret: SecretRecord
  readonly version: SecretVersionRecord
  readonly value: SecretValue
}

/** Secrets with their versions. Whatever names one takes its name, its ARN, or its ARN without the suffix. */
export interface SecretService {
  /** With its ARN, or the one that it would have. */
  find(id: string): { readonly secret: SecretRecord | undefined; readonly arn: string }
  /** @throws HearthError SECRET_NOT_FOUND */
  get(id: string): SecretRecord
  arnOf(secret: Pick<SecretRecord, 'name' | 'suffix'>): string
  versions(name: string): readonly SecretVersionRecord[]
  list(listing: SecretListing): readonly SecretRecord[]
  /** By name. */
  page(after: string, limit: number): readonly SecretRecord[]
  /** @throws HearthError SECRET_EXISTS, SECRET_STATE, INVALID_SECRET, LIMIT_EXCEEDED */
  create(secret: NewSecret): { readonly secret: SecretRecord; readonly versionId: string | undefined }
  /**
   * Makes a secret what is said of it. A value that is the current one already makes no version.
   *
   * @param exists - What the caller was allowed for; if that has changed meanwhile, nothing is done.
   * @throws as {@link create}, SECRET_NOT_FOUND
   */
  write(secret: NewSecret, exists: boolean): void
  /** @throws HearthError SECRET_NOT_FOUND, SECRET_STATE */
  read(
    id: string,
    wanted?: { readonly versionId?: string | undefined; readonly stage?: string | undefined }
  ): OpenedSecret
  /** @throws HearthError SECRET_NOT_FOUND, SECRET_STATE, SECRET_EXISTS, INVALID_SECRET */
  put(
    id: string,
    value: SecretValue,
    options?: { token?: string | undefined; stages?: readonly string[] | undefined }
  ): {
    readonly secret: SecretRecord
    readonly version: SecretVersionRecord
  }
  /** @throws HearthError SECRET_NOT_FOUND, SECRET_STATE */
  describe(id: string, description: string): SecretRecord
  /** @throws HearthError SECRET_NOT_FOUND, SECRET_STATE, INVALID_SECRET */
  moveStage(id: string, label: string, to: string | undefined, from: string | undefined): SecretRecord
  /** @param days - 0: at once, and without a way back. */
  remove(id: string, days: number): SecretRecord
  restore(id: string): SecretRecord
  tag(id: string, tags: readonly Tag[]): SecretRecord
  untag(id: string, keys: readonly string[]): SecretRecord
  /** Removes what is over. @returns the names */
  purge(): readonly string[]
}

export interface SecretServiceDeps {
  readonly secrets: SecretsRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
}

/** Source: Secrets Manager quotas. */
const VALUE_BYTES = 65_536
const MAX_VERSIONS = 100
const DAY_MS = 86_400_000
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export function createSecretService({ secrets, scope, now, exclusively }: SecretServiceDeps): SecretService {
  const find = (id: string) => findSecret(secrets, scope, id)
  const get = (id: string): SecretRecord => {
    const { secret } = find(id)
    if (secret === undefined) throw secretNotFound()
    return secret
  }
  const getLive = (id: string): SecretRecord => {
    const secret = get(id)
    if (secret.deletedAt === undefined) return secret
    throw new HearthError(
      'SECRET_STATE',
      "You can't perform this operation on the secret because it was marked for deletion."
    )
  }
  const change = (id: string, changed: (secret: SecretRecord) => Partial<SecretRecord>): SecretRecord =>
    exclusively(() => {
      const secret = getLive(id)
      const after = { ...secret, ...changed(secret), changedAt: now().getTime() }
      secrets.update(after)
      return after
    })

  const setStages = (name: string, before: Stages, after: Stages): void => {
    for (const versionId of before.keys()) {
      const stages = after.get(versionId) ?? []
      if (stages.join('\n') !== before.get(versionId)?.join('\n')) secrets.setStages(name, versionId, stages)
    }
  }

  /** Under the write lock. */
  const addVersion = (
    secret: SecretRecord,
    value: SecretValue,
    token: string = randomUUID(),
    wanted: readonly string[] = [CURRENT]
  ): SecretVersionRecord => {
    checkValue(value)
    const versions = secrets.versions(secret.name)
    const known = versions.find(({ versionId }) => versionId === token)
    if (known !== undefined) {
      const { kind, text } = secrets.value(secret, token)!
      if (kind === value.kind && text === value.text) return known
      throw new HearthError('SECRET_EXISTS', "You can't modify an existing version, you can only create a new version.")
    }
    // The first one is the current one.
    const labels = versions.length > 0 || wanted.includes(CURRENT) ? wanted : [...wanted, CURRENT]
    const before = stagesOf(versions)
    const after = withStages(before, token, [...new Set(labels)])
    const at = now().getTime()
    const version: SecretVersionRecord = {
      versionId: token,
      kind: value.kind,
      stages: after.get(token) ?? [],
      createdAt: at,
      accessedAt: undefined
    }
    secrets.addVersion(secret, version, value)
    setStages(secret.name, before, after)
    const unlabelled = versions.filter(({ versionId }) => after.get(versionId)?.length === 0)
    for (const { versionId } of unlabelled.slice(0, Math.max(0, versions.length + 1 - MAX_VERSIONS))) {
      secrets.removeVersion(secret.name, versionId)
    }
    secrets.update({ ...secret, changedAt: at })
    return version
  }

  const create: SecretService['create'] = ({ name, description = '', value, token, tags = [] }) => {
    if (!SECRET_NAME.test(name)) {
      throw new HearthError(
        'INVALID_SECRET',
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!'
      )
    }
    return exclusively(() => {
      const known = secrets.find(name)
      if (known?.deletedAt !== undefined) {
        throw new HearthError(
          'SECRET_STATE',
          "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
      }
      if (known !== undefined) {
        const isAgain = token !== undefined && secrets.versions(name).some(({ versionId }) => versionId === token)
        if (!isAgain || value === undefined) {
          throw new HearthError('SECRET_EXISTS', `The operation failed because the secret ${name} already exists.`)
        }
        return { secret: known, versionId: addVersion(known, value, token).versionId }
      }
      const at = now().getTime()
      const secret = {
        name,
        suffix: Array.from({ length: 6 }, () => SUFFIX[randomInt(SUFFIX.length)]).join(''),
        description,
        tags: addTags({}, tags),
        createdAt: at,
        changedAt: at,
        accessedAt: undefined,
        deletedAt: undefined,
        purgeAt: undefined
      }
      secrets.create(secret)
      return { secret, versionId: value && addVersion(secret, value, token).versionId }
    })
  }

  return {
    find,
    get,
    arnOf: ({ name, suffix }) => secretArn(scope, name, suffix),
    versions: (name) => secrets.versions(name),
    list: (listing) => secrets.list(listing),
    page: (after, limit) => secrets.page(after, limit),

    create,

    write(wanted, exists) {
      exclusively(() => {
        if (!exists) {
          create(wanted)
          return
        }
        const secret = getLive(wanted.name)
        const { value, description = '', tags = [] } = wanted
        secrets.update({ ...secret, description, tags: addTags({}, tags), changedAt: now().getTime() })
        if (value === undefined) return
        const current = holderOf(stagesOf(secrets.versions(secret.name)), CURRENT)
        const before = current === undefined ? undefined : secrets.value(secret, current)
        if (before?.kind !== value.kind || before.text !== value.text) addVersion(get(secret.name), value)
      })
    },

    read(id, { versionId, stage } = {}) {
      const secret = getLive(id)
      const version = secrets
        .versions(secret.name)
        .find(
          (one) =>
            (versionId === undefined || one.versionId === versionId) &&
            (stage === undefined ? versionId !== undefined || one.stages.includes(CURRENT) : one.stages.includes(stage))
        )
      const value = version && secrets.value(secret, version.versionId)
      if (version === undefined || value === undefined) {
        const what = versionId === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${versionId}`
        throw new HearthError('SECRET_NOT_FOUND', `Secrets Manager can't find the specified secret value for ${what}`)
      }
      const day = Math.floor(now().getTime() / DAY_MS) * DAY_MS
      if (version.accessedAt !== day || secret.accessedAt !== day) secrets.touch(secret.name, version.versionId, day)
      return { secret, version, value }
    },

    put: (id, value, { token, stages } = {}) =>
      exclusively(() => {
        const secret = getLive(id)
        return { secret, version: addVersion(secret, value, token, stages) }
      }),

    describe: (id, description) => change(id, () => ({ description })),

    moveStage: (id, label, to, from) =>
      exclusively(() => {
        const secret = getLive(id)
        const before = stagesOf(secrets.versions(secret.name))
        for (const versionId of [to, from]) {
          if (versionId === undefined || before.has(versionId)) continue
          throw new HearthError('SECRET_NOT_FOUND', `Secrets Manager can't find the specified version: ${versionId}`)
        }
        const holder = holderOf(before, label)
        if (from !== undefined && holder !== from) {
          throw new HearthError('INVALID_SECRET', `The staging label ${label} isn't attached to version ${from}.`)
        }
        if (to === undefined) {
          if (from === undefined)
            throw new HearthError('INVALID_SECRET', 'Neither a version to move to nor one to remove from is named.')
          if (label === CURRENT) {
            throw new HearthError(
              'INVALID_SECRET',
              `You can't remove the staging label ${CURRENT}; move it to another version.`
            )
          }
          setStages(secret.name, before, withoutStage(before, from, label))
        } else {
          if (from === undefined && holder !== undefined && holder !== to) {
            throw new HearthError(
              'INVALID_SECRET',
              `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`
            )
          }
          setStages(secret.name, before, withStages(before, to, [label]))
        }
        return secret
      }),

    remove: (id, days) =>
      exclusively(() => {
        const secret = days === 0 ? get(id) : getLive(id)
        const at = now().getTime()
        const removed = { ...secret, deletedAt: at, purgeAt: at + days * DAY_MS }
        if (days === 0) secrets.remove(secret.name)
        else secrets.update(removed)
        return removed
      }),

    restore: (id) =>
      exclusively(() => {
        const restored = { ...get(id), deletedAt: undefined, purgeAt: undefined }
        secrets.update(restored)
        return restored
      }),

    tag: (id, tags) => change(id, (secret) => ({ tags: addTags(secret.tags, tags) })),
    untag: (id, keys) => change(id, (secret) => ({ tags: removeTags(secret.tags, keys) })),
    purge: () => exclusively(() => secrets.purge(now().getTime()))
  }
}

/** @throws HearthError INVALID_SECRET */
function checkValue({ kind, text }: SecretValue): void {
  const bytes = kind === 'string' ? Buffer.byteLength(text) : Buffer.from(text, 'base64').length
  if (bytes > VALUE_BYTES) throw new HearthError('INVALID_SECRET', `A secret's value may have ${VALUE_BYTES} bytes.`)
  if (bytes === 0) throw new HearthError('INVALID_SECRET', 'You must provide a value that is not empty.')
}
