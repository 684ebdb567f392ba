import { HearthError } from '@hearth/shared'
import type { SecretRecord, SecretVersionRecord } from '@hearth/store'
import { z } from 'zod'
import { tagItems } from '../access/tags.ts'
import { tagContext } from '../iam/parameters.ts'
import { randomPassword } from '../secrets/random-password.ts'
import type { SecretService } from '../secrets/secret-service.ts'
import { matchesFilters } from './filters.ts'
import { SecretId, type SecretOperation, seconds, secretOperation, secretTarget, Tags } from './operation.ts'
import { Filters, PageInput, pageOf } from './pages.ts'

const DAYS = { min: 7, max: 30, default: 30 } as const
const Flag = z.boolean().default(false)

/** All but values. */
export const secretOperations: readonly SecretOperation[] = [
  secretOperation({
    name: 'DescribeSecret',
    input: z.object({ SecretId }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run: (input, service) => describe(service, service.get(input.SecretId), 'VersionIdsToStages')
  }),
  secretOperation({
    name: 'ListSecrets',
    input: z.object({
      ...PageInput,
      Filters: Filters.default([]),
      SortOrder: z.enum(['asc', 'desc']).default('desc'),
      SortBy: z.enum(['created-date', 'last-accessed-date', 'last-changed-date', 'name']).default('created-date'),
      IncludePlannedDeletion: Flag
    }),
    target: () => '*',
    run(input, service) {
      const all = service
        .list({ ascending: true, deleted: input.IncludePlannedDeletion })
        .filter((secret) => matchesFilters(secret, input.Filters))
      const sorted = input.SortBy === 'created-date' ? [...all] : all.toSorted(ORDERS[input.SortBy])
      if (input.SortOrder === 'desc') sorted.reverse()
      const { Filters: filters, SortBy, SortOrder, IncludePlannedDeletion } = input
      const query = ['ListSecrets', filters, SortBy, SortOrder, IncludePlannedDeletion] as const
      const { page, next } = pageOf(query, input, sorted, ({ name }) => name)
      return {
        SecretList: page.map((secret) => describe(service, secret, 'SecretVersionsToStages')),
        ...next
      }
    }
  }),
  secretOperation({
    name: 'ListSecretVersionIds',
    input: z.object({ ...PageInput, SecretId, IncludeDeprecated: Flag }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run(input, service) {
      const secret = service.get(input.SecretId)
      const versions = service
        .versions(secret.name)
        .filter(({ stages }) => input.IncludeDeprecated || stages.length > 0)
        .reverse()
      const query = ['ListSecretVersionIds', secret.name, input.IncludeDeprecated] as const
      const { page, next } = pageOf(query, input, versions, ({ versionId }) => versionId)
      return {
        ARN: service.arnOf(secret),
        Name: secret.name,
        Versions: page.map(versionView),
        ...next
      }
    }
  }),
  secretOperation({
    name: 'DeleteSecret',
    input: z.object({
      SecretId,
      RecoveryWindowInDays: z.int().optional(),
      ForceDeleteWithoutRecovery: z.boolean().optional()
    }),
    target: (input, service) =>
      secretTarget(service, input.SecretId, {
        ...(input.RecoveryWindowInDays === undefined
          ? {}
          : { 'secretsmanager:RecoveryWindowInDays': String(input.RecoveryWindowInDays) }),
        ...(input.ForceDeleteWithoutRecovery === undefined
          ? {}
          : { 'secretsmanager:ForceDeleteWithoutRecovery': String(input.ForceDeleteWithoutRecovery) })
      }),
    run(input, service) {
      const force = input.ForceDeleteWithoutRecovery === true
      const days = input.RecoveryWindowInDays
      if (force && days !== undefined) {
        throw new HearthError(
          'INVALID_SECRET',
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        )
      }
      if (days !== undefined && (days < DAYS.min || days > DAYS.max)) {
        throw new HearthError(
          'INVALID_SECRET',
          `The RecoveryWindowInDays value must be between ${DAYS.min} and ${DAYS.max} days (inclusive).`
        )
      }
      const { secret: known, arn } = service.find(input.SecretId)
      // As on AWS: what is to be gone is gone.
      if (force && known === undefined) return { ARN: arn, Name: input.SecretId, DeletionDate: seconds(Date.now()) }
      const secret = service.remove(input.SecretId, force ? 0 : (days ?? DAYS.default))
      return { ARN: arn, Name: secret.name, DeletionDate: seconds(secret.purgeAt ?? 0) }
    }
  }),
  secretOperation({
    name: 'RestoreSecret',
    input: z.object({ SecretId }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run: (input, service) => named(service, service.restore(input.SecretId))
  }),
  secretOperation({
    name: 'TagResource',
    input: z.object({ SecretId, Tags }),
    target: (input, service) => secretTarget(service, input.SecretId, tagContext(input.Tags)),
    run(input, service) {
      service.tag(input.SecretId, input.Tags)
      return {}
    }
  }),
  secretOperation({
    name: 'UntagResource',
    input: z.object({ SecretId, TagKeys: z.array(z.string().min(1).max(128)).max(50) }),
    target: (input, service) => secretTarget(service, input.SecretId, { 'aws:TagKeys': input.TagKeys }),
    run(input, service) {
      service.untag(input.SecretId, input.TagKeys)
      return {}
    }
  }),
  secretOperation({
    name: 'GetResourcePolicy',
    note: 'always without one: policies of secrets are not supported',
    input: z.object({ SecretId }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run: (input, service) => named(service, service.get(input.SecretId))
  }),
  secretOperation({
    name: 'GetRandomPassword',
    input: z.object({
      PasswordLength: z.int().min(1).max(4_096).default(32),
      ExcludeCharacters: z.string().max(4_096).default(''),
      ExcludeNumbers: Flag,
      ExcludePunctuation: Flag,
      ExcludeUppercase: Flag,
      ExcludeLowercase: Flag,
      IncludeSpace: Flag,
      RequireEachIncludedType: z.boolean().default(true)
    }),
    target: () => '*',
    run: (input) => ({
      RandomPassword: randomPassword({
        length: input.PasswordLength,
        exclude: input.ExcludeCharacters,
        excludeNumbers: input.ExcludeNumbers,
        excludePunctuation: input.ExcludePunctuation,
        excludeUppercase: input.ExcludeUppercase,
        excludeLowercase: input.ExcludeLowercase,
        includeSpace: input.IncludeSpace,
        requireEach: input.RequireEachIncludedType
      })
    })
  })
]

type Order = (a: SecretRecord, b: SecretRecord) => number
const ORDERS: Readonly<Record<'last-accessed-date' | 'last-changed-date' | 'name', Order>> = {
  'last-accessed-date': (a, b) => (a.accessedAt ?? 0) - (b.accessedAt ?? 0),
  'last-changed-date': (a, b) => a.changedAt - b.changedAt,
  name: (a, b) => (a.name < b.name ? -1 : 1)
}

function named(service: SecretService, secret: SecretRecord) {
  return { ARN: service.arnOf(secret), Name: secret.name }
}

/** @param stages - What the versions' labels are called, which is another name in lists. */
function describe(service: SecretService, secret: SecretRecord, stages: string) {
  const labelled = service.versions(secret.name).filter((version) => version.stages.length > 0)
  return {
    ...named(service, secret),
    ...(secret.description === '' ? {} : { Description: secret.description }),
    LastChangedDate: seconds(secret.changedAt),
    ...(secret.accessedAt === undefined ? {} : { LastAccessedDate: seconds(secret.accessedAt) }),
    // On AWS too it is the day of the deletion that is shown, not that of the end.
    ...(secret.deletedAt === undefined ? {} : { DeletedDate: seconds(secret.deletedAt) }),
    Tags: tagItems(secret.tags),
    [stages]: Object.fromEntries(labelled.map((version) => [version.versionId, version.stages])),
    CreatedDate: seconds(secret.createdAt)
  }
}

function versionView({ versionId, stages, createdAt, accessedAt }: SecretVersionRecord) {
  return {
    VersionId: versionId,
    ...(stages.length === 0 ? {} : { VersionStages: stages }),
    CreatedDate: seconds(createdAt),
    ...(accessedAt === undefined ? {} : { LastAccessedDate: seconds(accessedAt) })
  }
}
