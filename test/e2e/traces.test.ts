// A trace from AWS's client through a real server and its functions to a receiver of OTLP.
import { InvokeCommand, LambdaClient, PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'
import { startCollector } from '../helpers/otlp.ts'

const SOURCE = `export const handler = async (event) => ({
  env: process.env._X_AMZN_TRACE_ID,
  traceparent: event.headers?.traceparent,
  came: event.requestContext?.condition
})`

t.test('one trace from a client to the destination of its event', { timeout: 110_000 }, async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.close())
  const hearth = await startHearth({
    env: {
      HEARTH_LOG_LEVEL: 'info',
      HEARTH_TRACE_SAMPLE: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20otlp-secret',
      OTEL_SERVICE_NAME: 'faas',
      OTEL_LOGS_EXPORTER: 'none'
    }
  })
  t.teardown(() => hearth.stop())
  const { accessKeyId, secretAccessKey } = hearth
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey }
  })
  t.teardown(() => {
    client.destroy()
  })
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }]
  const policies = { tell: { Version: '2012-10-17', Statement } }
  t.ok((await hearth.request('/v1/roles/tell', { method: 'PUT', body: JSON.stringify({ policies }) })).ok)
  const role = 'role=arn:aws:iam::000000000000:role/tell'
  for (const name of ['first', 'second']) t.ok((await hearth.deploy(`${name}.mjs`, SOURCE, role)).ok)

  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const parentId = '00f067aa0ba902b7'
  const headers = { traceparent: `00-${traceId}-${parentId}-01` }
  const seen = (await (await hearth.request('/fn/first', { headers })).json()) as Record<string, string>
  const spanId = /^Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=([0-9a-f]{16});Sampled=1/.exec(seen['env']!)?.[1]
  t.equal(seen['traceparent'], `00-${traceId}-${spanId}-01`)
  await eventually(() => Promise.resolve(collector.named('execute').length === 1))
  t.match(collector.named('execute')[0], { traceId, spanId })
  t.match(collector.named('invoke first')[0], {
    parentSpanId: parentId,
    attributes: { 'faas.trigger': 'http', 'faas.coldstart': true },
    resource: { 'service.name': 'faas' }
  })

  const Destination = 'arn:aws:lambda:us-east-1:000000000000:function:second'
  await client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: 'first',
      DestinationConfig: { OnSuccess: { Destination } }
    })
  )
  // As the client does inside of a function whose header says so.
  const root = '1-5759e988-bd862e3fe1be46a994272793'
  const invoke = new InvokeCommand({ FunctionName: 'first', InvocationType: 'Event', Payload: '{}' })
  invoke.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['X-Amzn-Trace-Id'] = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`
      return next(args)
    },
    { step: 'build' }
  )
  t.equal((await client.send(invoke)).StatusCode, 202)
  await eventually(() => Promise.resolve(collector.named('invoke second').length === 1))
  const named = (name: string) =>
    collector.named(name).filter((span) => span.traceId === root.slice(2).replace('-', ''))
  const [send] = named('send first')
  const [first] = named('invoke first')
  const [second] = named('invoke second')
  const [ran] = named('execute').filter(({ parentSpanId }) => parentSpanId === first!.spanId)
  t.equal(send!.parentSpanId, '53995c3f42cd8ad8')
  t.match(first, { kind: 5, parentSpanId: send!.spanId })
  t.match(second, { kind: 5, parentSpanId: ran!.spanId, attributes: { 'faas.name': 'second' } })

  // What waits when the server stops is sent.
  const last = await hearth.request('/fn/second', { headers })
  t.equal(last.status, 200)
  await hearth.stop()
  t.equal(collector.named('invoke second').length, 2)
  t.strictSame(collector.faults, [])
  t.ok(collector.requests.every(({ headers }) => headers.authorization === 'Bearer otlp-secret'))
  t.match(hearth.output(), '"headers":{"authorization":"[set]"}')
  t.notMatch(hearth.output(), 'otlp-secret')
})
