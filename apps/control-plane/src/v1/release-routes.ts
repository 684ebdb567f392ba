import { type ArnScope, countsOf, type ReleaseRecord } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { originOf } from '../http/origin.ts'
import type { ReleaseService } from '../releases/release-service.ts'
import { toAliasView } from './alias-routes.ts'
import { FunctionName } from './function-schemas.ts'
import { parseBody } from './json-body.ts'
import { AbortBody, ReleaseBody, ReleaseList, ReleaseView } from './release-schemas.ts'
import { AliasName, AliasView } from './version-schemas.ts'

export interface ReleaseRoutesOptions {
  readonly releases: ReleaseService
  readonly scope: ArnScope
}

const Params = z.object({ name: FunctionName })
const ReleaseParams = Params.extend({ id: z.uuid() })
const tags = ['versions']

/** Releases. Mounted under `/v1/functions`. */
export const releaseRoutes: FastifyPluginAsyncZod<ReleaseRoutesOptions> = async (app, { releases, scope }) => {
  const view = (release: ReleaseRecord): ReleaseView => toReleaseView(release, releases.waitsFor(release) ?? null)

  app.post(
    '/:name/releases',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'startRelease',
        summary: 'Move an alias to another version step by step',
        description:
          'The new version gets more of the calls with each step. When its errors or its 99th percentile break a bound, all calls go back to the version before by themselves. Until the end nothing else may change the alias.',
        tags,
        params: Params,
        body: ReleaseBody,
        response: { 201: ReleaseView.describe('Started') }
      }
    },
    async (request, reply) => {
      const { version, maxP99Ms, ...rest } = request.body
      const release = releases.start(request.params.name, { ...rest, version, maxP99Ms })
      void reply.code(201).header('location', `/v1/functions/${release.functionName}/releases/${release.id}`)
      return view(release)
    }
  )

  app.get(
    '/:name/releases',
    {
      schema: {
        operationId: 'listReleases',
        summary: 'List releases, newest first',
        description: 'Those that are under way and the last 50.',
        tags,
        params: Params,
        response: { 200: ReleaseList }
      }
    },
    async (request) => ({ items: releases.list(request.params.name).map(view) })
  )

  app.get(
    '/:name/releases/:id',
    {
      schema: {
        operationId: 'getRelease',
        summary: 'Get a release and all that happened to it',
        tags,
        params: ReleaseParams,
        response: { 200: ReleaseView }
      }
    },
    async (request) => view(releases.get(request.params.name, request.params.id))
  )

  const action = (
    path: 'pause' | 'resume',
    operationId: string,
    summary: string,
    act: (name: string, id: string) => ReleaseRecord
  ): void => {
    app.post(
      `/:name/releases/:id/${path}`,
      { schema: { operationId, summary, tags, params: ReleaseParams, response: { 200: ReleaseView } } },
      async (request) => view(act(request.params.name, request.params.id))
    )
  }
  action('pause', 'pauseRelease', 'Keep the split as it is; bounds are still watched', (name, id) =>
    releases.pause(name, id)
  )
  action('resume', 'resumeRelease', 'Go on with a paused release', (name, id) => releases.resume(name, id))

  app.post(
    '/:name/releases/:id/abort',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'abortRelease',
        summary: 'End a release: all calls go to the version before, at once',
        tags,
        params: ReleaseParams,
        body: AbortBody,
        response: { 200: ReleaseView }
      }
    },
    async (request) => {
      const { name, id } = request.params
      return view(releases.abort(name, id, request.body.reason ?? 'Asked for.'))
    }
  )

  app.post(
    '/:name/aliases/:alias/rollback',
    {
      schema: {
        operationId: 'rollBackAlias',
        summary: 'Point an alias back to the version before, at once',
        description:
          'A release that is under way is aborted; a split ends, and all calls go to its first version; otherwise the alias goes to the version that it pointed to before.',
        tags,
        params: Params.extend({ alias: AliasName }),
        response: { 200: AliasView }
      }
    },
    async (request, reply) => {
      const { name, alias: aliasName } = request.params
      const alias = releases.rollBack(name, aliasName)
      request.log.info({ fn: name, alias: aliasName, version: alias.version }, 'alias rolled back')
      void reply.header('etag', `"${alias.revisionId}"`)
      return toAliasView(alias, scope, originOf(request))
    }
  )
}

function toReleaseView(release: ReleaseRecord, waitsFor: string | null): ReleaseView {
  const { plan, tallies } = release
  const counts = countsOf(tallies)
  return {
    id: release.id,
    functionName: release.functionName,
    alias: release.alias,
    state: release.state,
    fromVersion: plan.fromVersion,
    toVersion: plan.toVersion,
    step: release.step,
    steps: plan.steps.map((step) => ({ ...step })),
    maxErrorRatio: plan.maxErrorRatio,
    maxP99Ms: plan.maxP99Ms ?? null,
    minInvocations: plan.minInvocations,
    stepStartedAt: release.stepStartedAt,
    waitsFor,
    counts: tallies.length === 0 ? null : { ...counts, p99Ms: counts.p99Ms ?? null },
    events: release.events.map((event) => ({ ...event })),
    createdAt: release.createdAt
  }
}
