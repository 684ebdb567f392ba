import path from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

// What functions do as their roles, with AWS's own client as it comes from npm, in sandboxes without network.
t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

const ACCOUNT = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`

/** Does what its event says: nothing here says where the API is, or who asks. */
const ASKER = `
import { createHash, createHmac } from 'node:crypto'
import { InvokeCommand, GetFunctionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { SignatureV4 } from '@smithy/signature-v4'

const lambda = new LambdaClient({ maxAttempts: 1 })
class Sha256 {
  constructor(secret) { this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret) }
  update(data) { this.hash.update(data) }
  async digest() { return this.hash.digest() }
}
async function identity() {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env
  const signer = new SignatureV4({ service: 'sts', region: process.env.AWS_REGION, sha256: Sha256, credentials: { accessKeyId, secretAccessKey, sessionToken } })
  const { host, hostname, port } = new URL(process.env.AWS_ENDPOINT_URL)
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const { headers } = await signer.sign({ method: 'POST', protocol: 'http:', path: '/', hostname, port, body, headers: { host, 'content-type': 'application/x-www-form-urlencoded' } })
  const answer = await fetch(process.env.AWS_ENDPOINT_URL + '/', { method: 'POST', headers, body })
  return answer.text()
}
const invoke = async (FunctionName, headers) => {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{"from":"asker"}' }))
  return JSON.parse(Buffer.from(Payload).toString())
}
const plain = async (path, init) => {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL + path, init)
  return [answer.status, answer.headers.get('x-amzn-errortype'), await answer.text()]
}
export const handler = async ({ ask, name, path, init }) => {
  try {
    if (ask === 'invoke') return await invoke(name)
    if (ask === 'identity') return await identity()
    if (ask === 'plain') return await plain(path, init)
    if (ask === 'get') return (await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration.FunctionName
    if (ask === 'environment') return process.env
  } catch (error) {
    return { error: error.name, message: error.message }
  }
}
`

const ask = async (event: object, name = 'asker') => (await hearth.invoke(name, event)).json()

t.before(async () => {
  const statement = (actions: string[], resource: string) => ({ Effect: 'Allow', Action: actions, Resource: resource })
  const role = await hearth.request('/v1/roles/asker', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      policies: {
        use: { Version: '2012-10-17', Statement: [statement(['lambda:InvokeFunction'], arnOf('callee'))] }
      }
    })
  })
  t.equal(role.status, 201, await role.text())
  for (const name of ['callee', 'other']) {
    const made = await hearth.deploy(name, `export const handler = async (event) => ({ ...event, by: '${name}' })`)
    t.equal(made.status, 201)
  }
  const { outputFiles } = await build({
    stdin: { contents: ASKER, resolveDir: path.join(ROOT, 'test') },
    bundle: true,
    platform: 'node',
    write: false
  })
  const zip = await zipOf({ 'index.js': outputFiles[0]!.text })
  const made = await hearth.deploy('asker', zip, `memory=512&role=${roleArn('asker')}`)
  t.equal(made.status, 201, await made.text())
})

t.test('a function invokes what its role allows, and nothing else', async (t) => {
  t.same(await ask({ ask: 'invoke', name: 'callee' }), { from: 'asker', by: 'callee' })
  t.match(await ask({ ask: 'invoke', name: 'other' }), {
    error: 'AccessDeniedException',
    message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/asker/asker is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf('other')}`
  })
  t.match(await ask({ ask: 'get', name: 'asker' }), { error: 'AccessDeniedException', message: /lambda:GetFunction / })
  t.match(await ask({ ask: 'identity' }), new RegExp(`<Arn>arn:aws:sts::${ACCOUNT}:assumed-role/asker/asker</Arn>`))
})
