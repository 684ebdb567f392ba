// The door by which services of the control plane hand over what they have for functions, from both of its ends.
import { randomUUID } from 'node:crypto'
import { createServiceInvoker } from '@hearth/control-plane/internal/service-invoker'
import t from 'tap'
import { ask, type Harness, INTERNAL_TOKEN, outcome, record, startGateway, until } from './harness.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const LOGS = 'logs.amazonaws.com'
const GROUP = 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/web:*'

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

function listen({ executor }: Harness) {
  const seen: { fn: string; id: string; payload: string }[] = []
  executor.behaviour = ({ payload, requestId }, { name }) => {
    seen.push({ fn: name, id: requestId, payload: payload.toString() })
    return outcome('null')
  }
  return seen
}

t.test('what a service has for a function is one event, however often it is handed over', async (t) => {
  const harness = await startGateway(t, { functions: [record('reader'), record('closed'), record('told')] })
  const seen = listen(harness)
  const invoker = createServiceInvoker({ host: '0.0.0.0', port: harness.port, internalToken: INTERNAL_TOKEN })
  t.teardown(() => {
    invoker.close()
  })
  permit(harness, 'reader', LOGS, GROUP)
  const call = { functionArn: `${ARN}:reader`, service: LOGS, sourceArn: GROUP }

  t.same(await invoker.check(call), { status: 'accepted' })
  const elsewhere = { ...call, sourceArn: GROUP.replace('web', 'other') }
  t.match(await invoker.check(elsewhere), {
    status: 'refused',
    code: 'NO_PERMISSIONS',
    message: /logs\.amazonaws\.com/
  })
  t.match(await invoker.check({ ...call, service: 'events.amazonaws.com' }), { status: 'refused' })
  t.match(await invoker.check({ ...call, functionArn: `${ARN}:gone` }), { status: 'refused', code: 'NO_RESOURCE' })
  t.match(await invoker.check({ ...call, functionArn: `${ARN}:closed` }), { status: 'refused', code: 'NO_PERMISSIONS' })
  t.same(seen, [], 'asking runs nothing')

  const eventId = randomUUID()
  const payload = JSON.stringify({ awslogs: { data: 'ä'.repeat(10) } })
  const answers = await Promise.all([1, 2, 3].map(() => invoker.invoke({ ...call, eventId, payload })))
  t.same(
    answers,
    [1, 2, 3].map(() => ({ status: 'accepted' }))
  )
  await until('the event', () => seen.length > 0)
  t.same(await invoker.invoke({ ...call, eventId, payload }), { status: 'accepted' }, 'also when it is over')
  const last = randomUUID()
  await invoker.invoke({ ...call, eventId: last, payload: '{}' })
  await until('the last event', () => seen.some(({ id }) => id === last))
  t.same(
    seen.filter(({ id }) => id === eventId),
    [{ fn: 'reader', id: eventId, payload }]
  )
  const large = `"${'x'.repeat(1_048_576)}"`
  t.match(await invoker.invoke({ ...call, eventId: randomUUID(), payload: large }), { code: 'INVALID_PAYLOAD' })
  await t.rejects(invoker.invoke({ ...call, eventId: 'one', payload }), { message: /400: eventId/ })
  t.match(await invoker.invoke({ ...elsewhere, eventId: randomUUID(), payload }), { status: 'refused' })
})

t.test('an event of the platform goes through the rules of the default bus, once', async (t) => {
  const harness = await startGateway(t, { functions: [record('told')] })
  const seen = listen(harness)
  const invoker = createServiceInvoker({ host: '127.0.0.1', port: harness.port, internalToken: INTERNAL_TOKEN })
  t.teardown(() => {
    invoker.close()
  })
  permit(harness, 'told', 'events.amazonaws.com', 'arn:aws:events:us-east-1:000000000000:rule/alarms')
  harness.rules.putRule({
    bus: 'default',
    name: 'alarms',
    id: randomUUID(),
    pattern: '{"source":["aws.cloudwatch"]}',
    schedule: undefined,
    isEnabled: true,
    description: undefined,
    roleArn: undefined,
    tags: {},
    anchor: 0,
    activeFrom: 0,
    createdAt: 0
  })
  harness.rules.putTarget('default', 'alarms', { id: 't', arn: `${ARN}:told`, activeFrom: 0 })
  const event = {
    id: randomUUID(),
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    resources: ['arn:aws:cloudwatch:us-east-1:000000000000:alarm:a'],
    detail: { alarmName: 'a', state: { value: 'ALARM' } }
  }
  await Promise.all([invoker.putEvent(event), invoker.putEvent(event)])
  await invoker.putEvent(event)
  const other = { ...event, id: randomUUID() }
  await invoker.putEvent(other)
  await until('both events', () => seen.length >= 2)
  const told = seen.map(({ payload }) => JSON.parse(payload) as Record<string, unknown>)
  t.same(told.map(({ id }) => id).sort(), [event.id, other.id].sort())
  t.match(told[0], {
    source: event.source,
    'detail-type': event.detailType,
    account: '000000000000',
    detail: event.detail
  })
  await t.rejects(invoker.putEvent({ ...event, id: 'x' }), { message: /400/ })
})

t.test('nobody but the control plane gets in, and before there is a database nobody', async (t) => {
  const { port } = await startGateway(t)
  const authorization = `Bearer ${INTERNAL_TOKEN}`
  const url = `/internal/service-checks?${new URLSearchParams({ functionArn: `${ARN}:hello`, service: 's', sourceArn: 'a' })}`
  const check = async (headers: Record<string, string>) =>
    (await ask(port, url, { method: 'POST', auth: false, headers: { 'content-length': '0', ...headers } })).status
  t.equal(await check({ authorization }), 200)
  t.equal(await check({}), 403)
  t.equal(await check({ authorization: 'Bearer token-of-the-administrator' }), 403)
  for (const header of ['x-forwarded-for', 'forwarded', 'via']) {
    t.equal(await check({ authorization, [header]: '203.0.113.7' }), 403, header)
  }
  const early = await startGateway(t, { attached: false })
  const starting = createServiceInvoker({ host: '127.0.0.1', port: early.port, internalToken: INTERNAL_TOKEN })
  t.teardown(() => {
    starting.close()
  })
  const event = { id: randomUUID(), source: 's', detailType: 'd', resources: [], detail: {} }
  await t.rejects(starting.putEvent(event), { message: /403/ })
})
