import { HearthError, logGroupArn } from '@hearth/shared'
import { z } from 'zod'
import type { LogGroups } from './log-groups.ts'
import { GroupName, groupNameIn, type LogsOperation, logsOperation, onGroup, Tags } from './operation.ts'
import { invalid } from './refusals.ts'

const MAX_TAGS = 50
const TagKeys = z.array(z.string().min(1).max(128)).max(50)
const Arn = z.string().min(1).max(1_011)

type TagMap = Readonly<Record<string, string>>

/** Tags of groups: by ARN, and in the older way by name. */
export const TAG_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'TagResource',
    input: z.object({ resourceArn: Arn, tags: Tags }),
    target: ({ resourceArn }, groups) => ofArn(resourceArn, groups),
    async run({ resourceArn, tags }, groups) {
      await groups.change(nameIn(resourceArn, groups), (group) => ({ ...group, tags: withTags(group.tags, tags) }))
      return undefined
    }
  }),
  logsOperation({
    name: 'UntagResource',
    input: z.object({ resourceArn: Arn, tagKeys: TagKeys }),
    target: ({ resourceArn }, groups) => ofArn(resourceArn, groups),
    async run({ resourceArn, tagKeys }, groups) {
      await groups.change(nameIn(resourceArn, groups), (group) => ({ ...group, tags: without(group.tags, tagKeys) }))
      return undefined
    }
  }),
  logsOperation({
    name: 'ListTagsForResource',
    input: z.object({ resourceArn: Arn }),
    target: ({ resourceArn }, groups) => ofArn(resourceArn, groups),
    run: async ({ resourceArn }, groups) => ({ tags: (await groups.require(nameIn(resourceArn, groups))).tags })
  }),
  logsOperation({
    name: 'TagLogGroup',
    input: z.object({ logGroupName: GroupName, tags: Tags }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, tags }, groups) {
      await groups.change(logGroupName, (group) => ({ ...group, tags: withTags(group.tags, tags) }))
      return undefined
    }
  }),
  logsOperation({
    name: 'UntagLogGroup',
    input: z.object({ logGroupName: GroupName, tags: TagKeys }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, tags }, groups) {
      await groups.change(logGroupName, (group) => ({ ...group, tags: without(group.tags, tags) }))
      return undefined
    }
  }),
  logsOperation({
    name: 'ListTagsLogGroup',
    input: z.object({ logGroupName: GroupName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    run: async ({ logGroupName }, groups) => ({ tags: (await groups.require(logGroupName)).tags })
  })
]

/** @throws HearthError VALIDATION_FAILED */
export function checkTags(tags: TagMap): TagMap {
  const own = Object.keys(tags).find((key) => key.toLowerCase().startsWith('aws:'))
  if (own !== undefined) throw invalid(`Tag keys may not begin with aws: ${own}`)
  if (Object.keys(tags).length > MAX_TAGS) {
    throw new HearthError('LIMIT_EXCEEDED', `A resource has at most ${MAX_TAGS} tags.`, {
      awsCode: 'TooManyTagsException'
    })
  }
  return tags
}

function withTags(tags: TagMap, added: TagMap): TagMap {
  return checkTags({ ...tags, ...added })
}

function without(tags: TagMap, keys: readonly string[]): TagMap {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)))
}

/** Policies name a group whose tags are meant without `:*`. */
function ofArn(arn: string, groups: LogGroups) {
  return { resource: logGroupArn(groups.scope, nameIn(arn, groups)) }
}

function nameIn(arn: string, { scope }: LogGroups): string {
  if (!arn.startsWith('arn:')) throw invalid(`Invalid resourceArn: ${arn}`)
  return groupNameIn(arn, scope)
}
