import { HearthError, scheduleArn, scheduleGroupArn } from '@hearth/shared'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { tagItems, withoutTags, withTags } from '../access/tags.ts'
import { passRole } from '../events/model.ts'
import { readPage } from '../http/cursor.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { checkParameters } from '../query/constraints.ts'
import { GroupBody, groupView, Name, ScheduleBody, scheduleSummary, scheduleView, settingsOf, Tags } from './model.ts'
import type { Schedules } from './schedules.ts'

const PAGE = 100
const GROUP = /^[0-9a-zA-Z-_.]{1,64}$/
const SCHEDULE = /^[0-9a-zA-Z-_.]{1,64}\/[0-9a-zA-Z-_.]{1,64}$/

const ListQuery = z.object({
  ScheduleGroup: Name.optional(),
  NamePrefix: Name.optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  NextToken: z.string().min(1).max(2_048).optional(),
  MaxResults: z.coerce.number().pipe(z.int().min(1).max(100)).default(PAGE)
})
const OneQuery = z.object({ groupName: Name.default('default') })
const TagBody = z.object({ Tags })
/** One of them is a text, several are a list. */
const UntagQuery = z.object({
  TagKeys: z.preprocess(
    (keys) => (typeof keys === 'string' ? [keys] : keys),
    z.array(z.string().min(1).max(128)).max(50)
  )
})

/** What EventBridge Scheduler serves. */
export const SCHEDULER_OPERATIONS = [
  'CreateSchedule',
  'GetSchedule',
  'UpdateSchedule',
  'DeleteSchedule',
  'ListSchedules',
  'CreateScheduleGroup',
  'GetScheduleGroup',
  'DeleteScheduleGroup',
  'ListScheduleGroups',
  'TagResource',
  'UntagResource',
  'ListTagsForResource'
] as const

type OperationName = (typeof SCHEDULER_OPERATIONS)[number]

/** EventBridge Scheduler's REST API at AWS's own paths. */
export const schedulerApi: FastifyPluginAsync<{ readonly schedules: Schedules }> = async (app, { schedules }) => {
  const { scope, repository } = schedules

  function mount(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    operation: OperationName,
    run: (request: FastifyRequest, allow: (resource: string) => void) => object
  ): void {
    app.route({
      method,
      url,
      config: { operation, signedFor: () => ['scheduler'], action: 'in-route' },
      schema: { hide: true },
      handler: async (request, reply) => {
        const result = run(request, (resource) => {
          request.requireAccess({ action: `scheduler:${operation}`, resource })
        })
        request.log.info({ operation: `scheduler:${operation}`, principal: request.principal?.arn }, 'operation')
        void reply.header('x-amzn-requestid', request.id).header('content-type', 'application/json')
        return reply.serializer(JSON.stringify).send(result)
      }
    })
  }

  for (const [method, operation] of [
    ['POST', 'CreateSchedule'],
    ['PUT', 'UpdateSchedule']
  ] as const) {
    mount(method, '/schedules/:name', operation, (request, allow) => {
      const name = nameIn(request)
      const body = checkParameters(ScheduleBody, membersOf(request))
      allow(scheduleArn(scope, body.GroupName, name))
      for (const wish of passRole(body.Target.RoleArn, 'scheduler.amazonaws.com')) request.requireAccess(wish)
      const settings = settingsOf(body)
      const { group } =
        method === 'POST'
          ? schedules.create(body.GroupName, name, settings)
          : schedules.update(body.GroupName, name, settings)
      return { ScheduleArn: scheduleArn(scope, group, name) }
    })
  }
  mount('GET', '/schedules/:name', 'GetSchedule', (request, allow) => {
    const { groupName } = checkParameters(OneQuery, queryOf(request))
    const name = nameIn(request)
    allow(scheduleArn(scope, groupName, name))
    return scheduleView(schedules.get(groupName, name), schedules)
  })
  mount('DELETE', '/schedules/:name', 'DeleteSchedule', (request, allow) => {
    const { groupName } = checkParameters(OneQuery, queryOf(request))
    const name = nameIn(request)
    allow(scheduleArn(scope, groupName, name))
    schedules.delete(groupName, name)
    return {}
  })
  mount('GET', '/schedules', 'ListSchedules', (request, allow) => {
    const query = checkParameters(ListQuery, queryOf(request))
    allow(scheduleArn(scope, query.ScheduleGroup ?? '*', '*'))
    if (query.ScheduleGroup !== undefined) schedules.getGroup(query.ScheduleGroup)
    const { NextToken: cursor, MaxResults: limit, ...filters } = query
    const { items, next } = readPage(
      { query: ['ListSchedules', filters], cursor, limit, key: SCHEDULE, member: 'NextToken' },
      (after, most) => {
        const [group = '', name = ''] = after.split('/')
        return repository.list(query.ScheduleGroup, query.NamePrefix ?? '', { group, name }, most)
      },
      ({ group, name }) => `${group}/${name}`
    )
    return {
      Schedules: items
        .filter(({ isEnabled }) => query.State === undefined || isEnabled === (query.State === 'ENABLED'))
        .map((schedule) => scheduleSummary(schedule, schedules)),
      ...(next === undefined ? {} : { NextToken: next })
    }
  })

  mount('POST', '/schedule-groups/:name', 'CreateScheduleGroup', (request, allow) => {
    const name = nameIn(request)
    const { Tags: tags } = checkParameters(GroupBody, membersOf(request))
    allow(scheduleGroupArn(scope, name))
    schedules.createGroup(name, tags)
    return { ScheduleGroupArn: scheduleGroupArn(scope, name) }
  })
  mount('GET', '/schedule-groups/:name', 'GetScheduleGroup', (request, allow) => {
    const name = nameIn(request)
    allow(scheduleGroupArn(scope, name))
    return groupView(schedules.getGroup(name), schedules)
  })
  mount('DELETE', '/schedule-groups/:name', 'DeleteScheduleGroup', (request, allow) => {
    const name = nameIn(request)
    allow(scheduleGroupArn(scope, name))
    schedules.deleteGroup(name)
    return {}
  })
  mount('GET', '/schedule-groups', 'ListScheduleGroups', (request, allow) => {
    const query = checkParameters(ListQuery, queryOf(request))
    allow(scheduleGroupArn(scope, '*'))
    const { NextToken: cursor, MaxResults: limit, NamePrefix: prefix = '' } = query
    const { items, next } = readPage(
      { query: ['ListScheduleGroups', prefix], cursor, limit, key: GROUP, member: 'NextToken' },
      (after, most) => repository.listGroups(prefix, after, most),
      ({ name }) => name
    )
    return {
      ScheduleGroups: items.map((group) => groupView(group, schedules)),
      ...(next === undefined ? {} : { NextToken: next })
    }
  })

  const groupIn = (request: FastifyRequest): { readonly arn: string; readonly group: string } => {
    const { arn = '' } = request.params as { readonly arn?: string }
    const group = arn.slice(arn.indexOf('/') + 1)
    if (arn !== scheduleGroupArn(scope, group)) throw new HearthError('RESOURCE_NOT_FOUND', `${arn} does not exist.`)
    return { arn, group }
  }
  mount('GET', '/tags/:arn', 'ListTagsForResource', (request, allow) => {
    const { arn, group } = groupIn(request)
    allow(arn)
    return { Tags: tagItems(schedules.getGroup(group).tags) }
  })
  mount('POST', '/tags/:arn', 'TagResource', (request, allow) => {
    const { arn, group } = groupIn(request)
    const { Tags: added } = checkParameters(TagBody, membersOf(request))
    allow(arn)
    schedules.changeTags(group, (tags) => withTags(tags, added))
    return {}
  })
  mount('DELETE', '/tags/:arn', 'UntagResource', (request, allow) => {
    const { arn, group } = groupIn(request)
    const { TagKeys } = checkParameters(UntagQuery, queryOf(request))
    allow(arn)
    schedules.changeTags(group, (tags) => withoutTags(tags, TagKeys))
    return {}
  })
}

function nameIn(request: FastifyRequest): string {
  const { name } = request.params as { readonly name: string }
  return checkParameters(z.object({ Name }), { Name: name }).Name
}

function queryOf(request: FastifyRequest): Record<string, unknown> {
  return request.query as Record<string, unknown>
}

function membersOf(request: FastifyRequest): Record<string, unknown> {
  const bytes = bytesOf(request)
  return bytes.length === 0 ? {} : parseJsonObject(bytes)
}
