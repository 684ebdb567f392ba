import { LOG_GROUP_CLASSES, logGroupArn } from '@hearth/shared'
import { z } from 'zod'
import type { KnownGroup, LogGroups } from './log-groups.ts'
import {
  GroupName,
  groupNameIn,
  type LogsOperation,
  logsOperation,
  onAllGroups,
  onGroup,
  Tags,
  Token
} from './operation.ts'
import { invalid } from './refusals.ts'
import { checkTags } from './tag-operations.ts'
import { fromToken, toToken } from './tokens.ts'

/** Days that PutRetentionPolicy knows. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653
]
const PAGE = 50
const LIST_PAGE = 50

const Class = z.enum(LOG_GROUP_CLASSES)
/** Parts of names, those with `^` from their beginning. */
const NamePattern = z
  .string()
  .min(3)
  .max(129)
  .regex(/^(\^?[.\-_/#A-Za-z0-9]{3,24})(\|\^?[.\-_/#A-Za-z0-9]{3,24}){0,4}$/)

/** Log groups and how long they are kept. */
export const GROUP_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'CreateLogGroup',
    note: '`kmsKeyId` is refused; all classes work as `STANDARD` does',
    input: z.strictObject({
      logGroupName: GroupName,
      tags: Tags.default({}),
      logGroupClass: Class.default('STANDARD'),
      deletionProtectionEnabled: z.boolean().default(false)
    }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, tags, logGroupClass, deletionProtectionEnabled }, groups) {
      await groups.create({
        name: logGroupName,
        class: logGroupClass,
        isDeletionRefused: deletionProtectionEnabled,
        tags: checkTags(tags)
      })
      return undefined
    }
  }),
  logsOperation({
    name: 'DeleteLogGroup',
    input: z.object({ logGroupName: GroupName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName }, groups) {
      await groups.remove(logGroupName)
      return undefined
    }
  }),
  logsOperation({
    name: 'PutLogGroupDeletionProtection',
    input: z.object({ logGroupIdentifier: z.string().min(1).max(2_048), deletionProtectionEnabled: z.boolean() }),
    target: ({ logGroupIdentifier }, groups) => onGroup(groupNameIn(logGroupIdentifier, groups.scope), groups),
    async run({ logGroupIdentifier, deletionProtectionEnabled }, groups) {
      const name = groupNameIn(logGroupIdentifier, groups.scope)
      await groups.change(name, (group) => ({ ...group, isDeletionRefused: deletionProtectionEnabled }))
      return undefined
    }
  }),
  logsOperation({
    name: 'DescribeLogGroups',
    input: z.object({
      logGroupNamePrefix: GroupName.optional(),
      logGroupNamePattern: z
        .string()
        .max(512)
        .regex(/^[.\-_/#A-Za-z0-9]*$/)
        .optional(),
      logGroupClass: Class.optional(),
      logGroupIdentifiers: z.array(z.string().min(1).max(2_048)).min(1).max(50).optional(),
      accountIdentifiers: z.array(z.string()).max(20).optional(),
      includeLinkedAccounts: z.boolean().optional(),
      nextToken: Token.optional(),
      limit: z.int().min(1).max(PAGE).default(PAGE)
    }),
    target: (_, groups) => onAllGroups(groups),
    async run(input, groups) {
      const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern = '' } = input
      if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
        throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
      }
      const named = input.logGroupIdentifiers?.map((identifier) => groupNameIn(identifier, groups.scope))
      const fits = ({ name, class: own }: KnownGroup): boolean =>
        name.startsWith(prefix) &&
        name.includes(pattern) &&
        (input.logGroupClass ?? own) === own &&
        named?.includes(name) !== false
      const query = ['groups', input.logGroupNamePrefix, input.logGroupNamePattern, input.logGroupClass, named]
      const { items, next } = pageByName((await groups.list()).filter(fits), query, input, groups.now())
      return { logGroups: items.map((group) => viewOf(group, groups)), ...next }
    }
  }),
  logsOperation({
    name: 'ListLogGroups',
    input: z.object({
      logGroupNamePattern: NamePattern.optional(),
      logGroupClass: Class.optional(),
      includeLinkedAccounts: z.boolean().optional(),
      accountIdentifiers: z.array(z.string()).max(20).optional(),
      nextToken: Token.optional(),
      limit: z.int().min(1).max(1_000).default(LIST_PAGE)
    }),
    target: (_, groups) => onAllGroups(groups),
    async run(input, groups) {
      const parts = input.logGroupNamePattern?.split('|')
      const fits = ({ name, class: own }: KnownGroup): boolean =>
        (input.logGroupClass ?? own) === own &&
        parts?.some((part) => (part.startsWith('^') ? name.startsWith(part.slice(1)) : name.includes(part))) !== false
      const query = ['list', input.logGroupNamePattern, input.logGroupClass]
      const { items, next } = pageByName((await groups.list()).filter(fits), query, input, groups.now())
      return {
        logGroups: items.map(({ name, class: logGroupClass }) => ({
          logGroupName: name,
          logGroupArn: logGroupArn(groups.scope, name),
          logGroupClass
        })),
        ...next
      }
    }
  }),
  logsOperation({
    name: 'PutRetentionPolicy',
    input: z.object({ logGroupName: GroupName, retentionInDays: z.int() }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, retentionInDays }, groups) {
      checkRetention(retentionInDays)
      await groups.change(logGroupName, (group) => ({ ...group, retentionDays: retentionInDays }))
      return undefined
    }
  }),
  logsOperation({
    name: 'DeleteRetentionPolicy',
    input: z.object({ logGroupName: GroupName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName }, groups) {
      await groups.change(logGroupName, (group) => ({ ...group, retentionDays: undefined }))
      return undefined
    }
  })
]

/** @throws HearthError VALIDATION_FAILED */
export function checkRetention(days: number): void {
  if (RETENTION_DAYS.includes(days)) return
  throw invalid(
    `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(', ')}]`
  )
}

/** A page of what is in the order of its names. @param query - What the page is of */
export function pageByName<Item extends { readonly name: string }>(
  all: readonly Item[],
  query: readonly unknown[],
  { nextToken, limit }: { readonly nextToken?: string | undefined; readonly limit: number },
  now: number
): { readonly items: readonly Item[]; readonly next: { readonly nextToken?: string } } {
  const after = nextToken === undefined ? '' : String(fromToken(nextToken, query, now)[0])
  const rest = all.filter(({ name }) => name > after)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rest.length > limit ? { nextToken: toToken(query, [last!.name], now) } : {} }
}

function viewOf(group: KnownGroup, { scope, repository }: LogGroups) {
  const arn = logGroupArn(scope, group.name)
  return {
    logGroupName: group.name,
    creationTime: group.createdAt,
    ...(group.retentionDays === undefined ? {} : { retentionInDays: group.retentionDays }),
    metricFilterCount: repository.metricFilters.list(group.name).length,
    arn: `${arn}:*`,
    storedBytes: group.storedBytes,
    logGroupClass: group.class,
    logGroupArn: arn,
    deletionProtectionEnabled: group.isDeletionRefused
  }
}
