import { execFile } from 'node:child_process'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

const run = promisify(execFile)
const PROVIDER = 'registry.terraform.io/hashicorp/aws'
const CHANGES = [
  'greeting=Good day',
  'memory=256',
  'retention=30',
  'canary_version=2',
  'permitted=["dynamodb:GetItem", "dynamodb:Query"]'
]
// Each run of the provider takes seconds to begin with.
t.setTimeout(400_000)

const terraform = await findTerraform()
const provider = findProvider()
const missing =
  terraform === undefined
    ? 'terraform is not on PATH'
    : provider === undefined
      ? `no folder of plugins has ${PROVIDER} unpacked`
      : undefined

t.test('Terraform creates, finds nothing to do, changes and destroys', { skip: missing ?? false }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  const dir = t.testdir()
  cpSync(path.join(ROOT, 'examples/terraform'), dir, { recursive: true })
  const pack = async (mark: string) => {
    const source = `import { createRequire } from 'node:module'
      const words = () => createRequire('/opt/nodejs/')('words')
      export const handler = async (event) => event.name === undefined
        ? words().url : \`\${process.env.GREETING}, \${event.name}${mark}\``
    writeFileSync(path.join(dir, 'hello.zip'), await zipOf({ 'index.mjs': source }))
  }
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_CLI_CONFIG_FILE: path.join(dir, 'terraform.rc'),
    // Each run of the provider builds a schema of 1,500 resources; collecting garbage meanwhile takes most of its time.
    GOGC: '1000',
    TF_VAR_endpoint: hearth.url
  }
  // Taken from where it lies, without init: each command would read all of the provider once more, for its checksum.
  writeFileSync(
    env.TF_CLI_CONFIG_FILE,
    `provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "${path.dirname(provider!)}"\n  }\n}\n`
  )
  /** @returns exit code and what was said */
  const tf = async (...args: string[]) => {
    try {
      const { stdout } = await run(terraform!, [...args, '-no-color'], { cwd: dir, env })
      return { code: 0, text: stdout }
    } catch (thrown) {
      const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string }
      return { code, text: stdout + stderr }
    }
  }
  const apply = async (...vars: string[]) => {
    const { code, text } = await tf('apply', '-auto-approve', ...vars.map((value) => `-var=${value}`))
    t.equal(code, 0, code === 0 ? 'applied' : text)
    return text
  }
  const invoke = async () => (await hearth.invoke('hello-terraform', { name: 'Ada' })).json()

  await pack('!')
  const words = { 'nodejs/node_modules/words/index.js': 'exports.url = "Hello from a layer"' }
  writeFileSync(path.join(dir, 'layer.zip'), await zipOf(words))
  const created = await apply()
  t.match(created, /arn:aws:lambda:us-east-1:000000000000:function:hello-terraform/)
  t.equal(await invoke(), 'Hello, Ada!')
  const alias = async () => (await hearth.request('/v1/functions/versioned-terraform/aliases/live')).json()
  t.match(await alias(), { version: '1', weights: {} })
  const host = new URL(/url = "(.+?)"/.exec(created)?.[1] ?? 'http://missing').host
  const page = await fetchByHost(hearth.url, host)
  t.equal(page.body, 'Hello from a layer', 'the URL is public, and leads to the version that has the layer')

  t.match(await (await hearth.request('/v1/triggers/event/orders-terraform')).json(), { enabled: true })
  const archived = async () =>
    await hearth.request('/', {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.DescribeArchive', 'content-type': 'application/x-amz-json-1.1' },
      body: '{"ArchiveName":"orders-terraform"}'
    })
  t.match(await (await archived()).json(), { RetentionDays: 30, EventSourceArn: /event-bus\/default$/ })
  const morning = await hearth.request('/schedules/morning-terraform?groupName=mornings-terraform')
  t.match(await morning.json(), { ScheduleExpressionTimezone: 'Europe/Berlin', State: 'ENABLED' })

  const orders = async () => await (await hearth.request('/v1/log-groups/%2Forders%2Fterraform')).json()
  t.match(await orders(), {
    retentionDays: 14,
    subscriptionFilters: ['errors-terraform'],
    metricFilters: ['slow-terraform'],
    tags: { team: 'a' }
  })

  const apis = (await (await hearth.request('/v2/apis')).json()) as { items: { apiId: string; name: string }[] }
  const idOf = (name: string) => apis.items.find((api) => api.name === `${name}-terraform`)?.apiId
  const pets = async () => (await hearth.request(`/v2/apis/${idOf('pets')}/stages/$default`)).json()
  t.match(await pets(), { autoDeploy: true, deploymentId: /./, stageVariables: { greeting: 'hello' } })
  t.match(await (await hearth.request(`/v2/apis/${idOf('chat')}/stages/live`)).json(), { deploymentId: /./ })

  const alarms = async () => (await (await hearth.request('/v1/alarms')).json()) as { items: unknown[] }
  t.match(await alarms(), {
    items: [
      { name: 'either-terraform', rule: 'ALARM(errors-terraform) OR ALARM(error-rate-terraform)' },
      { name: 'error-rate-terraform', threshold: 5, queries: [{}, {}, {}] },
      { name: 'errors-terraform', description: 'Hello, something fails', tags: { team: 'a' }, datapointsToAlarm: 2 }
    ]
  })

  await pack('?')
  t.match(await apply(...CHANGES), /0 added, 8 changed, 0 destroyed/)
  t.match(await pets(), { stageVariables: { greeting: 'other' } })
  t.match(await orders(), { retentionDays: 30, subscriptionFilters: ['errors-terraform'] })
  t.equal(await invoke(), 'Good day, Ada?')
  t.match(await alarms(), { items: [{}, { threshold: 10 }, { description: 'Good day, something fails' }] })
  t.match(await (await hearth.request('/v1/functions/hello-terraform')).json(), {
    memoryMiB: 256,
    ephemeralMiB: 1_024,
    reservedConcurrency: 5,
    tracing: 'Active',
    tags: { team: 'a', greeting: 'Good day' }
  })
  t.match(await alias(), { version: '1', weights: { 2: 0.25 } })
  const permissions = await (
    await hearth.request('/v1/functions/versioned-terraform/permissions?qualifier=live')
  ).json()
  const { items } = permissions as { readonly items: readonly { readonly Principal: unknown }[] }
  const principals = items.map(({ Principal }) => JSON.stringify(Principal)).sort()
  t.strictSame(principals, ['"*"', '{"Service":"s3.amazonaws.com"}'])
  const plan = await tf('plan', '-detailed-exitcode', ...CHANGES.map((value) => `-var=${value}`))
  t.equal(plan.code, 0, plan.code === 0 ? 'nothing left to do' : plan.text)

  const role = await (await hearth.request('/v1/roles/hello-terraform')).json()
  const own = (name: string) => `arn:aws:iam::000000000000:policy/${name}`
  t.match(role, {
    arn: 'arn:aws:iam::000000000000:role/functions/hello-terraform',
    maxSessionSeconds: 7_200,
    boundary: own('hello-limit-terraform'),
    policies: { invoke: { Version: '2012-10-17' } },
    tags: { team: 'a' }
  })
  t.strictSame((role as { attached: string[] }).attached.sort(), [
    own('hello-table-terraform'),
    'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'
  ])
  const table = await (await hearth.request('/v1/policies/hello-table-terraform')).json()
  t.match(table, { version: 'v2', document: { Statement: [{ Action: ['dynamodb:GetItem', 'dynamodb:Query'] }] } })

  const destroyed = await tf('destroy', '-auto-approve')
  t.equal(destroyed.code, 0, destroyed.code === 0 ? 'destroyed' : destroyed.text)
  for (const name of ['hello-terraform', 'versioned-terraform']) {
    t.equal((await hearth.request(`/v1/functions/${name}`)).status, 404, name)
  }
  t.match(await (await hearth.request('/v1/triggers/event')).json(), { items: [] })
  t.strictSame((await alarms()).items, [])
  t.equal((await archived()).status, 400)
  t.match(await orders(), { code: 'LOG_GROUP_NOT_FOUND' })
  t.match(await (await hearth.request('/schedules')).json(), { Schedules: [] })
  for (const kind of ['apis', 'domainnames']) {
    t.match(await (await hearth.request(`/v2/${kind}`)).json(), { items: [] })
  }
  t.match(await (await hearth.request('/2020-04-22/code-signing-configs')).json(), { CodeSigningConfigs: [] })
  t.match(await (await hearth.request('/v1/layers')).json(), { items: [] })
  t.match(await (await hearth.request('/v1/roles')).json(), { items: [{ name: 'hearth-default' }] })
  t.match(await (await hearth.request('/v1/policies')).json(), { items: [] })
})

/** A request for another host than the address says, as DNS would bring it. */
async function fetchByHost(url: string, host: string) {
  return await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const req = http.get(url, { headers: { host } }, (res) => {
      let body = ''
      res.setEncoding('utf8').on('data', (part: string) => {
        body += part
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body }))
    })
    req.on('error', reject)
  })
}

async function findTerraform(): Promise<string | undefined> {
  const { stdout } = await run('bash', ['-c', 'type -P terraform']).catch(() => ({ stdout: '' }))
  return stdout.trim() === '' ? undefined : stdout.trim()
}

/** The provider's newest version: where Terraform itself looks, and what was unpacked to /opt. */
function findProvider(): string | undefined {
  const usual = [
    process.env['TF_PLUGIN_CACHE_DIR'] ?? '',
    path.join(homedir(), '.terraform.d/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins'
  ]
  const platform = `linux_${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
  const versions = [...usual, ...namesIn('/opt').map((name) => path.join('/opt', name))]
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, PROVIDER))
    .flatMap((folder) => namesIn(folder).map((version) => ({ version, folder: path.join(folder, version, platform) })))
    .flatMap(({ version, folder }) =>
      namesIn(folder)
        .filter((name) => name.startsWith('terraform-provider-aws'))
        .map((name) => ({ version, file: path.join(folder, name) }))
    )
  return versions.sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true })).at(-1)?.file
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
