// Events through AWS's client on a real server, which is then killed while it takes and runs them.
import {
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand
} from '@aws-sdk/client-lambda'
import t from 'tap'
import { crashRun, deployForCrash } from '../helpers/event-crash.ts'
import { eventually, startHearth } from '../helpers/hearth.ts'

const EVENTS = 2_000

t.test('every accepted event is done and told, whatever kills the gateway', { timeout: 115_000 }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  await deployForCrash(hearth)
  const { accessKeyId, secretAccessKey } = hearth
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey }
  })
  t.teardown(() => {
    client.destroy()
  })
  const Destination = 'arn:aws:lambda:us-east-1:000000000000:function:sink'
  const FunctionName = 'work'
  await client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnSuccess: { Destination } }
    })
  )
  const config = await client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }))
  t.match(config, { MaximumRetryAttempts: 1, DestinationConfig: { OnSuccess: { Destination } } })
  const sent = await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: '{"n":-1}' }))
  t.equal(sent.StatusCode, 202)
  const { requestId } = sent.$metadata
  const told = await eventually(async () => {
    const answer = await hearth.request(`/v1/invocations/${requestId!}`)
    const { status, deliveries } = (await answer.json()) as { status: string; deliveries: { status: string }[] }
    return status === 'succeeded' && deliveries[0]?.status === 'delivered' ? deliveries : undefined
  })
  t.match(told, [{ purpose: 'OnSuccess', target: Destination, failedAttempts: 0 }])

  const result = await crashRun(hearth, { events: EVENTS, clients: 32, kills: 3, patienceMs: 80_000 })
  t.strictSame(
    { ...result, seen: result.seen > 0 },
    { accepted: EVENTS, lost: 0, again: 0, untold: 0, changed: 0, resumed: 0, seen: true }
  )
})
