// API keys and usage plans in /v1: what is kept, what is refused.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { SOURCE, startControlPlane } from './support.ts'

t.test('API keys and usage plans', async (t) => {
  const plane = await startControlPlane(t)
  t.equal((await plane.put('shop.mjs', SOURCE)).statusCode, 201)
  const send = async (method: 'GET' | 'PUT' | 'DELETE', path: string, payload?: object) =>
    await plane.inject({ method, url: `/v1/${path}`, ...(payload === undefined ? {} : { payload }) })
  for (const kind of ['http', 'websocket']) {
    t.equal((await send('PUT', `triggers/${kind}/${kind}`, { routes: { $default: 'shop' } })).statusCode, 201)
  }

  const made = await send('PUT', 'api-keys/ada', { description: 'of Ada', tags: { team: 'a' } })
  t.equal(made.statusCode, 201)
  const key = made.json<{ value: string }>()
  t.match(key, { name: 'ada', enabled: true, plans: [], tags: { team: 'a' }, value: /^[\w-]{40}$/ })
  for (const seen of [
    await send('GET', 'api-keys/ada'),
    await send('GET', 'api-keys'),
    await send('PUT', 'api-keys/ada', {})
  ]) {
    t.equal(seen.statusCode, 200)
    t.notOk(seen.body.includes(key.value), 'the value is shown once')
  }
  const file = readFileSync(`${plane.dataDir}/hearth.db-wal`).toString('latin1')
  t.notOk(file.includes(key.value), 'nor is it on disk')
  t.ok(file.includes(createHash('sha256').update(key.value).digest('hex')))

  const own = { value: 'a'.repeat(20) }
  t.equal((await send('PUT', 'api-keys/bob', own)).statusCode, 201)
  t.equal((await send('PUT', 'api-keys/bob', own)).statusCode, 200, 'the same again changes nothing')
  t.match((await send('PUT', 'api-keys/cat', own)).json(), { status: 409, code: 'RESOURCE_EXISTS' })
  for (const [path, payload] of [
    ['api-keys/bob', { value: 'b'.repeat(20) }],
    ['api-keys/dan', { value: 'short' }],
    ['api-keys/dan', { value: 'with a space in the middle' }],
    ['api-keys/dan', { other: 1 }],
    ['usage-plans/p', { stages: [{ api: 'nobody' }] }],
    ['usage-plans/p', { stages: [{ api: 'http', stage: 'none' }] }],
    ['usage-plans/p', { keys: ['nobody'] }],
    ['usage-plans/p', { quota: { limit: 0, period: 'DAY' } }],
    ['usage-plans/p', { quota: { limit: 1, period: 'YEAR' } }],
    ['usage-plans/p', { throttle: { rate: -1, burst: 1 } }]
  ] as const) {
    const answer = await send('PUT', path, payload)
    t.equal(answer.statusCode, 400, `${path} ${JSON.stringify(payload)}: ${answer.body}`)
  }
  for (const path of ['api-keys/dan', 'usage-plans/p'])
    t.equal((await send('GET', path)).statusCode, 404, 'nothing is left')

  const plan = { stages: [{ api: 'http' }, { api: 'websocket', stage: 'live' }], keys: ['ada', 'bob'] }
  const first = await send('PUT', 'usage-plans/gold', { ...plan, throttle: { rate: 5, burst: 10 } })
  t.equal(first.statusCode, 201, first.body)
  t.match(first.json(), {
    name: 'gold',
    throttle: { rate: 5, burst: 10 },
    quota: null,
    stages: [{ stage: '$default' }, { stage: 'live' }],
    keys: ['ada', 'bob']
  })
  const taken = await send('PUT', 'usage-plans/silver', { stages: [{ api: 'http' }], keys: ['bob'] })
  t.match(taken.json(), { status: 409, code: 'RESOURCE_IN_USE', detail: /bob belongs to the plan gold/ })
  t.equal((await send('GET', 'usage-plans/silver')).statusCode, 404)
  t.match((await send('PUT', 'usage-plans/gold', { ...plan, keys: ['ada'] })).json(), { throttle: null, keys: ['ada'] })
  t.equal((await send('PUT', 'usage-plans/silver', { stages: [{ api: 'http' }], keys: ['bob'] })).statusCode, 201)
  t.strictSame((await send('GET', 'api-keys/bob')).json<{ plans: string[] }>().plans, ['silver'])

  const page = (await send('GET', 'usage-plans?limit=1')).json<{ items: { name: string }[]; nextCursor: string }>()
  t.strictSame(
    page.items.map(({ name }) => name),
    ['gold']
  )
  t.match((await send('GET', `usage-plans?limit=1&cursor=${page.nextCursor}`)).json(), {
    items: [{ name: 'silver' }],
    nextCursor: null
  })
  t.equal((await send('DELETE', 'api-keys/ada')).statusCode, 204)
  t.match((await send('GET', 'usage-plans/gold')).json(), { keys: [] })
  t.equal((await send('DELETE', 'usage-plans/silver')).statusCode, 204)
  t.match((await send('GET', 'api-keys/bob')).json(), { plans: [] })
  t.equal((await send('DELETE', 'usage-plans/silver')).statusCode, 404)
})
