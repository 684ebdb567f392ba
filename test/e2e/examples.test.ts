// The examples, deployed by their own scripts on a real server.
import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'

const run = promisify(execFile)
t.setTimeout(120_000)
const hearth = await startHearth({ env: { HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8' } })
t.teardown(() => hearth.stop())

/** As somebody types it. */
async function script(file: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, HEARTH_URL: hearth.url, HEARTH_TOKEN: hearth.token }
  const { stdout } = await run(path.join(ROOT, 'examples', file), args, { env })
  return stdout
}

t.test('a summary is made when it is time, and posted', async (t) => {
  const posts: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }[] = []
  const receiver = createServer((req, res) => {
    void text(req).then((body) => {
      posts.push({ headers: req.headers, body })
      res.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => receiver.close())
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/mail`
  t.match(await script('scheduled-summary/deploy.sh', url), /"secret":\s*"whsec_/)
  const again = await script('scheduled-summary/deploy.sh', url)
  t.match(again, /"nextTimes"/, 'it may run again')
  const tried = await hearth.request('/v1/triggers/schedule/daily-summary/test', { method: 'POST' })
  t.equal(tried.status, 202)
  await eventually(() => posts.length > 0, 60_000)
  t.match(posts[0]!.headers, { 'webhook-signature': /^v1,/ })
  t.match(JSON.parse(posts[0]!.body), {
    requestContext: { condition: 'Success' },
    responsePayload: {
      to: 'sales@example.com',
      subject: /^4 orders, 42\.00 \(\d{4}-\d\d-\d\d\)$/,
      text: /^cups +1 +24\.00\ntea +2 +9\.00\ncoffee +1 +9\.00\n$/
    }
  })
  await t.rejects(script('scheduled-summary/deploy.sh', 'http://10.0.0.1/'), { code: 1, stdout: /webhook/ })
})

t.test('an order on the bus starts two functions', async (t) => {
  const deploy = async () => await script('webhook-to-bus/deploy.sh')
  const deployed = await deploy()
  await deploy()
  const order = { product: 'tea "green"', count: 2, customer: 'Ada', total: 9 }
  t.match(await script('webhook-to-bus/put-order.sh', JSON.stringify(order)), /"FailedEntryCount":0/)
  await script('webhook-to-bus/put-order.sh', JSON.stringify({ ...order, count: 3, total: 0 }))
  const logOf = async (name: string) => await (await hearth.request(`/v1/functions/${name}/logs`)).text()
  await eventually(async () => /stock: 3 of tea/.test(await logOf('stock')), 60_000)
  await eventually(async () => /invoice [0-9a-f-]{36}: Ada owes 9\.00/.test(await logOf('invoice')), 60_000)
  t.notMatch(await logOf('invoice'), 'owes 0.00')
  const [, secret = ''] = /"secret":\s*"([^"]+)"/.exec(deployed)!
  const [, url = ''] = /"url":\s*"([^"]+\/hooks\/[^"]+)"/.exec(deployed)!
  const body = JSON.stringify({ ...order, type: 'OrderPlaced', customer: 'Grace' })
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const send = async (headers: Record<string, string>) =>
    (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status
  t.equal(await send({ 'x-signature': signature }), 202)
  t.equal(await send({ 'x-signature': '0'.repeat(64) }), 401)
  await eventually(async () => /invoice [0-9a-f-]{36}: Grace owes 9\.00/.test(await logOf('invoice')), 60_000)
})

t.test('a web application answers for its routes', async (t) => {
  await script('web-application/deploy.sh')
  const ask = async (event: object) => (await hearth.invoke('web-application', event)).json()
  t.match(await ask({ routeKey: 'GET /api/hello/{name}', pathParameters: { name: 'Ada' } }), {
    statusCode: 200,
    body: '{"greeting":"Hello, Ada!"}'
  })
  const count = async (body: string) => await ask({ routeKey: 'POST /api/count', body })
  t.match(await count('{"text":"two words"}'), { statusCode: 200, body: '{"words":2,"characters":9,"minutes":1}' })
  for (const body of ['{', '{}', 'null']) t.match(await count(body), { statusCode: 400 })
  t.match(await ask({ routeKey: '$default' }), { statusCode: 404 })
  const { url } = (await (await hearth.request('/v1/triggers/http/web-application')).json()) as { url: string }
  const { hostname, port, origin } = new URL(url)
  const curl = async (target: string, ...args: readonly string[]) =>
    (await run('curl', ['-sS', '--resolve', `${hostname}:${port}:127.0.0.1`, ...args, origin + target])).stdout
  t.match(await curl('/'), /<title>How long is it\?/)
  t.match(await curl('/app.js'), 'api/count')
  t.equal(await curl('/api/hello/Ada'), '{"greeting":"Hello, Ada!"}')
  t.equal(await curl('/api/count', '-d', '{"text":"two words"}'), '{"words":2,"characters":9,"minutes":1}')
})
