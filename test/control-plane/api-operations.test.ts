import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  CreateEventSourceMappingCommand,
  InvokeAsyncCommand,
  PutFunctionScalingConfigCommand
} from '@aws-sdk/client-lambda'
import { compatibilityDocument } from '@hearth/control-plane'
import t from 'tap'
import { MODEL, membersOfRequest } from '../helpers/lambda-model.ts'
import { listenWithClient } from './client.ts'
import { ARN, ROLE, ROOT, SOURCE, startControlPlane, zipOf } from './support.ts'

/** A row of the compatibility document's tables about Lambda: name, request or status, status or remarks, remarks. */
const ROWS = new Map(
  (compatibilityDocument().split('\n## IAM\n')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| Operation |') && !line.startsWith('| Member |'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name = '', ...cells]) => [name, cells])
)

t.test('the document on compatibility is the committed one', async (t) => {
  t.equal(
    readFileSync(path.join(ROOT, 'docs/aws-compatibility.md'), 'utf8'),
    compatibilityDocument(),
    'run apps/control-plane/scripts/write-compatibility.mjs when an operation was added'
  )
})

t.test('each operation of the other services stands once, with its own', async (t) => {
  const sections = compatibilityDocument().split('\n## ')
  const operations = new Map(
    sections.map((section): [string, string[]] => {
      const [title = '', ...lines] = section.split('\n')
      return [title, lines.map((line) => /^\| ([A-Z]\w+) \|/.exec(line)?.[1] ?? '').filter(isOperation)]
    })
  )
  for (const [title, name, other] of [
    ['IAM', 'CreateRole', 'GetParameter'],
    ['Secrets Manager', 'GetSecretValue', 'CreateRole'],
    ['Parameter Store', 'GetParameter', 'CreateRole'],
    ['EventBridge', 'PutEvents', 'CreateRole']
  ] as const) {
    const names = operations.get(title) ?? []
    t.ok(names.includes(name) && !names.includes(other), title)
    t.equal(new Set(names).size, names.length, title)
  }
})

const isOperation = (name: string): boolean => name !== '' && name !== 'Operation'

t.test("the catalogue is the model's: no operation missing, no path of our own", async (t) => {
  t.ok(MODEL.length >= 88)
  for (const { name, method, path: route } of MODEL) {
    t.equal(ROWS.get(name)?.[0], `\`${method} ${route}\``, name)
  }
})

t.test(
  'an operation answers itself, or that it is not supported: never what looks like a missing function',
  async (t) => {
    const { inject, put } = await startControlPlane(t)
    await put('there', SOURCE)
    let unserved = 0
    for (const { name, method, path: route } of MODEL) {
      // The gateway's.
      if (name === 'Invoke' || name === 'InvokeWithResponseStream') continue
      const url = route.replaceAll(/\{(\w+)\}/g, (_text, member: string) =>
        member === 'FunctionName'
          ? 'there'
          : member === 'Resource'
            ? encodeURIComponent(`${ARN}:function:there`)
            : encodeURIComponent(`x/${member}`)
      )
      const res = await inject({ method, url, ...(method === 'POST' || method === 'PUT' ? { payload: {} } : {}) })
      const type = res.headers['x-amzn-errortype']
      t.not(type, 'UnknownOperationException', name)
      if (ROWS.get(name)?.[1] === 'works') {
        t.not(res.statusCode, 501, `${name} works`)
        t.ok(res.statusCode < 500, name)
        continue
      }
      unserved += 1
      t.equal(res.statusCode, 501, name)
      t.equal(type, 'NotImplementedException', name)
      const { message } = res.json<{ message: string }>()
      t.ok(message.startsWith(`${name} is not supported by this server: `), message)
      const absent = await inject({ method, url: url.replace('there', 'absent') })
      t.equal(absent.statusCode, 501, `${name} of a function that is not there`)
      t.equal((await inject({ method, url, headers: { authorization: '' } })).statusCode, 403, `${name} without a key`)
    }
    t.equal(
      unserved,
      MODEL.length - [...ROWS.values()].filter((cells) => cells[1] === 'works' && cells.length > 3).length
    )
  }
)

t.test("AWS's client shows the message of an unsupported operation, and does not repeat the call", async (t) => {
  const plane = await startControlPlane(t)
  const { client } = await listenWithClient(t, plane)
  const FunctionName = 'absent'
  const refused = (name: string) => ({
    name: 'NotImplementedException',
    message: new RegExp(`^${name} is not supported by this server: .+\\.$`),
    $metadata: { httpStatusCode: 501, attempts: 1 }
  })
  await t.rejects(
    client.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: 'arn:aws:sqs:us-east-1:0:q' })),
    refused('CreateEventSourceMapping')
  )
  await t.rejects(
    client.send(new PutFunctionScalingConfigCommand({ FunctionName, Qualifier: '1' })),
    refused('PutFunctionScalingConfig')
  )
  await t.rejects(client.send(new InvokeAsyncCommand({ FunctionName, InvokeArgs: '{}' })), refused('InvokeAsync'))
})

t.test('every member of the requests that make functions is accounted for, and refused where it says so', async (t) => {
  const { aws, get, files } = await startControlPlane(t)
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  const base = { FunctionName: 'f', Role: ROLE, Runtime: 'nodejs20.x', Handler: 'index.handler' }
  await aws('POST', '/functions', { ...base, FunctionName: 'there', Code: { ZipFile } })
  const before = await files()
  const filled: Readonly<Record<string, unknown>> = {
    S3Bucket: 'bucket',
    S3Key: 'key',
    S3ObjectVersion: '1',
    S3ObjectStorageMode: 'REFERENCE',
    ImageUri: 'image',
    SourceKMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x',
    PublishTo: 'LATEST_PUBLISHED',
    VpcConfig: { SubnetIds: ['subnet-1'] },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x',
    Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:l:1'],
    FileSystemConfigs: [{ Arn: 'x', LocalMountPath: '/mnt/x' }],
    ImageConfig: { Command: ['x'] },
    TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
    CapacityProviderConfig: { LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: 'x' } },
    DurableConfig: { ExecutionTimeout: 60 }
  }
  const codeMembers = new Set(membersOfRequest('FunctionCode'))
  for (const request of ['CreateFunctionRequest', 'UpdateFunctionConfigurationRequest', 'UpdateFunctionCodeRequest']) {
    const members = membersOfRequest(request)
    t.ok(members.length >= 10, request)
    for (const member of members) {
      const [status] = ROWS.get(member) ?? []
      t.ok(status, `${request}.${member} is in the document`)
      if (status !== 'refused') continue
      const value = filled[member]
      t.ok(value, `${member}: this test knows a value for it`)
      const more = { [member]: value }
      const res =
        request === 'CreateFunctionRequest'
          ? await aws('POST', '/functions', { ...base, Code: { ZipFile }, ...more })
          : request === 'UpdateFunctionCodeRequest'
            ? await aws('PUT', '/functions/there/code', { ZipFile, ...more })
            : await aws('PUT', '/functions/there/configuration', more)
      t.equal(res.statusCode, 400, `${request}.${member}`)
      t.equal(res.headers['x-amzn-errortype'], 'InvalidParameterValueException', `${request}.${member}`)
      t.match(res.json(), { message: new RegExp(codeMembers.has(member) ? 'S3|ImageUri|KMS' : `^${member} is not`) })
    }
  }
  t.equal((await get('/v1/functions/f')).statusCode, 404)
  t.strictSame(await files(), before, 'nothing is left of what was refused')
})
