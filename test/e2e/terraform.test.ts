import { execFile } from 'node:child_process'
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

const run = promisify(execFile)
const PROVIDER = 'registry.terraform.io/hashicorp/aws'
// Each run of the provider takes seconds to begin with.
t.setTimeout(400_000)

const terraform = await findTerraform()
const mirror = findMirror()
const missing =
  terraform === undefined
    ? 'terraform is not on PATH'
    : mirror === undefined
      ? `no folder of plugins has ${PROVIDER}: see "terraform providers mirror"`
      : undefined

t.test('Terraform creates, finds nothing to do, changes and destroys', { skip: missing ?? false }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  const dir = t.testdir()
  cpSync(path.join(ROOT, 'examples/terraform'), dir, { recursive: true })
  const pack = async (mark: string) => {
    const source = `export const handler = async (event) => \`\${process.env.GREETING}, \${event.name}${mark}\`\n`
    writeFileSync(path.join(dir, 'hello.zip'), await zipOf({ 'index.mjs': source }))
  }
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_VAR_endpoint: hearth.url
  }
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
  const init = await tf('init', `-plugin-dir=${mirror!}`)
  t.equal(init.code, 0, init.code === 0 ? 'initialised' : init.text)
  t.match(await apply(), /arn:aws:lambda:us-east-1:000000000000:function:hello-terraform/)
  t.equal(await invoke(), 'Hello, Ada!')
  const plan = await tf('plan', '-detailed-exitcode')
  t.equal(plan.code, 0, plan.code === 0 ? 'nothing left to do' : plan.text)

  await pack('?')
  t.match(await apply('greeting=Good day', 'memory=256'), /0 added, 1 changed, 0 destroyed/)
  t.equal(await invoke(), 'Good day, Ada?')
  t.match(await (await hearth.request('/v1/functions/hello-terraform')).json(), {
    memoryMiB: 256,
    ephemeralMiB: 1_024,
    tracing: 'Active',
    tags: { team: 'a', greeting: 'Good day' }
  })

  const destroyed = await tf('destroy', '-auto-approve')
  t.equal(destroyed.code, 0, destroyed.code === 0 ? 'destroyed' : destroyed.text)
  t.equal((await hearth.request('/v1/functions/hello-terraform')).status, 404)
  t.match(await (await hearth.request('/2020-04-22/code-signing-configs')).json(), { CodeSigningConfigs: [] })
})

async function findTerraform(): Promise<string | undefined> {
  const { stdout } = await run('bash', ['-c', 'type -P terraform']).catch(() => ({ stdout: '' }))
  return stdout.trim() === '' ? undefined : stdout.trim()
}

/** The folder of plugins that has the provider: where Terraform itself looks, and what `providers mirror` made in /opt. */
function findMirror(): string | undefined {
  const usual = [
    process.env['TF_PLUGIN_CACHE_DIR'] ?? '',
    path.join(homedir(), '.terraform.d/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins'
  ]
  const others = existsSync('/opt') ? readdirSync('/opt').map((name) => path.join('/opt', name)) : []
  return [...usual, ...others].find((folder) => folder !== '' && existsSync(path.join(folder, PROVIDER)))
}
