import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { awsCliOnPath, runAws } from '../helpers/aws-clis.ts'
import { startHearth } from '../helpers/hearth.ts'

const run = promisify(execFile)
t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

/** What a browser does with a name below localhost: it asks this machine. */
async function curl(url: string, ...options: string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const { stdout } = await run('curl', ['-sSi', '--resolve', `${hostname}:${port}:127.0.0.1`, ...options, url])
  return stdout
}

t.test('a function is public at a URL that the AWS CLI made, until that is deleted', async (t) => {
  const source = `export const handler = async ({ rawPath, requestContext: { domainPrefix, accountId } }) =>
    ({ statusCode: 201, headers: { 'x-path': rawPath }, body: accountId + ' ' + domainPrefix })\n`
  t.equal((await hearth.deploy('public.mjs', source)).status, 201)
  const aws = (...args: string[]) =>
    runAws(awsCliOnPath()!, ['lambda', ...args, '--function-name', 'public', '--endpoint-url', hearth.url], {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: hearth.accessKeyId,
        AWS_SECRET_ACCESS_KEY: hearth.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1'
      }
    })
  const made = await aws(
    'create-function-url-config',
    '--auth-type',
    'NONE',
    '--cors',
    'AllowOrigins=https://a.example'
  )
  const { FunctionUrl: url } = JSON.parse(made.stdout) as { FunctionUrl: string }
  const id = new URL(url).hostname.split('.')[0]!
  t.match(await curl(url), /^HTTP\/1\.1 403/, 'nobody was let in yet')
  const permission = ['--action', 'lambda:InvokeFunctionUrl', '--principal', '*', '--function-url-auth-type', 'NONE']
  await aws('add-permission', '--statement-id', 'everybody', ...permission)
  const answer = await curl(`${url}v1/functions`, '-H', 'origin: https://a.example')
  t.match(answer, /^HTTP\/1\.1 201/)
  t.match(answer, /x-path: \/v1\/functions\r\n/)
  t.match(answer, /access-control-allow-origin: https:\/\/a\.example\r\n/)
  t.ok(answer.endsWith(`anonymous ${id}`))
  t.match(await (await fetch(`${hearth.url}/url/${id}/x`)).text(), `anonymous ${id}`, 'by path')

  const domain = await hearth.request('/v1/domains/shop.example', { method: 'PUT', body: '{"function":"public"}' })
  t.equal(domain.status, 201)
  t.match(await curl(`http://shop.example:${hearth.ports.gateway}/`), 'anonymous shop')

  t.equal((await hearth.request('/v1/functions/public/url', { method: 'PUT' })).status, 200)
  t.match(await curl(url), /^HTTP\/1\.1 403/, 'now with a key only')
  t.match(await curl(url, '-H', `authorization: Bearer ${hearth.token}`), `000000000000 ${id}`)
  const sigv4 = ['--aws-sigv4', 'aws:amz:us-east-1:lambda', '-u', `${hearth.accessKeyId}:${hearth.secretAccessKey}`]
  t.match(await curl(url, ...sigv4), `000000000000 ${id}`, 'or a signature')

  await aws('delete-function-url-config')
  t.match(await curl(url), /^HTTP\/1\.1 403[\s\S]*\{"Message":null\}$/)
})
