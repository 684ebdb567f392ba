import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { awsCliOnPath, runAws } from '../helpers/aws-clis.ts'
import { eventually, ROOT, startHearth } from '../helpers/hearth.ts'
import { executableZipOf, installed, zipOf } from '../helpers/zip.ts'

t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

const ROLE = 'arn:aws:iam::000000000000:role/hearth-default'
const FIXTURES = path.join(ROOT, 'test/fixtures/functions/custom')
const MAJOR = process.versions.node.split('.')[0]

async function publish(name: string, body: Uint8Array): Promise<void> {
  const made = await hearth.request(`/v1/layers/${name}`, { method: 'PUT', body })
  if (made.status !== 201) throw new Error(await made.text())
}

async function answer(name: string, payload: unknown = {}): Promise<unknown> {
  return (await hearth.invoke(name, payload)).json()
}

t.test('a layer with a node package, which functions go on with when it is deleted', async (t) => {
  const modules = installed(['@middy/core'], path.join(ROOT, 'test'))
  const files = Object.entries(modules).map(([name, content]) => [`nodejs/${name}`, content] as const)
  const own = { [`nodejs/node${MAJOR}/node_modules/mine/index.js`]: 'exports.at = __dirname' }
  await publish('middy', await zipOf({ ...Object.fromEntries(files), ...own }))
  const source = `
const { createRequire } = require('node:module')
const { at } = require('mine')
exports.handler = async (event) => {
  const { default: middy } = await import(require.resolve('@middy/core'))
  const wrapped = middy().after((request) => { request.response.after = true }).handler(async () => ({ at }))
  return wrapped(event, {})
}`
  const made = await hearth.deploy('user', source, 'layers=middy')
  t.equal(made.status, 201, await made.text())
  const expected = { at: `/opt/nodejs/node${MAJOR}/node_modules/mine`, after: true }
  t.same(await answer('user'), expected)
  t.equal((await hearth.request('/v1/layers/middy/versions/1', { method: 'DELETE' })).status, 204)
  const changed = await hearth.request('/v1/functions/user', { method: 'PATCH', body: '{"memory":256}' })
  t.equal(changed.status, 200)
  t.same(await answer('user'), expected, 'a new instance finds it too')
  await hearth.request('/v1/functions/user', { method: 'PATCH', body: '{"layers":[]}' })
  t.match(await answer('user'), { errorMessage: /Cannot find module 'mine'/ })
})

t.test('a layer with a Python package; libraries and programs in lib and bin; the last layer wins', async (t) => {
  const dir = t.testdir({ 'answer.c': 'int answer(void) { return 42; }' })
  execFileSync('cc', ['-shared', '-fPIC', '-o', path.join(dir, 'libanswer.so'), path.join(dir, 'answer.c')])
  await publish('native', await zipOf({ 'lib/libanswer.so': readFileSync(path.join(dir, 'libanswer.so')) }))
  await publish('tool', await executableZipOf({ 'bin/tool': '#!/bin/sh\necho "tool of $0"\n' }))
  const parts = {
    'python/parts/__init__.py': 'from .shape import NAME',
    'python/parts/shape.py': 'NAME = "first"',
    'python/lib/python3.12/site-packages/versioned.py': 'VERSION = "3.12"'
  }
  await publish('first', await zipOf(parts))
  await publish('second', await zipOf({ 'python/parts/shape.py': 'NAME = "second"' }))
  const source = `
import ctypes, os, subprocess
from parts import NAME
import versioned

def lambda_handler(event, context):
    tool = subprocess.run(["tool"], capture_output=True, text=True).stdout.strip()
    try:
        open("/opt/x", "w")
    except OSError as error:
        refused = error.errno
    return [NAME, versioned.VERSION, ctypes.CDLL("libanswer.so").answer(), tool, refused]
`
  const made = await hearth.deploy('parts', source, 'runtime=python3.12&layers=first,second,native,tool')
  t.equal(made.status, 201, await made.text())
  t.same(await answer('parts'), ['second', '3.12', 42, 'tool of /opt/bin/tool', 30], 'and /opt is read-only')
  await hearth.request('/v1/functions/parts', {
    method: 'PATCH',
    body: JSON.stringify({ layers: ['second', 'first', 'native', 'tool'] })
  })
  t.match(await answer('parts'), ['first'])
})

t.test('Ruby finds what a layer brings', async (t) => {
  await publish('words', await zipOf({ 'ruby/lib/words.rb': 'WORDS = %w[a b]' }))
  const source = "require 'words'\ndef lambda_handler(event:, context:)\n  WORDS\nend\n"
  await hearth.deploy('words', source, 'runtime=ruby3.2&layers=words')
  t.same(await answer('words'), ['a', 'b'])
})

t.test('a layer brings the runtime, and another an extension', async (t) => {
  const bootstrap = `#!/bin/sh
while true; do
  id=$(curl -sS -D - -o /tmp/event "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" |
    sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\\([^\\r]*\\).*/\\1/p' | tr -d '\\r')
  curl -sS -o /dev/null -d "\\"$0 runs $(cat /var/task/name)\\"" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
`
  await publish('shell', await executableZipOf({ bootstrap }))
  const watcher = readFileSync(path.join(FIXTURES, 'extension/extensions/watcher'))
  await publish('watcher', await executableZipOf({ 'extensions/watcher': watcher }))
  const query = 'runtime=provided.al2023&handler=x&layers=shell,watcher'
  const made = await hearth.deploy('shell', await zipOf({ name: 'this' }), query)
  t.same(((await made.json()) as { notices: string[] }).notices, [])
  t.equal(await answer('shell'), '/opt/bootstrap runs this')

  const source = `import { readFileSync } from 'node:fs'
export const handler = async () => readFileSync('/tmp/heard', 'utf8').split('\\n').length`
  await hearth.deploy('watched', source, 'layers=watcher')
  t.ok(Number(await answer('watched')) > 1, 'the extension ran before the function')
  await hearth.request('/v1/functions/watched', { method: 'PATCH', body: '{"layers":[]}' })
  const said = await eventually(async () => {
    const text = await (await hearth.request('/v1/functions/watched/logs')).text()
    return text.includes('goodbye') && text
  })
  t.match(said, /goodbye: spindown/, 'and was told of the end of its instance')
})

t.test("the AWS CLI runs a layer's whole life", async (t) => {
  const dir = t.testdir()
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    AWS_SHARED_CREDENTIALS_FILE: path.join(hearth.dataDir, 'credentials'),
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: ''
  }
  const aws = async (...args: string[]) => {
    const { stdout } = await runAws(awsCliOnPath()!, ['lambda', ...args, '--endpoint-url', hearth.url], {
      cwd: dir,
      env
    })
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>)
  }
  writeFileSync(path.join(dir, 'layer.zip'), await zipOf({ 'nodejs/node_modules/n/index.js': 'exports.n = 41' }))
  writeFileSync(path.join(dir, 'fn.zip'), await zipOf({ 'app.js': "exports.go = async () => require('n').n + 1" }))
  const named = ['--layer-name', 'cli']
  const upload = [...named, '--zip-file', 'fileb://layer.zip', '--compatible-runtimes', 'nodejs20.x']
  t.match(await aws('publish-layer-version', ...upload, '--license-info', 'MIT'), { Version: 1, LicenseInfo: 'MIT' })
  const { LayerVersionArn } = (await aws('publish-layer-version', ...upload)) as { LayerVersionArn: string }
  const listed = await aws('list-layer-versions', ...named, '--page-size', '1')
  t.match(listed, { LayerVersions: [{ Version: 2 }, { Version: 1 }] })
  t.match(await aws('get-layer-version-by-arn', '--arn', LayerVersionArn), { Version: 2 })
  const second = [...named, '--version-number', '2']
  const permission = ['--statement-id', 's', '--action', 'lambda:GetLayerVersion', '--principal', '*']
  t.match(await aws('add-layer-version-permission', ...second, ...permission), { RevisionId: String })
  t.match(await aws('get-layer-version-policy', ...second), { Policy: /"Sid":"s"/ })
  await aws('remove-layer-version-permission', ...second, '--statement-id', 's')
  const fn = ['--function-name', 'cli-layers', '--handler', 'app.go', '--role', ROLE, '--zip-file', 'fileb://fn.zip']
  const made = await aws('create-function', ...fn, '--runtime', `nodejs${MAJOR}.x`, '--layers', LayerVersionArn)
  t.match(made, { Layers: [{ Arn: LayerVersionArn }] })
  t.equal(await answer('cli-layers'), 42)
  await aws('delete-layer-version', ...second)
  t.match(await aws('list-layers'), { Layers: [{ LayerName: 'cli', LatestMatchingVersion: { Version: 1 } }] })
})
