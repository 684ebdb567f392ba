// CloudWatch's metrics in its three protocols.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { CloudWatchClient, ListMetricsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import t from 'tap'
import { startControlPlane } from './support.ts'

t.setTimeout(120_000)
const plane = await startControlPlane(t)
await plane.app.listen({ port: 0, host: '127.0.0.1' })
const endpoint = `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`
const { accessKeyId, secretAccessKey } = plane
const sdk = new CloudWatchClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } })
t.teardown(() => sdk.destroy())

t.test('SDK: what is put is listed', async (t) => {
  await sdk.send(
    new PutMetricDataCommand({
      Namespace: 'App',
      MetricData: [
        { MetricName: 'latency', Unit: 'Milliseconds', Values: [1, 2, 300], Counts: [5, 4, 1], Timestamp: new Date() },
        {
          MetricName: 'size',
          Value: 7.5,
          Dimensions: [
            { Name: 'b', Value: '2' },
            { Name: 'a', Value: '1' }
          ]
        }
      ]
    })
  )
  const { Metrics } = await sdk.send(new ListMetricsCommand({ Namespace: 'App' }))
  t.strictSame(Metrics, [
    { Namespace: 'App', MetricName: 'latency', Dimensions: [] },
    {
      Namespace: 'App',
      MetricName: 'size',
      Dimensions: [
        { Name: 'a', Value: '1' },
        { Name: 'b', Value: '2' }
      ]
    }
  ])
  await t.rejects(
    sdk.send(new PutMetricDataCommand({ Namespace: 'App', MetricData: [{ MetricName: 'm', Value: 1, Values: [1] }] })),
    {
      name: 'InvalidParameterCombinationException',
      message:
        'The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.',
      $metadata: { httpStatusCode: 400 }
    }
  )
})

const run = promisify(execFile)
const find = async (command: string): Promise<string> =>
  (await run('bash', ['-c', `type -P ${command}`]).catch(() => ({ stdout: '' }))).stdout.trim()
const commands = [...new Set(['/usr/bin/aws', await find('aws')])].filter((file) => file !== '' && existsSync(file))
if (commands.length === 0) t.test('AWS CLI', { skip: 'aws is not on PATH' }, async () => undefined)
for (const cli of commands) {
  t.test(`AWS CLI: ${cli}`, async (t) => {
    const env = {
      PATH: process.env['PATH'],
      HOME: t.testdir(),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true'
    }
    const aws = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await run(cli, ['--endpoint-url', endpoint, '--output', 'json', 'cloudwatch', ...args], {
        env
      })
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    }
    t.match(await aws('list-metrics', '--namespace', 'App', '--metric-name', 'size'), {
      Metrics: [{ Namespace: 'App', MetricName: 'size', Dimensions: [{ Name: 'a', Value: '1' }, { Name: 'b' }] }]
    })
  })
}
