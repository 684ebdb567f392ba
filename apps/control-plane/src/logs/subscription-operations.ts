import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type ArnScope, compileLogFilter, HearthError, logGroupArn, type SubscriptionFilter } from '@hearth/shared'
import { z } from 'zod'
import type { ServiceAnswer } from '../service-invoker.ts'
import { pageByName } from './group-operations.ts'
import type { LogGroups } from './log-groups.ts'
import { FilterName, FilterPattern, GroupName, type LogsOperation, logsOperation, onGroup, Token } from './operation.ts'
import { invalid, limitExceeded, noGroup } from './refusals.ts'

/** Filters of one group. */
const MOST = 2
const PAGE = 50
const SERVICE = 'logs.amazonaws.com'
const compress = promisify(gzip)

/** Where a group's events are sent to. */
export const SUBSCRIPTION_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'PutSubscriptionFilter',
    note: 'to functions of this server; `applyOnTransformedLogs`, `fieldSelectionCriteria` and `emitSystemFields` are refused',
    input: z.strictObject({
      logGroupName: GroupName,
      filterName: FilterName,
      filterPattern: FilterPattern,
      destinationArn: z.string().min(1).max(2_048),
      // Functions let the service in by themselves.
      roleArn: z.string().min(1).max(2_048).optional(),
      distribution: z.enum(['ByLogStream', 'Random']).default('ByLogStream'),
      applyOnTransformedLogs: z.literal(false).optional()
    }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run(input, groups) {
      const { logGroupName: group, filterName: name, filterPattern: pattern, destinationArn, distribution } = input
      compileLogFilter(pattern)
      requireFunction(destinationArn, input.roleArn, groups.scope)
      await groups.require(group)
      requireRoom(groups, group, name)
      await greet(groups, group, destinationArn)
      await groups.change(group, (row) => row)
      groups.exclusively(() => {
        if (groups.repository.findGroup(group) === undefined) throw noGroup()
        requireRoom(groups, group, name)
        const createdAt = groups.repository.subscriptions.find(group, name)?.createdAt ?? groups.now()
        groups.repository.subscriptions.put({ group, name, pattern, destinationArn, distribution, createdAt })
      })
      return undefined
    }
  }),
  logsOperation({
    name: 'DescribeSubscriptionFilters',
    input: z.object({
      logGroupName: GroupName,
      filterNamePrefix: FilterName.default(''),
      nextToken: Token.optional(),
      limit: z.int().min(1).max(PAGE).default(PAGE)
    }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run(input, groups) {
      const { logGroupName, filterNamePrefix } = input
      await groups.require(logGroupName)
      const found = groups.repository.subscriptions
        .list(logGroupName)
        .filter(({ name }) => name.startsWith(filterNamePrefix))
      const query = ['subscriptions', logGroupName, filterNamePrefix]
      const { items, next } = pageByName(found, query, input, groups.now())
      return { subscriptionFilters: items.map(viewOf), ...next }
    }
  }),
  logsOperation({
    name: 'DeleteSubscriptionFilter',
    input: z.object({ logGroupName: GroupName, filterName: FilterName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, filterName }, groups) {
      await groups.require(logGroupName)
      if (!groups.repository.subscriptions.remove(logGroupName, filterName)) {
        throw new HearthError('RESOURCE_NOT_FOUND', 'The specified subscription filter does not exist.')
      }
      return undefined
    }
  })
]

/** @throws HearthError VALIDATION_FAILED, ACCESS_DENIED: it is no function of this server */
function requireFunction(arn: string, roleArn: string | undefined, { region, accountId }: ArnScope): void {
  const vendor = /^arn:aws[\w-]*:([a-z]+):/.exec(arn)?.[1]
  if (vendor === undefined) throw invalid(`destinationArn is no ARN: ${arn}`)
  if (vendor !== 'lambda') {
    if (roleArn === undefined && ['kinesis', 'firehose'].includes(vendor)) {
      throw invalid(`destinationArn for vendor ${vendor} cannot be used without roleArn`)
    }
    throw invalid(`destinationArn for vendor ${vendor} is not supported by this server: events go to functions`)
  }
  if (roleArn !== undefined) throw invalid('destinationArn for vendor lambda cannot be used with roleArn')
  if (!arn.startsWith(`arn:aws:lambda:${region}:${accountId}:function:`)) throw foreign()
}

/** @throws HearthError LIMIT_EXCEEDED */
function requireRoom({ repository }: LogGroups, group: string, name: string): void {
  const others = repository.subscriptions.list(group).filter((filter) => filter.name !== name)
  if (others.length >= MOST) throw limitExceeded()
}

/**
 * Runs the function once, with a message that is none, to see whether the service may.
 *
 * @throws HearthError
 */
async function greet({ invoker, scope, now }: LogGroups, group: string, functionArn: string): Promise<void> {
  const message = {
    messageType: 'CONTROL_MESSAGE',
    owner: 'CloudwatchLogs',
    logGroup: '',
    logStream: '',
    subscriptionFilters: [],
    logEvents: [
      { id: '', timestamp: now(), message: 'CWL CONTROL MESSAGE: Checking health of destination Lambda function.' }
    ]
  }
  const data = (await compress(JSON.stringify(message))).toString('base64')
  let answer: ServiceAnswer
  try {
    answer = await invoker.invoke({
      eventId: randomUUID(),
      functionArn,
      service: SERVICE,
      sourceArn: `${logGroupArn(scope, group)}:*`,
      payload: JSON.stringify({ awslogs: { data } })
    })
  } catch (cause) {
    throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The function cannot be reached now. Try again.', {
      cause,
      awsCode: 'ServiceUnavailableException'
    })
  }
  if (answer.status === 'accepted') return
  if (answer.code === 'FUNCTION_NOT_FOUND') throw foreign()
  throw invalid(
    'Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.'
  )
}

function foreign(): HearthError {
  return new HearthError(
    'ACCESS_DENIED',
    'Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account lambda triggers.'
  )
}

function viewOf({ group, name, pattern, destinationArn, distribution, createdAt }: SubscriptionFilter) {
  return {
    filterName: name,
    logGroupName: group,
    filterPattern: pattern,
    destinationArn,
    distribution,
    applyOnTransformedLogs: false,
    creationTime: createdAt
  }
}
