import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { npmProject, startRegistries } from './registries.ts'
import { startControlPlane, tarGz, zipOf } from './support.ts'

type Registries = Awaited<ReturnType<typeof startRegistries>>

const HANDLER = { 'index.mjs': 'export const handler = async () => 1\n' }

/** A control plane that builds with packages of `registry` only. */
function startWithBuilds(t: Test, registry: Registries) {
  return startControlPlane(t, {
    builds: {
      hosts: [],
      npmRegistry: `${registry.url}/`,
      pipIndex: `${registry.url}/simple/`,
      gemSource: registry.url,
      timeoutMs: 60_000,
      memoryMiB: 1_024,
      diskMiB: 256,
      cacheMiB: 64,
      parallel: 1
    }
  })
}

/** Something on this machine that no build may reach. */
async function startCanary(t: Test) {
  let reached = 0
  const server = createServer((socket) => {
    reached++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as { port: number }).port, reached: () => reached }
}

const greetOf = (registry: Registries) =>
  registry.npm({ name: 'greet', version: '1.2.3', files: { 'index.js': 'exports.greet = 1' } })

t.test('without builds a package is deployed as it is, and its owner is told', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startControlPlane(t)
  const zip = await zipOf({ ...npmProject({ greet: greetOf(registry) }), ...HANDLER })
  const deployed = await plane.put('off', zip)
  t.equal(deployed.statusCode, 201)
  t.match(deployed.json(), { notices: [/dependencies are to be installed: builds are off/] })
  t.match((await plane.put('off?build=true', zip)).json(), {
    status: 403,
    code: 'BUILDS_OFF',
    detail: /HEARTH_BUILDS=on/
  })
  t.same((await plane.put('off?build=false', zip)).json().notices, [])
  t.match((await plane.put('off?build=maybe', zip)).json(), { status: 400, code: 'INVALID_REQUEST' })
  t.same(registry.requests, [], 'nothing was fetched')
})

t.test('what there is to build is said, and what cannot be is refused', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry)
  const plain = await plane.put('plain?build=true', await zipOf(HANDLER))
  t.match(plain.json(), { notices: [/nothing to build/] })
  const unlocked = await zipOf({ 'package.json': '{"dependencies":{"greet":"1.2.3"}}', ...HANDLER })
  t.match((await plane.put('unlocked', unlocked)).json(), { notices: [/lock/] }, 'deployed as it is, with what to do')
  t.match((await plane.put('unlocked?build=true', unlocked)).json(), {
    status: 400,
    code: 'INVALID_PACKAGE',
    detail: /lock/
  })
  const before = await plane.files()
  const unknown = npmProject({
    none: { version: '1.0.0', resolved: `${registry.url}/none/-/none-1.0.0.tgz`, integrity: 'sha512-AAAA' } as never
  })
  const failed = await plane.put('unknown', await zipOf({ ...unknown, ...HANDLER }))
  t.match(failed.json(), { status: 422, code: 'BUILD_FAILED', fault: 'caller', log: /404/ })
  t.equal((await plane.get('/v1/functions/unknown')).statusCode, 404)
  const { body } = await plane.get('/metrics')
  for (const [outcome, count] of Object.entries({ failed: 1, built: 0, kept: 0, unavailable: 0 })) {
    t.match(body, `hearth_builds_total{outcome="${outcome}"} ${count}\n`)
  }
  t.same(await plane.files(), before, 'nothing is left of it')
})

t.test('no code of a package runs while it is built', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry)
  const script = {
    scripts: { preinstall: 'touch ran', install: 'touch ran', postinstall: 'touch ran', prepare: 'touch ran' }
  }
  const nasty = registry.npm({ name: 'nasty', version: '1.0.0', manifest: script, files: { 'index.js': '' } })
  const zip = await zipOf({ ...npmProject({ nasty }, script), ...HANDLER, '.npmrc': 'ignore-scripts=false\n' })
  const deployed = await plane.put('scripts', zip)
  t.match(deployed.json(), { build: { log: /added 1 package/ } }, deployed.body)
  const files = await plane.files()
  t.ok(
    files.some((file) => file.endsWith('node_modules/nasty/index.js')),
    'it was installed'
  )
  t.notOk(files.some((file) => /(^|\/)ran$/.test(file)))
  const requirement = registry.sdist('nastypy', '1.0', 'open("/tmp/work/ran", "w")')
  const python = {
    'requirements.txt': `${requirement}\n`,
    'lambda_function.py': 'def lambda_handler(e, c):\n  return 1\n'
  }
  t.match(
    (await plane.put('sdist', await zipOf(python))).json(),
    { code: 'BUILD_FAILED' },
    'what must be built is not taken'
  )
})

t.test('a build reaches the registries and nothing else', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry)
  const canary = await startCanary(t)
  const packed = tarGz([{ name: 'package/package.json', data: Buffer.from('{"name":"greet","version":"1.2.3"}') }])
  registry.file('/elsewhere.tgz', packed)
  const entry = (resolved: string) => ({ version: '1.2.3', resolved }) as never
  for (const [name, files] of Object.entries({
    'a-host-of-its-own': npmProject({ greet: entry(`http://127.0.0.1:${canary.port}/greet.tgz`) }),
    'by-name': npmProject({ greet: entry(`http://localhost:${canary.port}/greet.tgz`) }),
    metadata: npmProject({ greet: entry('http://169.254.169.254/latest/meta-data/') }),
    'git-over-ssh': npmProject({ greet: entry(`git+ssh://git@127.0.0.1:${canary.port}/greet.git#abcdef`) }),
    file: npmProject({ greet: entry('file:../../../../../../etc') }),
    'a-registry-of-its-own': {
      ...npmProject({ greet: { version: '1.2.3' } }),
      '.npmrc': `registry=http://127.0.0.1:${canary.port}/\nproxy=http://127.0.0.1:${canary.port}/\n`
    },
    requirement: {
      'requirements.txt': `greet @ http://127.0.0.1:${canary.port}/greet-1.0-py3-none-any.whl\n`,
      'lambda_function.py': 'def lambda_handler(e, c):\n  return 1\n'
    },
    index: {
      'requirements.txt': `--extra-index-url http://127.0.0.1:${canary.port}/\n-r /etc/passwd\ngreet==1.0\n`,
      'lambda_function.py': 'def lambda_handler(e, c):\n  return 1\n'
    }
  })) {
    const zip = await zipOf({ ...files, ...('lambda_function.py' in files ? {} : HANDLER) })
    const refused = await plane.put(name, zip)
    t.match(refused.json(), { status: 422, code: 'BUILD_FAILED' }, `${name}: ${refused.body.slice(0, 300)}`)
    // The sandbox has a made-up /etc/passwd, which may be read.
    t.notMatch(refused.body, /\/bin\/(ba)?sh/, 'nothing of this machine is in the log')
  }
  t.equal(canary.reached(), 0)
})

t.test('nothing that one function installed reaches another', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry)
  const zip = await zipOf({ ...npmProject({ greet: greetOf(registry) }), ...HANDLER })
  t.match((await plane.put('one', zip)).json(), { build: { cached: false } })
  t.match((await plane.put('one', zip)).json(), { build: { cached: true } })
  t.match((await plane.put('two', zip)).json(), { build: { cached: false } })
  t.match((await plane.put('one?build=fresh', zip)).json(), { build: { cached: false } })
  t.equal((await plane.put('one?build=true&dryRun=true', zip)).statusCode, 200)
})

t.test('a build that does not end is ended', async (t) => {
  // A tarball that never comes: the connection stands, and nobody says anything.
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => silent.close(resolve))
  })
  const { port } = silent.address() as { port: number }
  const slow = await startControlPlane(t, {
    builds: {
      hosts: [`127.0.0.1:${port}`],
      npmRegistry: `http://127.0.0.1:${port}/`,
      pipIndex: undefined,
      gemSource: undefined,
      timeoutMs: 3_000,
      memoryMiB: 1_024,
      diskMiB: 256,
      cacheMiB: 64,
      parallel: 1
    }
  })
  const url = `http://127.0.0.1:${port}/greet/-/greet-1.2.3.tgz`
  const files = npmProject({ greet: { version: '1.2.3', resolved: url, integrity: 'sha512-AAAA' } as never })
  const refused = await slow.put('slow', await zipOf({ ...files, ...HANDLER }))
  t.match(refused.json(), { status: 422, code: 'BUILD_FAILED', reason: 'TimedOut', detail: /longer than 3 s/ })
  t.ok(sockets.size > 0, 'it had begun')
  t.equal((await slow.put('after', await zipOf(HANDLER))).statusCode, 201)
})
