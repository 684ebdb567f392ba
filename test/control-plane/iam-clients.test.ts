// IAM, Secrets Manager and Parameter Store as Python's and the command line's clients of AWS use them.
import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { awsClis, runAws } from '../helpers/aws-clis.ts'
import { ACCOUNT, ROOT, startControlPlane } from './support.ts'

const run = promisify(execFile)
const find = async (command: string): Promise<string> =>
  (await run('bash', ['-c', `type -P ${command}`]).catch(() => ({ stdout: '' }))).stdout.trim()
// Each start of a client takes seconds when the machine is busy.
t.setTimeout(120_000)

const plane = await startControlPlane(t)
await plane.app.listen({ port: 0, host: '127.0.0.1' })
const endpoint = `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`
const { accessKeyId, secretAccessKey } = plane

const python = await find('python3')
const hasBoto = await run(python, ['-c', 'import boto3']).then(
  () => true,
  () => false
)

t.test('boto3', { skip: hasBoto ? false : 'python3 has no boto3' }, async (t) => {
  for (const name of ['iam', 'secrets']) {
    const script = path.join(ROOT, `test/fixtures/${name}-with-boto3.py`)
    const outcome = await run(python, [script, endpoint, accessKeyId, secretAccessKey]).catch(
      (thrown: unknown) => thrown as { stdout: string; stderr: string }
    )
    t.equal(outcome.stdout, 'done\n', outcome.stderr)
  }
})

const commands = awsClis()
if (commands.length === 0) t.test('AWS CLI', { skip: 'aws is not on PATH' }, async () => undefined)
for (const [i, cli] of commands.entries()) {
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
      const { stdout } = await runAws(cli, ['--endpoint-url', endpoint, '--output', 'json', 'iam', ...args], { env })
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    }
    const role = `cli-${i}`
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }]
    })
    const created = await aws('create-role', '--role-name', role, '--assume-role-policy-document', trust)
    t.match(created, {
      Role: { Arn: `arn:aws:iam::${ACCOUNT}:role/${role}`, AssumeRolePolicyDocument: { Version: '2012-10-17' } }
    })
    const refused = await aws('get-role', '--role-name', 'absent').catch((thrown: unknown) => thrown)
    t.match(
      (refused as { stderr: string }).stderr,
      'NoSuchEntity) when calling the GetRole operation: The role with name absent'
    )
  })
}
