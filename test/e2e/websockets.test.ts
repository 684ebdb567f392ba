// WebSocket APIs on a real server: functions in sandboxes that write to clients as their roles, and what clients see when the
// server dies or stops.
import path from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { type Client, connect, refusal } from '../helpers/sockets.ts'
import { zipOf } from '../helpers/zip.ts'

t.setTimeout(120_000)

/** Does what messages say; nothing here says where the API is. */
const CHAT = `
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi'
const api = new ApiGatewayManagementApiClient({ maxAttempts: 1 })
export const handler = async ({ requestContext: { routeKey, connectionId, disconnectStatusCode }, body }) => {
  if (routeKey === '$connect') return { statusCode: 200 }
  if (routeKey === '$disconnect') console.log('gone ' + connectionId + ' ' + disconnectStatusCode)
  if (routeKey === 'who') return { statusCode: 200, body: connectionId }
  if (routeKey === 'tell') {
    const { to, text } = JSON.parse(body)
    try {
      await api.send(new PostToConnectionCommand({ ConnectionId: to, Data: text }))
      return { statusCode: 200, body: 'told' }
    } catch (error) {
      return { statusCode: 200, body: error.name }
    }
  }
  return { statusCode: 200 }
}
`

t.test('WebSocket APIs on a real server', async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  const { gateway: port } = hearth.ports
  const json = (method: string, body: unknown) => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const allowPosts = (resource: string) =>
    hearth.request(
      '/v1/roles/chat',
      json('PUT', {
        policies: {
          use: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: resource }]
          }
        }
      })
    )
  const { outputFiles } = await build({
    stdin: { contents: CHAT, resolveDir: path.join(ROOT, 'test') },
    bundle: true,
    platform: 'node',
    write: false
  })
  const zip = await zipOf({ 'index.js': outputFiles[0]!.text })
  const role = 'arn:aws:iam::000000000000:role/chat'
  await allowPosts('arn:aws:execute-api:us-east-1:000000000000:none/*')
  const made = await hearth.deploy('chat', zip, `memory=512&timeout=20&role=${role}`)
  t.equal(made.status, 201, await made.text())
  const back = { function: 'chat', reply: true }
  const put = await hearth.request(
    '/v1/triggers/websocket/chat',
    json('PUT', { routes: { $connect: 'chat', $disconnect: 'chat', $default: 'chat', who: back, tell: back } })
  )
  t.equal(put.status, 201)
  const { apiId, stage, urls } = (await put.json()) as { apiId: string; stage: string; urls: string[] }
  const at = `/api/${apiId}/${stage}`
  t.ok(urls.includes(`ws://127.0.0.1:${port}${at}`), 'where it is')
  t.ok((await allowPosts(`arn:aws:execute-api:us-east-1:000000000000:${apiId}/${stage}/POST/@connections/*`)).ok)

  const who = async (client: Client) => String(await client.ask('{"action":"who"}'))
  const tell = async (client: Client, to: string) =>
    await client.ask(JSON.stringify({ action: 'tell', to, text: 'hello' }))
  const ann = await connect(t, port, at)
  const bob = await connect(t, port, at)
  const bobId = await who(bob)

  await t.test('a function writes to clients as its role allows', async (t) => {
    t.equal(await tell(ann, bobId), 'told')
    t.equal(await bob.next(), 'hello')
    t.equal(await tell(ann, 'AAAAAAAAAAAAAAA='), 'GoneException')
    t.ok((await allowPosts('arn:aws:execute-api:us-east-1:000000000000:zzzzz00000/*')).ok)
    t.equal(await tell(ann, bobId), 'AccessDeniedException')
  })

  await t.test('its owner sees who is connected, and where a message would go', async (t) => {
    const status = await (await hearth.request('/v1/triggers/websocket/chat/status')).json()
    t.strictSame(status, { connections: 2, stages: [stage], problem: null })
    const test = async (message: unknown) =>
      await (await hearth.request('/v1/triggers/websocket/chat/test', json('POST', { message }))).json()
    t.match(await test({ action: 'who' }), { matches: true, routeKey: 'who', function: /:function:chat$/ })
    t.match(await test('no JSON'), { matches: true, routeKey: '$default' })
    t.equal((await hearth.request('/v1/triggers/websocket/none/status')).status, 404)
    const { items } = (await (await hearth.request('/v1/triggers?function=chat')).json()) as { items: object[] }
    t.match(items, [{ kind: 'websocket', name: 'chat', enabled: true, status: '/v1/triggers/websocket/chat/status' }])
  })

  const logged = async (text: string) =>
    await eventually(
      async () => (await (await hearth.request('/v1/functions/chat/logs?limit=10000')).text()).includes(text),
      30_000
    )
  const cat = await connect(t, port, at)
  const catId = await who(cat)
  cat.ws.close(1_000)
  await logged(`gone ${catId} 1000`)

  await t.test('a gateway that dies ends its connections; clients come back to the next', async (t) => {
    const crashed = hearth.crash('gateway')
    t.match(await ann.closed, { code: 1_006 })
    t.match(await bob.closed, { code: 1_006 })
    await crashed
    const again = await connect(t, port, at)
    t.equal(await tell(again, bobId), 'GoneException')
    const id = await who(again)
    t.not(id, bobId)
    t.match(await refusal(port, `/api/${apiId}/test`), { status: 403 })

    // It is told when the server stops in order.
    const stopped = hearth.stop()
    t.match(await again.closed, { code: 1_001, reason: 'Going away' })
    await stopped
  })
})
