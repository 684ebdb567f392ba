// Webhooks, from what senders send to what functions get.
import { createHmac, randomUUID } from 'node:crypto'
import type { Webhook, WebhookSecret } from '@hearth/shared'
import t from 'tap'
import { testClock } from './events.ts'
import { ask, type Harness, outcome, record, startGateway, until } from './harness.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const HOOK = 'arn:aws:hearth:us-east-1:000000000000:webhook'
const DAY_S = 86_400
const idOf = (name: string): string => name.padEnd(32, '0')

function put({ webhooks }: Harness, name: string, secrets: readonly WebhookSecret[], changes: Partial<Webhook> = {}) {
  const webhook: Webhook = {
    name,
    id: idOf(name),
    isEnabled: true,
    target: { functionArn: `${ARN}:f` },
    scheme: 'none',
    methods: ['POST'],
    windowSeconds: DAY_S,
    createdAt: 0,
    modifiedAt: 0,
    ...changes
  }
  webhooks.put(webhook, secrets)
}

function permit({ policies }: Harness, functionName: string, service: string, sourceArn: string): void {
  const statement = {
    Sid: 's',
    Effect: 'Allow' as const,
    Principal: { Service: service },
    Action: 'lambda:InvokeFunction',
    Resource: `${ARN}:${functionName}`,
    Condition: { ArnLike: { 'AWS:SourceArn': sourceArn } }
  }
  policies.put(functionName, '', { statements: [statement], revisionId: randomUUID() })
}

interface Seen {
  readonly fn: string
  readonly id: string
  readonly event: {
    readonly headers: Record<string, string>
    readonly body?: string
    readonly isBase64Encoded: boolean
    readonly requestContext: Record<string, unknown>
  } & Record<string, unknown>
}

/** What functions were given, in the order in which they got it. */
function listen({ executor }: Harness): Seen[] {
  const seen: Seen[] = []
  executor.behaviour = ({ payload, requestId }, { name }) => {
    seen.push({ fn: name, id: requestId, event: JSON.parse(payload.toString()) as Seen['event'] })
    return outcome('null')
  }
  return seen
}

const hmac = (secret: string | Buffer, text: string, encoding: 'hex' | 'base64' = 'hex', algorithm = 'sha256') =>
  createHmac(algorithm, secret).update(text).digest(encoding)

t.test('each sender signs in its own way, over the bytes that it sent', async (t) => {
  let at = 0
  const clock = { ...testClock(), now: () => at }
  const harness = await startGateway(t, { functions: [record('f')], clock })
  const seen = listen(harness)
  permit(harness, 'f', 'webhooks.hearth', `${HOOK}/*`)
  const send = async (name: string, headers: Record<string, string>, body: string) =>
    await ask(harness.port, `/hooks/${idOf(name)}`, { auth: false, headers, body })

  // What the senders themselves publish as examples.
  const hello = {
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
    body: 'Hello, World!'
  }
  put(harness, 'github', [{ value: "It's a Secret to Everybody" }], { scheme: 'github' })
  t.equal((await send('github', hello.headers, hello.body)).status, 202)

  const slash =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
  const slackSecret = '8f742231b10e8888abcd99yyyzzz85a5'
  put(harness, 'slack', [{ value: slackSecret }], { scheme: 'slack' })
  at = 1_531_420_618_000
  const slashed = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': '1531420618',
    'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503'
  }
  t.equal((await send('slack', slashed, slash)).status, 202)
  at += 301_000
  t.equal((await send('slack', slashed, slash)).status, 401, 'an old request is not taken again')

  const standard = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1a,bm90IG91cnM= v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  }
  put(harness, 'standard', [{ value: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }], { scheme: 'standard-webhooks' })
  at = 1_614_265_330_000
  t.equal((await send('standard', standard, '{"test": 2432232314}')).status, 202)
  t.equal((await send('standard', { ...standard, 'webhook-id': 'msg_other' }, '{"test": 2432232314}')).status, 401)

  await until('three events', () => seen.length === 3)
  t.match(seen[0]!.event, { body: Buffer.from(hello.body).toString('base64'), isBase64Encoded: true })
  t.match(seen[1]!.event, { body: Buffer.from(slash).toString('base64'), isBase64Encoded: true })

  // Stripe: several signatures, one of which is of a secret that ends.
  const body = '{"id":"evt_1","type":"charge.succeeded"}'
  const time = String(at / 1_000)
  put(harness, 'stripe', [{ value: 'whsec_new' }, { value: 'whsec_old', until: at + 10_000 }], { scheme: 'stripe' })
  const stripe = (...secrets: readonly string[]) => ({
    'stripe-signature': [`t=${time}`, ...secrets.map((one) => `v1=${hmac(one, `${time}.${body}`)}`), 'v0=00'].join(',')
  })
  t.equal((await send('stripe', stripe('x', 'whsec_new'), body)).status, 202)
  t.equal((await send('stripe', stripe('whsec_old'), body)).status, 202)
  at += 10_000
  t.equal((await send('stripe', stripe('whsec_old'), body)).status, 401, 'a secret that is over counts no more')

  const own = { header: 'x-sign', algorithm: 'sha512', encoding: 'base64', prefix: 'v=' } as const
  put(harness, 'own', [{ value: 'secret::literal' }], { scheme: 'hmac', hmac: own })
  t.equal((await send('own', { 'x-sign': `v=${hmac('secret:literal', body, 'base64', 'sha512')}` }, body)).status, 202)

  // What proves nothing.
  const before = seen.length
  const good = hmac("It's a Secret to Everybody", body)
  for (const [name, headers] of [
    ['github', {}],
    ['github', { 'x-hub-signature-256': good }],
    ['github', { 'x-hub-signature-256': `sha256=${good.slice(2)}` }],
    ['github', { 'x-hub-signature-256': `sha256=${hmac('', body)}` }],
    ['github', { 'x-hub-signature-256': 'sha256=' }],
    ['github', { 'x-hub-signature-256': 'sha256=zz' }],
    ['stripe', { 'stripe-signature': `t=${time}` }],
    ['stripe', { 'stripe-signature': `v1=${hmac('whsec_new', `.${body}`)}` }],
    ['stripe', { 'stripe-signature': `t=1e9,v1=${hmac('whsec_new', `1e9.${body}`)}` }],
    ['stripe', { 'stripe-signature': `t=${time}${',v1=00'.repeat(17)}` }],
    ['slack', { 'x-slack-signature': 'v0=00' }],
    ['standard', { 'webhook-id': 'x', 'webhook-timestamp': time, 'webhook-signature': 'v1,' }],
    ['own', { 'x-sign': hmac('secret:literal', body, 'base64', 'sha512') }]
  ] as const) {
    const answer = await send(name, headers, body)
    t.equal(answer.status, 401, `${name} ${JSON.stringify(headers)}`)
    t.match(JSON.parse(answer.body), {
      code: 'INVALID_WEBHOOK_SIGNATURE',
      detail: 'The request is not signed as it should be.'
    })
  }
  // Signed, and then changed.
  t.equal((await send('github', { 'x-hub-signature-256': `sha256=${good}` }, `${body} `)).status, 401)
  t.equal(seen.length, before, 'and nobody got any of it')
  const metrics = await ask(harness.port, '/metrics')
  t.match(metrics.body, /hearth_webhook_requests_total\{result="refused"\} 17\n/)
  t.match(metrics.body, /hearth_auth_failures_total\{reason="bad_webhook_signature"\} 17\n/)

  // Slack asks who owns the URL; only who knows the secret is answered.
  const challenge = '{"type":"url_verification","challenge":"3eZbrw1aB"}'
  const now = String(at / 1_000)
  const asked = {
    'x-slack-request-timestamp': now,
    'x-slack-signature': `v0=${hmac(slackSecret, `v0:${now}:${challenge}`)}`
  }
  t.match(await send('slack', asked, challenge), { status: 200, body: '3eZbrw1aB' })
  t.equal((await send('slack', { ...asked, 'x-slack-signature': 'v0=00' }, challenge)).status, 401)
})

t.test('a delivery that comes again makes no second event', async (t) => {
  const harness = await startGateway(t, { functions: [record('f'), record('g')] })
  const seen = listen(harness)
  permit(harness, 'f', 'webhooks.hearth', `${HOOK}/*`)
  put(harness, 'once', [], { deduplicateBy: { header: 'x-github-delivery' } })
  put(harness, 'other', [], { deduplicateBy: { header: 'x-github-delivery' } })
  put(harness, 'member', [], { deduplicateBy: { member: 'id' } })
  const send = async (name: string, delivery: string | undefined, body = '{}') => {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (delivery !== undefined) headers['x-github-delivery'] = delivery
    const answer = await ask(harness.port, `/hooks/${idOf(name)}`, { auth: false, headers, body })
    t.equal(answer.status, 202, answer.body)
    return (JSON.parse(answer.body) as { requestId: string }).requestId
  }
  const together = await Promise.all(Array.from({ length: 12 }, () => send('once', 'd-1')))
  t.equal(new Set(together).size, 1, 'all are told of the one event')
  t.equal(await send('once', 'd-1', '{"changed":1}'), together[0], 'and so is who comes later')
  const others = [await send('once', 'd-2'), await send('other', 'd-1'), await send('once', undefined)]
  const members = [await send('member', undefined, '{"id":7}'), await send('member', undefined, '{"id":7}')]
  t.equal(members[0], members[1])
  await until('five events', () => seen.length === 5)
  t.same(new Set(seen.map(({ id }) => id)), new Set([together[0]!, ...others, members[0]!]))
  t.match(seen.find(({ id }) => id === together[0])!.event.requestContext, {
    webhook: 'once',
    id: together[0],
    deliveryId: 'd-1'
  })
  const status = JSON.parse((await ask(harness.port, '/v1/triggers/webhook/once/status')).body) as object
  t.match(status, { fired: 3, repeated: 12, refused: 0, failed: 0, lastError: null })
})

t.test('one webhook leads through a bus to many functions', async (t) => {
  const names = ['push', 'all']
  const harness = await startGateway(t, { functions: names.map((name) => record(name)) })
  const seen = listen(harness)
  for (const [name, pattern] of [
    ['push', '{"source":["webhook.repo"],"detail-type":["push"],"detail":{"ref":["refs/heads/main"]}}'],
    ['all', '{"source":["webhook.repo"]}']
  ] as const) {
    harness.rules.putRule({
      bus: 'default',
      name,
      id: randomUUID(),
      pattern,
      schedule: undefined,
      isEnabled: true,
      description: undefined,
      roleArn: undefined,
      tags: {},
      anchor: 0,
      activeFrom: 0,
      createdAt: 0
    })
    harness.rules.putTarget('default', name, { id: 't', arn: `${ARN}:${name}`, activeFrom: 0 })
    permit(harness, name, 'events.amazonaws.com', 'arn:aws:events:us-east-1:000000000000:rule/*')
  }
  harness.archives.put({
    name: 'all',
    id: 'all',
    bus: 'default',
    pattern: undefined,
    description: undefined,
    retentionDays: 0,
    createdAt: 0
  })
  put(harness, 'repo', [], {
    target: { bus: 'default', source: 'webhook.repo', detailType: { header: 'x-github-event' } },
    deduplicateBy: { header: 'x-github-delivery' }
  })
  const send = async (delivery: string, event: string, body: string, type = 'application/json') =>
    await ask(harness.port, `/hooks/${idOf('repo')}`, {
      auth: false,
      headers: { 'x-github-delivery': delivery, 'x-github-event': event, 'content-type': type },
      body
    })
  const body = '{"ref":"refs/heads/main","n":1.50}'
  const [first, second] = await Promise.all([send('d-1', 'push', body), send('d-1', 'push', body)])
  t.equal(first.status, 202)
  t.equal(first.body, second.body)
  await until('both', () => seen.length === 2)
  t.match(seen.find(({ fn }) => fn === 'push')!.event, {
    id: (JSON.parse(first.body) as { requestId: string }).requestId,
    source: 'webhook.repo',
    'detail-type': 'push',
    resources: [`${HOOK}/repo`],
    detail: { ref: 'refs/heads/main', n: 1.5 }
  })
  t.equal((await send('d-2', 'ping', 'a=b', 'application/x-www-form-urlencoded')).status, 202)
  await until('what is no JSON object', () => seen.length === 3)
  t.match(seen[2]!.event, {
    'detail-type': 'ping',
    detail: { body: Buffer.from('a=b').toString('base64'), requestContext: { webhook: 'repo' } }
  })
  // Nobody wants it, and it is remembered all the same.
  harness.rules.removeTarget('default', 'all', 't')
  t.equal((await send('d-3', 'x', '{}')).body, (await send('d-3', 'x', '{}')).body)
  t.equal((await send('d-1', 'push', body)).body, first.body)
  harness.rules.removeTarget('default', 'push', 't')
  harness.rules.removeRule('default', 'push')
  t.equal(seen.length, 3)
  put(harness, 'lost', [], { target: { bus: 'gone', source: 's', detailType: 'd' } })
  t.match(await ask(harness.port, `/hooks/${idOf('lost')}`, { auth: false, body: '{}' }), { status: 503 })

  // In the bus's archive each delivery is once.
  const before = seen.length
  harness.rules.putTarget('default', 'all', { id: 't', arn: `${ARN}:all`, activeFrom: 0 })
  harness.archives.putReplay({
    name: 'r',
    id: 'r',
    archive: 'all',
    archiveId: 'all',
    bus: 'default',
    rules: ['arn:aws:events:us-east-1:000000000000:rule/all'],
    eventsFrom: 0,
    eventsUntil: 8.64e15,
    state: 'STARTING',
    reason: undefined,
    lastEventAt: undefined,
    startedAt: 0,
    endedAt: undefined
  })
  await until('they are replayed', () => seen.length >= before + 3)
  const again = seen.slice(before).map(({ event }) => event as Record<string, unknown>)
  t.ok(again.every((event) => event['replay-name'] === 'r'))
  t.equal(new Set(again.map((event) => event['id'])).size, again.length)
  t.equal(again.length, 3)
})

t.test('what is not taken is told so, and what is taken is whole', async (t) => {
  const harness = await startGateway(t, { functions: [record('f'), record('letters')] })
  const seen = listen(harness)
  const { port } = harness
  const url = `/hooks/${idOf('h')}`
  put(harness, 'h', [], { methods: ['POST', 'GET'], deduplicateBy: { header: 'x-id' } })
  const sent = { auth: false, headers: { 'x-id': '1' }, body: '{}' } as const
  const closed = await ask(port, url, sent)
  t.match(JSON.parse(closed.body), { code: 'TRIGGER_UNAVAILABLE' }, 'the function does not let it in')
  t.match(closed, { status: 503, headers: { 'retry-after': '60' } })
  t.notMatch(closed.body, 'lambda', 'what is behind is nobody’s business')
  permit(harness, 'f', 'webhooks.hearth', `${HOOK}/h`)
  t.equal((await ask(port, url, sent)).status, 202, 'so the same delivery is taken later')
  await until('it', () => seen.length === 1)

  const key = { authorization: `Bearer token-of-the-administrator`, cookie: 'a=b', 'x-a': 'é' }
  const told = await ask(port, `${url}?a=1&a=%20&b`, { headers: key })
  t.equal(told.status, 202)
  await ask(port, url, {
    headers: { authorization: 'Basic c2VuZGVyOng=', 'content-type': 'text/plain' },
    body: 'ü'
  })
  await until('two more', () => seen.length === 3)
  const [, got, posted] = seen
  t.match(got!.event, {
    version: '2.0',
    rawPath: '/',
    rawQueryString: 'a=1&a=%20&b',
    queryStringParameters: { a: '1, ', b: '' },
    requestContext: { webhook: 'h', deliveryId: null, http: { method: 'GET', sourceIp: '127.0.0.1' } },
    isBase64Encoded: false
  })
  t.equal(got!.event.body, undefined)
  t.strictSame([got!.event.headers['authorization'], got!.event.headers['cookie']], [undefined, undefined])
  t.equal(posted!.event.headers['authorization'], 'Basic c2VuZGVyOng=')
  t.equal(posted!.event.body, 'ü')
  t.notMatch(JSON.stringify(seen), idOf('h'), 'the URL is not in the event')

  const put405 = await ask(port, url, { method: 'PUT', auth: false, body: '{}' })
  t.match(put405, { status: 405, headers: { allow: 'POST, GET' } })
  t.equal((await ask(port, `/hooks/${idOf('absent')}`, sent)).status, 404)
  t.equal((await ask(port, '/hooks/__proto__', sent)).status, 404)
  const large = await ask(port, url, { auth: false, body: Buffer.alloc(1_048_577) })
  t.equal(large.status, 413)
  const full = await ask(port, url, { auth: false, body: Buffer.alloc(1_048_576) })
  t.match(JSON.parse(full.body), { code: 'PAYLOAD_TOO_LARGE', detail: /makes an event of 1\d{6} bytes/ })
  t.equal(full.status, 413, 'with what is put around it')

  harness.webhooks.setEnabled('h', false, 1)
  t.match(await ask(port, url, sent), { status: 503, headers: { 'retry-after': '300' } })
  harness.webhooks.setEnabled('h', true, 2)
  t.equal((await ask(port, url, sent)).status, 202)

  put(harness, 'h', [], { target: { functionArn: `${ARN}:gone` }, deadLetterArn: `${ARN}:letters` })
  permit(harness, 'letters', 'webhooks.hearth', `${HOOK}/h`)
  t.equal((await ask(port, url, sent)).status, 202)
  await until('a dead letter', () => seen.length === 4)
  t.equal(seen[3]!.fn, 'letters')

  // Its secret is one of the server's, which is not there.
  put(harness, 'h', [{ value: 'secret:absent' }], { scheme: 'github' })
  t.equal((await ask(port, url, sent)).status, 503)
  t.equal(seen.length, 4)

  // Tried by whoever may.
  put(harness, 'h', [], {})
  const tried = await ask(port, '/v1/triggers/webhook/h/test', { body: '{"detail":{"n":1}}' })
  t.match(JSON.parse(tried.body), { matches: true, fired: [{ function: `${ARN}:f`, delivered: true }] })
  await until('the sample', () => seen.length === 5)
  t.equal(seen[4]!.event.body, '{"n":1}')
  t.equal((await ask(port, '/v1/triggers/webhook/h/test', { auth: false, body: '{}' })).status, 401)
})

t.test('who tries signatures is slowed down, and who knows the secret is not', async (t) => {
  const harness = await startGateway(t, {
    functions: [record('f')],
    limits: { requestRate: 0, authFailures: 2 },
    attached: false
  })
  permit(harness, 'f', 'webhooks.hearth', `${HOOK}/*`)
  put(harness, 'h', [{ value: 'a-good-secret' }], { scheme: 'github' })
  const send = async (secret: string) =>
    await ask(harness.port, `/hooks/${idOf('h')}`, {
      auth: false,
      headers: { 'x-hub-signature-256': `sha256=${hmac(secret, '{}')}` },
      body: '{}'
    })
  t.equal((await send('a-good-secret')).status, 503, 'until the database is there nobody is told that there is nothing')
  harness.attach()
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await send('guess')).status)
  t.strictSame(statuses, [401, 401, 429, 429])
  t.equal((await send('a-good-secret')).status, 202)
})
