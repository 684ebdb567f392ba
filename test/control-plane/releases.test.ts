import path from 'node:path'
import { openControlPlane } from '@hearth/control-plane'
import { durationBucket, type ReleaseCounts, type ReleaseTally } from '@hearth/shared'
import { internalToken, readMasterKey } from '@hearth/store'
import t, { type Test } from 'tap'
import { ACCOUNT, REGION, ROOT, SOURCE, startControlPlane } from './support.ts'

interface Release {
  readonly id: string
  readonly state: string
  readonly step: number
  readonly toVersion: string
  readonly waitsFor: string | null
  readonly counts: ReleaseCounts | null
  readonly events: readonly { readonly event: string; readonly weight: number; readonly reason: string }[]
}

/** A function with versions 1 and 2, alias `live` at 1, and a clock that stands until it is moved. */
async function start(t: Test) {
  const clock = { ms: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const plane = await startControlPlane(t, { now: () => new Date(clock.ms) })
  const authorization = `Bearer ${internalToken(readMasterKey(plane.dataDir, undefined))}`
  const { inject } = plane
  const post = (url: string, payload: object = {}) => inject({ method: 'POST', url: `/v1/functions/f${url}`, payload })
  await plane.put('f', SOURCE)
  await post('/versions')
  await inject({ method: 'PUT', url: '/v1/functions/f/aliases/live', payload: { version: '1' } })
  await plane.put('f?description=two', SOURCE)
  await post('/versions')
  return {
    ...plane,
    clock,
    post,
    authorization,
    begin: async (plan: object = {}) =>
      (await post('/releases', { alias: 'live', version: '2', ...plan })).json<Release>(),
    read: async (id: string) => (await plane.get(`/v1/functions/f/releases/${id}`)).json<Release>(),
    alias: async () =>
      (await plane.get('/v1/functions/f/aliases/live')).json<{
        version: string
        weights: object
        previousVersion: string | null
      }>(),
    /** What a gateway would say. */
    report: async ({ id, step }: Release, ...tallies: Partial<ReleaseTally>[]) => {
      const none = { id, step, gateway: 'a', invocations: 0, errors: 0, slow: 0, buckets: [] }
      const releases = tallies.map((tally) => ({ ...none, ...tally }))
      const res = await inject({
        method: 'POST',
        url: '/v1/internal/release-reports',
        headers: { authorization },
        payload: { releases }
      })
      t.equal(res.statusCode, 204)
    }
  }
}

const PLAN = {
  steps: [
    { weight: 10, durationS: 60 },
    { weight: 50, durationS: 30 }
  ],
  maxErrorRatio: 0.02,
  maxP99Ms: 500,
  minInvocations: 100
}

t.test('a healthy version gets more with each step, and in the end all', async (t) => {
  const { begin, read, alias, report, clock, get } = await start(t)
  const release = await begin(PLAN)
  t.match(release, { state: 'running', step: 0, fromVersion: '1', toVersion: '2', counts: null })
  t.match(await alias(), { version: '1', weights: { '2': 0.1 } })
  await report(release, {
    invocations: 150,
    errors: 3,
    slow: 1,
    buckets: [
      [durationBucket(10), 147],
      [durationBucket(200), 3]
    ]
  })
  t.match(await read(release.id), {
    state: 'running',
    step: 0,
    waitsFor: '60 s',
    counts: { invocations: 150, errors: 3, slow: 1, p99Ms: 246.52 }
  })
  clock.ms += 59_999
  await report(release, { invocations: 160, errors: 3 })
  t.match(await read(release.id), { step: 0, waitsFor: '1 s' })
  clock.ms += 1
  t.match(await read(release.id), { step: 0, waitsFor: 'word from the gateway' }, 'time alone moves nothing')
  await report(release, { invocations: 161, errors: 3 })
  const second = await read(release.id)
  t.match(second, { state: 'running', step: 1, waitsFor: '30 s', counts: null })
  t.match(await alias(), { version: '1', weights: { '2': 0.5 } })

  await report(release, { invocations: 100_000, errors: 90_000 })
  t.match(await read(release.id), { state: 'running', step: 1 }, 'word of a step that is over counts for nothing')
  clock.ms += 30_000
  await report(second, { invocations: 99 })
  t.match(await read(release.id), { step: 1, waitsFor: '1 more calls of version 2' })
  await report(second, { invocations: 100 })
  const done = await read(release.id)
  t.match(done, { state: 'completed', waitsFor: null })
  t.same(
    done.events.map(({ event, weight }) => [event, weight]),
    [
      ['started', 10],
      ['shifted', 50],
      ['completed', 100]
    ]
  )
  t.match(done.events[1]?.reason, '161 calls of version 2 were within bounds, 3 of them failed.')
  t.match(await alias(), { version: '2', weights: {}, previousVersion: '1' })
  await report({ ...second, step: 1 }, { invocations: 200, errors: 200 })
  t.match(await alias(), { version: '2' }, 'what is over is over')
  t.match((await get('/v1/functions/f/releases')).json(), { items: [{ id: release.id, state: 'completed' }] })
  t.match((await get('/metrics')).body, 'hearth_release_events_total{event="completed"} 1')
})

t.test('a version that breaks a bound is taken back at the first word of it', async (t) => {
  const { begin, read, alias, report, post } = await start(t)
  const cases: readonly [plan: object, fine: Partial<ReleaseCounts>, broken: Partial<ReleaseCounts>, reason: RegExp][] =
    [
      // 2 % of the 100 calls that are asked for: two may fail, however few there were.
      [PLAN, { invocations: 2, errors: 2 }, { invocations: 3, errors: 3 }, /^3 of 3 calls .* at most 2 % may/],
      [PLAN, { invocations: 1_000, errors: 20 }, { invocations: 1_001, errors: 21 }, /^21 of 1001 calls/],
      [PLAN, { invocations: 200, slow: 2 }, { invocations: 250, slow: 3 }, /^3 of 250 calls .* longer than 500 ms/],
      [
        { ...PLAN, maxP99Ms: undefined },
        { invocations: 200, slow: 200 },
        { invocations: 201, slow: 201, errors: 5 },
        /^5 of 201/
      ],
      [{ ...PLAN, maxErrorRatio: 0, minInvocations: 0 }, { invocations: 9 }, { invocations: 10, errors: 1 }, /^1 of 10/]
    ]
  for (const [plan, fine, broken, reason] of cases) {
    const release = await begin(plan)
    await report(release, fine)
    t.match(await read(release.id), { state: 'running' }, `${String(reason)}: not yet`)
    await report(release, broken)
    const ended = await read(release.id)
    t.match(ended, { state: 'rolled-back', counts: broken })
    t.match(ended.events.at(-1), { event: 'rolled-back', weight: 0, reason })
    t.match(await alias(), { version: '1', weights: {} })
  }
  const paused = await begin(PLAN)
  await post(`/releases/${paused.id}/pause`)
  await report(paused, { invocations: 10, errors: 10 })
  t.match(await read(paused.id), { state: 'rolled-back' }, 'a pause is no protection')
})

t.test('what each gateway process has counted adds up, and counts once', async (t) => {
  const { begin, read, report, clock } = await start(t)
  const release = await begin({ ...PLAN, minInvocations: 20, maxErrorRatio: 0.1 })
  const fast = durationBucket(10)
  const counts = async () => (await read(release.id)).counts
  const once = { gateway: 'a', invocations: 5, errors: 0, slow: 0, buckets: [[fast, 5] as const] }
  await report(release, once, once)
  t.match(await counts(), { invocations: 5 }, 'said twice, as when the answer was lost')
  await report(release, { ...once, invocations: 8, buckets: [[fast, 8]] })
  await report(release, once)
  t.match(await counts(), { invocations: 8 }, 'an earlier word that comes late takes nothing back')
  await report(release, { gateway: 'b', invocations: 3, slow: 0, buckets: [[durationBucket(400), 3]] })
  t.match(await counts(), { invocations: 11, errors: 0, p99Ms: 481.48 }, 'the percentile is that of all of them')
  await report(release, ...Array.from({ length: 12 }, (_, n) => ({ gateway: `c${n}`, invocations: 1 })))
  t.match(await counts(), { invocations: 23 }, 'however often it was started')
  await report(release, { gateway: 'c11', invocations: 2, errors: 1 })
  t.match(await counts(), { invocations: 24, errors: 1 })
  clock.ms += 60_000
  await report(release, { gateway: 'd' })
  t.match(await read(release.id), { step: 1, counts: null }, 'calls of before a restart are calls of the step')
})

t.test('a release is paused, resumed, aborted; a pause does not count', async (t) => {
  const { begin, read, alias, report, clock, post } = await start(t)
  const release = await begin({ ...PLAN, minInvocations: 0 })
  const act = (what: string, body?: object) => post(`/releases/${release.id}/${what}`, body)
  clock.ms += 40_000
  t.match((await act('pause')).json(), { state: 'paused', waitsFor: 'being resumed' })
  t.match(await act('pause'), { statusCode: 409 })
  clock.ms += 3_600_000
  await report(release, { invocations: 10 })
  t.match(await read(release.id), { state: 'paused', step: 0 })
  t.match(await alias(), { weights: { '2': 0.1 } }, 'the split stays')
  t.match((await act('resume')).json(), { state: 'running', waitsFor: '20 s' })
  t.match(await act('resume'), { statusCode: 409 })
  clock.ms += 20_000
  await report(release, { invocations: 10 })
  t.match(await read(release.id), { state: 'running', step: 1 })
  t.match((await act('abort', { reason: 'a doubt' })).json(), { state: 'aborted' })
  t.match(await alias(), { version: '1', weights: {} })
  t.match((await act('abort')).json(), { code: 'RELEASE_STATE', status: 409 })
  t.match((await read(release.id)).events.at(-1), { event: 'aborted', reason: 'a doubt', weight: 0 })
})

t.test('rolling back is one call, whatever is under way', async (t) => {
  const { begin, read, alias, post, inject, get } = await start(t)
  const back = () => post('/aliases/live/rollback')
  t.match((await back()).json(), { status: 409, code: 'NOTHING_TO_ROLL_BACK' })
  const release = await begin(PLAN)
  t.match((await back()).json(), { version: '1', weights: {} })
  t.match(await read(release.id), { state: 'aborted', events: [{}, { reason: 'The alias was rolled back.' }] })
  const put = (body: object) => inject({ method: 'PUT', url: '/v1/functions/f/aliases/live', payload: body })
  await put({ version: '1', weights: { '2': 0.9 } })
  t.match((await back()).json(), { version: '1', weights: {} }, 'a split ends')
  await put({ version: '2' })
  t.match((await back()).json(), { version: '1', previousVersion: '2' })
  t.match((await back()).json(), { version: '2', previousVersion: '1' }, 'and back again')
  await inject({ method: 'DELETE', url: '/v1/functions/f/versions/1' })
  t.match((await back()).json(), { status: 404, code: 'FUNCTION_NOT_FOUND' }, 'not to what is gone')
  t.match(await alias(), { version: '2' })
  t.match((await post('/aliases/none/rollback')).json(), { status: 404, code: 'ALIAS_NOT_FOUND' })
  t.match((await get('/v1/functions/none/releases')).json(), { status: 404 })
})

t.test('only a release moves its alias, and what cannot be released is refused', async (t) => {
  const { begin, aws, post, inject, get } = await start(t)
  const P = 'INVALID_REQUEST'
  const refused = async (body: object, status: number, code: string, detail: RegExp) => {
    const res = await post('/releases', body)
    t.match(res.json(), { status, code, detail }, String(detail))
  }
  await inject({ method: 'PUT', url: '/v1/functions/f/aliases/dev', payload: { version: '$LATEST' } })
  await inject({
    method: 'PUT',
    url: '/v1/functions/f/aliases/split',
    payload: { version: '1', weights: { '2': 0.5 } }
  })
  await refused({}, 400, P, /body.alias/)
  await refused({ alias: 'none', version: '2' }, 404, 'ALIAS_NOT_FOUND', /Alias not found/)
  await refused({ alias: 'dev', version: '2' }, 400, P, /points to \$LATEST/)
  await refused({ alias: 'split', version: '2' }, 400, P, /already splits its calls/)
  await refused({ alias: 'live', version: '1' }, 400, P, /points to version 1 already/)
  await refused({ alias: 'live', version: '9' }, 404, 'FUNCTION_NOT_FOUND', /function:f:9/)
  await refused({ alias: 'live', version: '$LATEST' }, 400, P, /a published version/)
  await refused({ alias: 'live', steps: [] }, 400, P, /body.steps/)
  await refused({ alias: 'live', steps: [{ weight: 101, durationS: 1 }] }, 400, P, /body.steps.0.weight/)
  await refused({ alias: 'live', steps: [{ weight: 1, durationS: 0 }] }, 400, P, /body.steps.0.durationS/)
  const falling = [
    { weight: 50, durationS: 1 },
    { weight: 50, durationS: 1 }
  ]
  await refused({ alias: 'live', steps: falling }, 400, P, /each step has more weight/)
  await refused({ alias: 'live', maxErrorRatio: 2 }, 400, P, /maxErrorRatio/)
  await refused({ alias: 'live', bounds: 1 }, 400, P, /bounds/)
  t.match((await get('/v1/functions/f/releases')).json(), { items: { length: 0 } })

  const release = await begin({ version: undefined })
  t.match(
    release,
    {
      toVersion: '2',
      steps: [
        { weight: 10, durationS: 60 },
        { weight: 50, durationS: 60 }
      ]
    },
    'defaults'
  )
  await refused({ alias: 'live', version: '2' }, 409, 'RELEASE_UNDER_WAY', new RegExp(release.id))
  const busy = await aws('PUT', '/functions/f/aliases/live', { FunctionVersion: '2' })
  t.match(busy, { statusCode: 409, headers: { 'x-amzn-errortype': 'ResourceConflictException' } })
  t.match(await aws('DELETE', '/functions/f/aliases/live'), { statusCode: 409 })
  t.match(await aws('DELETE', '/functions/f?Qualifier=2'), { statusCode: 409 }, 'nor goes its version')
  t.match((await get(`/v1/functions/none/releases/${release.id}`)).json(), { status: 404, code: 'RELEASE_NOT_FOUND' })
  for (const headers of [{ authorization: 'Bearer x' }, undefined]) {
    const res = await inject({
      method: 'POST',
      url: '/v1/internal/release-reports',
      payload: { releases: [] },
      ...(headers === undefined ? {} : { headers })
    })
    t.equal(res.statusCode, 403, "a report is the gateway's alone, not even the administrator's")
  }
  t.match(await aws('DELETE', '/functions/f'), { statusCode: 204 }, 'a function goes with all that it has')
  t.match((await get('/v1/functions/f/releases')).json(), { status: 404 })
})

t.test('a restart goes on where it was', async (t) => {
  const { begin, report, clock, dataDir, app, token, authorization } = await start(t)
  const release = await begin({ ...PLAN, minInvocations: 0 })
  clock.ms += 10_000
  await report(release, { invocations: 10 })
  await app.close()
  clock.ms += 60_000
  const again = await openControlPlane({
    config: {
      dataDir,
      region: REGION,
      accountId: ACCOUNT,
      masterKey: undefined,
      urlDomain: 'lambda-url.localhost',
      runtimePaths: {},
      concurrency: 200
    },
    migrationsDir: path.join(ROOT, 'migrations'),
    server: { logger: false },
    now: () => new Date(clock.ms)
  })
  t.teardown(() => again.close())
  const read = async () => {
    const url = `/v1/functions/f/releases/${release.id}`
    return (await again.inject({ url, headers: { authorization: `Bearer ${token}` } })).json<Release>()
  }
  t.match(await read(), { state: 'running', step: 0, counts: { invocations: 10 }, waitsFor: 'word from the gateway' })
  await again.inject({
    method: 'POST',
    url: '/v1/internal/release-reports',
    headers: { authorization },
    payload: { releases: [{ id: release.id, step: 0, gateway: 'b', invocations: 20, errors: 0, slow: 0, buckets: [] }] }
  })
  t.match(await read(), { state: 'running', step: 1, waitsFor: '30 s' })
})
