import path from 'node:path'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { installed, zipOf } from '../helpers/zip.ts'

// Libraries that functions really use, as they come from npm, in zips with their node_modules.
t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

const TEST = path.join(ROOT, 'test')

/** What the function wrote as JSON, oldest first. */
async function jsonLines(name: string): Promise<Record<string, unknown>[]> {
  const text = await (await hearth.request(`/v1/functions/${name}/logs`)).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
    .filter((msg) => msg.startsWith('{'))
    .map((msg) => JSON.parse(msg) as Record<string, unknown>)
}

t.test('Powertools (logger, metrics) and middy', async (t) => {
  const modules = installed(['@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics', '@middy/core'], TEST)
  const source = `
import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'

const logger = new Logger({ serviceName: 'orders' })
const metrics = new Metrics({ namespace: 'Shop', serviceName: 'orders' })
const order = async ({ amount }) => {
  if (!(amount > 0)) throw new RangeError('amount')
  logger.info('taken', { amount })
  metrics.addMetric('amount', MetricUnit.Count, amount)
  return { amount }
}
export const handler = middy()
  .use(injectLambdaContext(logger, { logEvent: true }))
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .use({
    before: ({ event }) => { event.amount = Number(event.amount) },
    after: (request) => { request.response.by = request.context.functionName },
    onError: (request) => { request.response = { refused: request.error.message } }
  })
  .handler(order)
`
  const made = await hearth.deploy('orders', await zipOf({ 'index.mjs': source, ...modules }), 'memory=256')
  t.equal(made.status, 201, await made.text())
  const taken = await hearth.invoke('orders', { amount: '3' })
  t.same(await taken.json(), { amount: 3, by: 'orders' }, 'middleware before and after')
  t.same(await (await hearth.invoke('orders', { amount: 0 })).json(), { refused: 'amount' }, 'and on errors')

  const lines = await eventually(async () => {
    const all = await jsonLines('orders')
    return (
      all.some(({ amount }) => amount === 3 || (Array.isArray(amount) && amount[0] === 3)) && all.length >= 5 && all
    )
  })
  const log = lines.find(({ message }) => message === 'taken')
  t.match(log, {
    level: 'INFO',
    service: 'orders',
    cold_start: true,
    function_name: 'orders',
    function_memory_size: '256',
    function_arn: 'arn:aws:lambda:us-east-1:000000000000:function:orders',
    function_request_id: taken.headers.get('x-amzn-requestid'),
    amount: 3
  })
  const emf = lines.filter((line) => '_aws' in line)
  t.match(
    emf.find((line) => 'ColdStart' in line),
    { ColdStart: 1, function_name: 'orders' }
  )
  t.match(
    emf.find((line) => 'amount' in line),
    {
      service: 'orders',
      _aws: { CloudWatchMetrics: [{ Namespace: 'Shop', Metrics: [{ Name: 'amount', Unit: 'Count' }] }] }
    }
  )
})

t.test('express through serverless-http, called as a URL', async (t) => {
  const modules = installed(['express', 'serverless-http'], TEST)
  const source = `
const express = require('express')
const serverless = require('serverless-http')
const app = express()
app.use(express.json())
app.get('/items/:id', (req, res) => {
  res.cookie('seen', req.params.id).json({ id: req.params.id, q: req.query, agent: req.get('user-agent') })
})
app.post('/items', (req, res) => res.status(201).location('/items/' + req.body.id).send(req.body))
app.get('/picture', (req, res) => res.type('png').send(Buffer.from([0x89, 0x50, 0, 0xff])))
app.use((error, req, res, next) => res.status(418).send(error.type))
exports.handler = serverless(app, { binary: ['image/*'], basePath: '/fn/shop' })
`
  const made = await hearth.deploy('shop', await zipOf({ 'index.js': source, ...modules }), 'memory=256')
  t.equal(made.status, 201, await made.text())
  const call = (target: string, init: RequestInit = {}) =>
    hearth.request(`/fn/shop${target}`, { ...init, headers: { 'user-agent': 'tap', ...(init.headers as object) } })

  const item = await call('/items/a%20b?q=1&q=2')
  t.equal(item.status, 200)
  t.match(item.headers.get('content-type'), 'application/json')
  t.equal(item.headers.get('set-cookie'), 'seen=a%20b; Path=/')
  t.match(await item.json(), { id: 'a b', agent: 'tap' })

  const json = { 'content-type': 'application/json' }
  const added = await call('/items', { method: 'POST', headers: json, body: '{"id":7,"name":"größe"}' })
  t.equal(added.status, 201)
  t.equal(added.headers.get('location'), '/items/7')
  t.same(await added.json(), { id: 7, name: 'größe' })
  t.equal((await call('/items', { method: 'POST', headers: json, body: '{' })).status, 418, 'its own error handler')

  const picture = await call('/picture')
  t.equal(picture.headers.get('content-type'), 'image/png')
  t.same([...new Uint8Array(await picture.arrayBuffer())], [0x89, 0x50, 0, 0xff])
  t.equal((await call('/none')).status, 404)
})
