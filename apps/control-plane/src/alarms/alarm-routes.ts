import { randomUUID } from 'node:crypto'
import { contextKeys, HearthError } from '@hearth/shared'
import type { AlarmRecord, AlarmSending, AlarmStatus, MetricStore } from '@hearth/store'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ANY_KEY, pageOf } from '../http/cursor.ts'
import { tagContext } from '../iam/parameters.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import { statementFor } from '../triggers/place.ts'
import type { ServicePermissions } from '../triggers/service-permission.ts'
import { parseBody } from '../v1/json-body.ts'
import { tagList } from '../v1/principal-settings.ts'
import type { AlarmWritten } from './alarm-service.ts'
import { actionBody } from './alarm-texts.ts'
import type { Alarms } from './alarms.ts'
import { hintsFor } from './hints.ts'
import { ALARM_SERVICE, actionsOf, alarmArn, allActionsOf } from './model.ts'
import {
  AlarmBody,
  AlarmList,
  AlarmListQuery,
  AlarmParams,
  AlarmView,
  AlarmWrittenView,
  HistoryList,
  HistoryQuery,
  TestBody,
  TestView
} from './rest-schemas.ts'
import { secretsIn, settingsIn, toRestView } from './rest-settings.ts'

export interface AlarmRoutesOptions {
  readonly alarms: Alarms
  readonly metrics: Pick<MetricStore, 'list'>
  readonly invoker: Pick<ServiceInvoker, 'check'>
  readonly permissions: ServicePermissions
  readonly exclusively: <T>(work: () => T) => T
}

const tags = ['alarms']
const PAGE = 50

/** Alarms on metrics. Mounted under `/v1/alarms`. */
export const alarmRoutes: FastifyPluginAsyncZod<AlarmRoutesOptions> = async (app, options) => {
  const { alarms, permissions, exclusively } = options
  const { service } = alarms
  const { scope } = service

  const find = (name: string): AlarmRecord => {
    const alarm = service.find(name)
    if (alarm === undefined) throw new HearthError('ALARM_NOT_FOUND', `There is no alarm ${name}.`)
    return alarm
  }
  const functionsIn = (alarm: AlarmRecord | undefined): readonly string[] =>
    alarm === undefined ? [] : allActionsOf(alarm.settings).filter((target) => target.startsWith('arn:'))

  /** With the statements of functions' policies that let it in: all or nothing. */
  function put(name: string, body: AlarmBody): AlarmWritten {
    return exclusively(() => {
      const before = functionsIn(service.find(name))
      const written = service.put(name, settingsIn(body, permissions.arnOf), {
        tags: body.tags ?? {},
        secrets: secretsIn(body)
      })
      const statement = statementFor('alarm', name)
      const now = functionsIn(written.alarm)
      for (const arn of now) permissions.allow(arn, statement, ALARM_SERVICE, alarmArn(scope, name))
      for (const arn of before) if (!now.includes(arn)) permissions.revoke(arn, statement)
      return written
    })
  }

  function requirePut(request: FastifyRequest, name: string, body: AlarmBody): void {
    const targets = allActionsOf(settingsIn(body, permissions.arnOf))
    request.requireAccess({
      action: body.rule === undefined ? 'cloudwatch:PutMetricAlarm' : 'cloudwatch:PutCompositeAlarm',
      resource: alarmArn(scope, name),
      keys: contextKeys({ 'cloudwatch:AlarmActions': targets, ...tagContext(tagList(body.tags ?? {})) })
    })
    for (const target of targets) {
      if (target.startsWith('arn:')) request.requireAccess(permissions.wish(target, 'lambda:AddPermission'))
    }
  }

  app.get(
    '/',
    {
      schema: {
        operationId: 'listAlarms',
        summary: 'List alarms by name, with their states',
        tags,
        querystring: AlarmListQuery,
        response: { 200: AlarmList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor, prefix, state } = request.query
      return pageOf(
        { query: ['alarms', prefix, state], cursor, limit, key: ANY_KEY },
        (after, most) => service.list(after, most, { prefix, state }),
        ({ name }) => name,
        (alarm) => toRestView(alarm, scope)
      )
    }
  )

  app.put(
    '/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putAlarm',
        summary: 'Make an alarm, or say anew what it is',
        description:
          'All of it or nothing. Its state stays until it is looked at, which is at once. Functions it calls are made to allow it.',
        tags,
        params: AlarmParams,
        body: AlarmBody,
        response: { 200: AlarmWrittenView.describe('Changed'), 201: AlarmWrittenView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      requirePut(request, name, request.body)
      const { alarm, created, newSecrets } = put(name, request.body)
      request.log.info({ alarm: name, created }, 'alarm written')
      void reply.code(created ? 201 : 200)
      return { ...toRestView(alarm, scope, newSecrets), hints: await hintsFor(alarm, { ...options, scope }) }
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getAlarm',
        summary: 'Get an alarm and its state',
        tags,
        params: AlarmParams,
        response: { 200: AlarmView }
      }
    },
    async (request) => toRestView(find(request.params.name), scope)
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteAlarm',
        summary: 'Delete an alarm; its history stays for 30 days',
        tags,
        params: AlarmParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      exclusively(() => {
        const functions = functionsIn(find(name))
        service.delete([name])
        for (const arn of functions) permissions.revoke(arn, statementFor('alarm', name))
      })
      request.log.info({ alarm: name }, 'alarm deleted')
      return reply.code(204).send()
    }
  )

  app.get(
    '/:name/history',
    {
      schema: {
        operationId: 'listAlarmHistory',
        summary: 'What became of an alarm, the newest first',
        tags,
        params: AlarmParams,
        querystring: HistoryQuery,
        response: { 200: HistoryList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor, type } = request.query
      const { name } = request.params
      const read = (last: string, most: number) => {
        const after = last === '' ? undefined : Number(last)
        const found = service.history({ alarm: name, type, isAscending: false, after, limit: most })
        // It stays when the alarm goes.
        if (found.length === 0 && after === undefined) find(name)
        return found
      }
      return pageOf(
        { query: ['alarm-history', name, type], cursor, limit, key: /^\d{1,15}$/ },
        read,
        (item) => String(item.id),
        (item) => ({
          at: new Date(item.at).toISOString(),
          type: item.type,
          summary: item.summary,
          data: JSON.parse(item.data) as unknown
        })
      )
    }
  )

  for (const [verb, isEnabled] of [
    ['pause', false],
    ['resume', true]
  ] as const) {
    app.post(
      `/:name/${verb}`,
      {
        preValidation: parseBody,
        schema: {
          operationId: `${verb}Alarm`,
          summary: isEnabled
            ? 'Let an alarm send its actions again'
            : 'Keep an alarm from sending its actions; its state goes on',
          tags,
          params: AlarmParams,
          response: { 200: AlarmView }
        }
      },
      async (request) => {
        const { name } = request.params
        find(name)
        service.setActionsEnabled([name], isEnabled)
        request.log.info({ alarm: name }, isEnabled ? 'actions of an alarm resumed' : 'actions of an alarm paused')
        return toRestView(find(name), scope)
      }
    )
  }

  app.post(
    '/:name/test',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'testAlarm',
        summary: 'Send the actions of a state with a sample, whatever state the alarm has',
        description: 'The state stays. What is sent says in its reason that it is a test.',
        tags,
        params: AlarmParams,
        body: TestBody,
        response: { 200: TestView }
      }
    },
    async (request) => {
      const alarm = find(request.params.name)
      const { state } = request.body
      const at = options.alarms.now().getTime()
      const sample: AlarmStatus = { value: state, reason: 'This is a test.', updatedAt: at, transitionedAt: at }
      const body = actionBody(scope, alarm, alarm.status, sample)
      const targets = [...new Set(actionsOf(alarm.settings, state))]
      const results = targets.map(async (target) => {
        const sending: AlarmSending = {
          id: randomUUID(),
          alarm: alarm.name,
          alarmType: alarm.settings.type,
          kind: 'action',
          target,
          body,
          createdAt: at,
          dueAt: at,
          attempts: 0
        }
        const error = await alarms.sendNow(sending)
        return { target, delivered: error === undefined, error: error ?? null }
      })
      return { results: await Promise.all(results) }
    }
  )
}
