import { type ArnScope, HearthError, logGroupArn } from '@hearth/shared'
import { z } from 'zod'
import {
  defineJsonOperation,
  type JsonOperation,
  type JsonOperationDefinition,
  type JsonTarget
} from '../json-protocol/operation.ts'
import type { LogGroups } from './log-groups.ts'
import { invalid, noGroup } from './refusals.ts'
import { checkLogsMembers } from './validation.ts'

export type LogsOperation = JsonOperation<LogGroups>

export function logsOperation<Input extends z.ZodType>(
  definition: JsonOperationDefinition<LogGroups, Input>
): LogsOperation {
  return defineJsonOperation(definition, checkLogsMembers)
}

// Constraints of the service's model.

export const GroupName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[.\-_/#A-Za-z0-9]+$/)
/** Name or ARN of a group. */
const GroupIdentifier = z
  .string()
  .min(1)
  .max(2_048)
  .regex(/^[\w#+=/:,.@-]*$/)
export const StreamName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^:*]*$/)
export const FilterName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^:*]*$/)
export const FilterPattern = z.string().max(1_024)
/** Unix time in ms. */
export const Time = z.int().min(0)
export const Token = z.string().min(1).max(4_096)
export const Tags = z.record(z.string().min(1).max(128), z.string().max(256))
/** The group by name or by identifier: one of the two. */
export const OfGroup = { logGroupName: GroupName.optional(), logGroupIdentifier: GroupIdentifier.optional() }

/** @throws HearthError VALIDATION_FAILED with AWS's sentences, RESOURCE_NOT_FOUND for an ARN of another server */
export function groupNameOf(
  input: { readonly logGroupName?: string | undefined; readonly logGroupIdentifier?: string | undefined },
  scope: ArnScope
): string {
  const { logGroupName, logGroupIdentifier } = input
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw new HearthError('VALIDATION_FAILED', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.')
  }
  if (logGroupName !== undefined) return logGroupName
  if (logGroupIdentifier === undefined) {
    throw invalid('Please provide either LogGroup Identifier or LogGroup Name.')
  }
  return groupNameIn(logGroupIdentifier, scope)
}

/** @param identifier - A name, or an ARN with or without `:*`. @throws HearthError LOG_GROUP_NOT_FOUND */
export function groupNameIn(identifier: string, scope: ArnScope): string {
  if (!identifier.startsWith('arn:')) return identifier
  const prefix = logGroupArn(scope, '')
  if (!identifier.startsWith(prefix)) throw noGroup()
  return identifier.slice(prefix.length).replace(/:\*$/, '')
}

/** What policies name for what is done to a group. */
export function onGroup(name: string, { scope }: { readonly scope: ArnScope }): JsonTarget {
  return { resource: `${logGroupArn(scope, name)}:*` }
}

export function onStream(group: string, stream: string, { scope }: { readonly scope: ArnScope }): JsonTarget {
  return { resource: `${logGroupArn(scope, group)}:log-stream:${stream}` }
}

/** What policies name for lists of groups: AWS writes it with nothing where the names would be. */
export function onAllGroups({ scope }: { readonly scope: ArnScope }): JsonTarget {
  return { resource: `${logGroupArn(scope, '')}:log-stream:` }
}
