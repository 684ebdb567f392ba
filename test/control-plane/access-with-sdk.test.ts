// Roles, keys, denials and secrets as the AWS SDK for JavaScript has them.
import type { AddressInfo } from 'node:net'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  GetRoleCommand,
  IAMClient,
  ListAttachedUserPoliciesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand
} from '@aws-sdk/client-iam'
import { GetFunctionCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import t from 'tap'
import { ACCOUNT, REGION, startControlPlane } from './support.ts'

const plane = await startControlPlane(t)
await plane.app.listen({ port: 0, host: '127.0.0.1' })
const endpoint = `http://127.0.0.1:${(plane.app.server.address() as AddressInfo).port}`

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** All clients with one key. */
function clientsOf(credentials: Credentials) {
  const config = { endpoint, region: REGION, credentials, maxAttempts: 1 }
  return {
    iam: new IAMClient(config),
    sts: new STSClient(config),
    lambda: new LambdaClient(config),
    secrets: new SecretsManagerClient(config),
    ssm: new SSMClient(config)
  }
}

const admin = clientsOf(plane)
const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
const allow = (action: string, resource: string) => document({ Effect: 'Allow', Action: action, Resource: resource })
const arn = (service: string, rest: string) =>
  `arn:aws:${service}:${['iam', 'sts'].includes(service) ? '' : REGION}:${ACCOUNT}:${rest}`

t.test('a user has a key, what its policies allow, and nothing more', async (t) => {
  await admin.iam.send(new CreateUserCommand({ UserName: 'ci', Tags: [{ Key: 'team', Value: 'a' }] }))
  const { AccessKey } = await admin.iam.send(new CreateAccessKeyCommand({ UserName: 'ci' }))
  const ci = clientsOf({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
  t.match(await ci.sts.send(new GetCallerIdentityCommand({})), { Account: ACCOUNT, Arn: arn('iam', 'user/ci') })

  const list = () => ci.lambda.send(new ListFunctionsCommand({}))
  await t.rejects(list(), {
    name: 'AccessDeniedException',
    message: `User: ${arn('iam', 'user/ci')} is not authorized to perform: lambda:ListFunctions because no identity-based policy allows the lambda:ListFunctions action`
  })
  const policy = 'arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess'
  await admin.iam.send(new AttachUserPolicyCommand({ UserName: 'ci', PolicyArn: policy }))
  t.match(await admin.iam.send(new ListAttachedUserPoliciesCommand({ UserName: 'ci' })), {
    AttachedPolicies: [{ PolicyArn: policy }]
  })
  t.same((await list()).Functions, [])
  const PolicyDocument = document({ Effect: 'Deny', Action: 'lambda:List*', Resource: '*' })
  await admin.iam.send(new PutUserPolicyCommand({ UserName: 'ci', PolicyName: 'no', PolicyDocument }))
  await t.rejects(list(), {
    name: 'AccessDeniedException',
    message: /with an explicit deny in an identity-based policy/
  })

  await admin.iam.send(new DeleteAccessKeyCommand({ UserName: 'ci', AccessKeyId: AccessKey!.AccessKeyId }))
  await t.rejects(ci.sts.send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' })
  const forged = clientsOf({ ...plane, secretAccessKey: 'x'.repeat(40) })
  await t.rejects(forged.iam.send(new GetRoleCommand({ RoleName: 'x' })), { name: 'SignatureDoesNotMatch' })
})

t.test('a role is taken, and is as good as its policies and the session’s together', async (t) => {
  const trust = document({ Effect: 'Allow', Principal: { AWS: arn('iam', 'user/admin') }, Action: 'sts:AssumeRole' })
  await admin.iam.send(new CreateRoleCommand({ RoleName: 'reader', AssumeRolePolicyDocument: trust }))
  const policy = { RoleName: 'reader', PolicyName: 'lambda', PolicyDocument: allow('lambda:*', '*') }
  await admin.iam.send(new PutRolePolicyCommand(policy))
  const taken = await admin.sts.send(
    new AssumeRoleCommand({
      RoleArn: arn('iam', 'role/reader'),
      RoleSessionName: 'me',
      Policy: allow('lambda:List*', '*')
    })
  )
  const { AccessKeyId, SecretAccessKey, SessionToken } = taken.Credentials!
  const key = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey! }
  const me = clientsOf({ ...key, sessionToken: SessionToken! })
  t.match(await me.sts.send(new GetCallerIdentityCommand({})), { Arn: arn('sts', 'assumed-role/reader/me') })
  t.same((await me.lambda.send(new ListFunctionsCommand({}))).Functions, [])
  await t.rejects(me.lambda.send(new GetFunctionCommand({ FunctionName: 'f' })), {
    name: 'AccessDeniedException',
    message: /no session policy allows the lambda:GetFunction action/
  })
  await t.rejects(clientsOf(key).sts.send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' })
  await t.rejects(admin.iam.send(new DeleteRoleCommand({ RoleName: 'reader' })), { name: 'DeleteConflictException' })
  await t.rejects(
    admin.iam.send(new CreateRoleCommand({ RoleName: 'bad', AssumeRolePolicyDocument: '{"Version": "2012-10-17",' })),
    { name: 'MalformedPolicyDocumentException' }
  )
})

t.test('secrets and parameters are for whom they are meant', async (t) => {
  await admin.secrets.send(new CreateSecretCommand({ Name: 'db', SecretString: 'open sesame' }))
  await admin.ssm.send(new PutParameterCommand({ Name: '/app/level', Value: 'debug', Type: 'SecureString' }))
  t.match(await admin.secrets.send(new GetSecretValueCommand({ SecretId: 'db' })), { SecretString: 'open sesame' })
  const parameter = new GetParameterCommand({ Name: '/app/level', WithDecryption: true })
  t.match(await admin.ssm.send(parameter), { Parameter: { Value: 'debug', Version: 1 } })

  await admin.iam.send(new CreateUserCommand({ UserName: 'app' }))
  const { AccessKey } = await admin.iam.send(new CreateAccessKeyCommand({ UserName: 'app' }))
  const PolicyDocument = allow('ssm:GetParameter', arn('ssm', 'parameter/app/*'))
  await admin.iam.send(new PutUserPolicyCommand({ UserName: 'app', PolicyName: 'own', PolicyDocument }))
  const app = clientsOf({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
  t.match(await app.ssm.send(parameter), { Parameter: { Value: 'debug' } })
  await t.rejects(app.secrets.send(new GetSecretValueCommand({ SecretId: 'db' })), { name: 'AccessDeniedException' })
  await t.rejects(admin.secrets.send(new GetSecretValueCommand({ SecretId: 'none' })), {
    name: 'ResourceNotFoundException'
  })
})
