import { logGroupArn } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { pageOf } from '../http/cursor.ts'
import { checkRetention } from '../logs/group-operations.ts'
import type { KnownGroup, LogGroups } from '../logs/log-groups.ts'
import { onAllGroups, onGroup } from '../logs/operation.ts'
import { checkTags } from '../logs/tag-operations.ts'
import { parseBody } from './json-body.ts'
import { LogGroupBody, LogGroupList, LogGroupListQuery, LogGroupParams, LogGroupView } from './log-group-schemas.ts'

export interface LogGroupRoutesOptions {
  readonly groups: LogGroups
}

const tags = ['logs']
const PAGE = 50
const GROUP_NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/

/** Log groups, whether they were made or functions wrote them. Mounted under `/v1/log-groups`. */
export const logGroupRoutes: FastifyPluginAsyncZod<LogGroupRoutesOptions> = async (app, { groups }) => {
  const ask = (request: FastifyRequest, action: string, group: string): void => {
    request.requireAccess({ action: `logs:${action}`, resource: onGroup(group, groups).resource })
  }
  const viewOf = (group: KnownGroup): z.input<typeof LogGroupView> => ({
    name: group.name,
    arn: logGroupArn(groups.scope, group.name),
    retentionDays: group.retentionDays ?? null,
    storedBytes: group.storedBytes,
    subscriptionFilters: groups.repository.subscriptions.list(group.name).map(({ name }) => name),
    metricFilters: groups.repository.metricFilters.list(group.name).map(({ name }) => name),
    tags: group.tags,
    createdAt: new Date(group.createdAt).toISOString()
  })

  app.get(
    '/',
    {
      schema: {
        operationId: 'listLogGroups',
        summary: 'List log groups by name',
        tags,
        querystring: LogGroupListQuery,
        response: { 200: LogGroupList }
      }
    },
    async (request) => {
      request.requireAccess({ action: 'logs:DescribeLogGroups', resource: onAllGroups(groups).resource })
      const { limit = PAGE, cursor, prefix = '' } = request.query
      const all = await groups.list()
      return pageOf(
        { query: ['log-groups', prefix], cursor, limit, key: GROUP_NAME },
        (after) => all.filter(({ name }) => name.startsWith(prefix) && name > after),
        ({ name }) => name,
        viewOf
      )
    }
  )

  app.get(
    '/:group',
    {
      schema: {
        operationId: 'getLogGroup',
        summary: 'Get a log group',
        tags,
        params: LogGroupParams,
        response: { 200: LogGroupView }
      }
    },
    async (request) => {
      ask(request, 'DescribeLogGroups', request.params.group)
      return viewOf(await groups.require(request.params.group))
    }
  )

  app.put(
    '/:group',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putLogGroup',
        summary: 'Make a log group, or say how long it is kept',
        description: 'What is not said stays as it is; of a new group events are kept for ever.',
        tags,
        params: LogGroupParams,
        body: LogGroupBody,
        response: { 200: LogGroupView.describe('Changed'), 201: LogGroupView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { group: name } = request.params
      const { retentionDays, tags: wanted } = request.body
      // Before it is known whether there is such a group.
      ask(request, retentionDays === null ? 'DeleteRetentionPolicy' : 'PutRetentionPolicy', name)
      if (wanted !== undefined) ask(request, 'TagResource', name)
      if (typeof retentionDays === 'number') checkRetention(retentionDays)
      const isNew = (await groups.find(name)) === undefined
      if (isNew) {
        ask(request, 'CreateLogGroup', name)
        await groups.create({ name, class: 'STANDARD', isDeletionRefused: false, tags: checkTags(wanted ?? {}) })
      }
      await groups.change(name, (group) => ({
        ...group,
        retentionDays: retentionDays === undefined ? group.retentionDays : (retentionDays ?? undefined),
        tags: wanted === undefined ? group.tags : checkTags(wanted)
      }))
      request.log.info({ group: name, isNew }, 'log group written')
      void reply.code(isNew ? 201 : 200)
      return viewOf(await groups.require(name))
    }
  )

  app.delete(
    '/:group',
    {
      schema: {
        operationId: 'deleteLogGroup',
        summary: 'Delete a log group with its events and filters',
        description: 'A function that writes to it makes it again.',
        tags,
        params: LogGroupParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { group } = request.params
      ask(request, 'DeleteLogGroup', group)
      await groups.remove(group)
      request.log.info({ group }, 'log group deleted')
      return reply.code(204).send()
    }
  )
}
