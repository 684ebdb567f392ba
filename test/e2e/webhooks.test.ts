// Load balancers and webhooks on a real server, which is killed while senders send, and send again what was cut off.
import { createHmac } from 'node:crypto'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'

const hearth = await startHearth()
t.teardown(() => hearth.stop())

t.test('a function behind a load balancer, with health checks', async (t) => {
  const source = `export const handler = async (event) => ({
    statusCode: 200,
    statusDescription: '200 OK',
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ path: event.path, query: event.queryStringParameters, agent: event.headers['user-agent'] }),
    isBase64Encoded: false
  })`
  t.ok((await hearth.deploy('behind.mjs', source)).ok)
  const put = await hearth.request('/v1/triggers/load-balancer/web', {
    method: 'PUT',
    body: JSON.stringify({
      function: 'behind',
      rules: [{ priority: 1, conditions: { paths: ['/no'] }, fixedResponse: { status: 403, body: 'no' } }],
      healthCheck: { intervalSeconds: 5, timeoutSeconds: 2 }
    })
  })
  t.equal(put.status, 201)
  const { url } = (await put.json()) as { url: string }
  const answer = await fetch(`${url}a%20b?q=a%20b`, { headers: { 'user-agent': 'me' } })
  t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  t.strictSame(await answer.json(), { path: '/a%20b', query: { q: 'a%20b' }, agent: 'me' })
  t.equal((await fetch(`${url}no`)).status, 403)
  await eventually(async () => {
    const status = await hearth.request('/v1/triggers/load-balancer/web/status')
    const { targets } = (await status.json()) as { targets: { state: string }[] }
    return targets[0]?.state === 'healthy'
  }, 60_000)
  t.equal((await hearth.request('/v1/triggers/load-balancer/web', { method: 'DELETE' })).status, 204)
  t.equal((await fetch(url)).status, 404)
})

t.test('whatever kills the gateway: of each delivery there is one event', async (t) => {
  const source = `export const handler = async (event) => { console.log('ran ' + event.requestContext.deliveryId) }`
  t.ok((await hearth.deploy('hooked.mjs', source)).ok)
  const put = await hearth.request('/v1/triggers/webhook/repo', {
    method: 'PUT',
    body: JSON.stringify({ function: 'hooked', verification: { scheme: 'github' } })
  })
  t.equal(put.status, 201)
  const { url, verification } = (await put.json()) as { url: string; verification: { secret: string } }
  t.ok(url.startsWith(hearth.url))

  const DELIVERIES = 120
  let next = 0
  let answered = 0
  let again = 0
  const sender = async (): Promise<void> => {
    while (next < DELIVERIES) {
      const delivery = `d-${next++}`
      const body = JSON.stringify({ delivery })
      const signature = createHmac('sha256', verification.secret).update(body).digest('hex')
      for (;;) {
        const answer = await fetch(url, {
          method: 'POST',
          body,
          headers: { 'x-hub-signature-256': `sha256=${signature}`, 'x-github-delivery': delivery }
        }).catch(() => undefined)
        await answer?.arrayBuffer().catch(() => undefined)
        if (answer?.status === 202) break
        if (answer !== undefined && answer.status < 500) throw new Error(`${delivery}: ${answer.status}`)
        again++
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      answered++
    }
  }
  const senders = Array.from({ length: 8 }, sender)
  await eventually(() => answered >= 50, 60_000)
  process.kill(hearth.pids().gateway, 'SIGKILL')
  await Promise.all(senders)
  t.ok(again > 0, `${again} requests were cut off or refused, and sent again`)
  const listed = async (status: string): Promise<number> => {
    let found = 0
    for (let cursor = ''; ; ) {
      const answer = await hearth.request(`/v1/functions/hooked/invocations?limit=100&status=${status}${cursor}`)
      const page = (await answer.json()) as { invocations: unknown[]; nextCursor: string | null }
      found += page.invocations.length
      if (page.nextCursor === null) return found
      cursor = `&cursor=${page.nextCursor}`
    }
  }
  await eventually(async () => (await listed('queued')) + (await listed('running')) === 0, 60_000)
  t.equal(await listed('failed'), 0)
  t.equal(await listed('succeeded'), DELIVERIES, 'none was lost, and none was doubled')
})
