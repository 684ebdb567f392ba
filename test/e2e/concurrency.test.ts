import {
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand
} from '@aws-sdk/client-lambda'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'

// The server starts and stops too.
t.setTimeout(120_000)

const SOURCE = `
  if (process.env.BROKEN) throw new Error('no')
  export const handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE + ' ' + process.env.AWS_LAMBDA_FUNCTION_VERSION
`

t.test('what the Lambda API is told of concurrency is what happens', async (t) => {
  const hearth = await startHearth({ env: { HEARTH_CONCURRENCY: '20' } })
  t.teardown(() => hearth.stop())
  const { accessKeyId, secretAccessKey } = hearth
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1
  })
  t.teardown(() => {
    client.destroy()
  })
  const FunctionName = 'f'
  for (const query of ['', '&description=two', '&env.BROKEN=1'])
    t.equal((await hearth.deploy('f', SOURCE, `publish=true${query}`)).ok, true)
  const aliasUrl = '/v1/functions/f/aliases/live'
  await hearth.request(aliasUrl, { method: 'PUT', body: JSON.stringify({ version: '1' }) })

  const provision = (Qualifier: string, ProvisionedConcurrentExecutions: number) =>
    client.send(
      new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions })
    )
  const settled = (Qualifier: string) =>
    eventually(async () => {
      const config = await client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
      return config.Status === 'IN_PROGRESS' ? undefined : config
    }, 30_000)
  const invoke = async (Qualifier: string) => {
    const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName, Qualifier }))
    return FunctionError ?? (JSON.parse(Payload?.transformToString() ?? 'null') as string)
  }

  await provision('live', 2)
  t.match(await settled('live'), {
    Status: 'READY',
    RequestedProvisionedConcurrentExecutions: 2,
    AllocatedProvisionedConcurrentExecutions: 2,
    AvailableProvisionedConcurrentExecutions: 2
  })
  t.equal(await invoke('live'), 'provisioned-concurrency 1')

  await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '2' }))
  t.match(await settled('live'), { Status: 'READY', AvailableProvisionedConcurrentExecutions: 2 })
  t.equal(await invoke('live'), 'provisioned-concurrency 2')

  await provision('3', 1)
  t.match(await settled('3'), {
    Status: 'FAILED',
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
    AvailableProvisionedConcurrentExecutions: 0
  })
  t.match(await client.send(new GetAccountSettingsCommand({})), {
    AccountLimit: { ConcurrentExecutions: 20, UnreservedConcurrentExecutions: 17 }
  })
  for (const Qualifier of ['3', 'live'])
    await client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))

  await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
  await t.rejects(invoke('live'), {
    name: 'TooManyRequestsException',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    $metadata: { httpStatusCode: 429 }
  })
  await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
  t.match(await invoke('live'), / 2$/, 'and switched on again')
})
