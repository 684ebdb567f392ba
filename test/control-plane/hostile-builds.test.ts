import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import path from 'node:path'
import { allowedHosts } from '@hearth/builder/internal/allowed-hosts'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { npmProject, startRegistries } from './registries.ts'
import { type StartOptions, startControlPlane, zipOf } from './support.ts'

const HANDLER = { 'index.mjs': 'export const handler = async () => 1\n' }
/** A Gemfile is a program, which makes a build as hostile as can be. */
const noBundler = spawnSync('ruby', ['-e', 'Gem.bin_path("bundler", "bundle")']).status === 0 ? false : 'no bundler'

function startWithBuilds(t: Test, url: string, changes: Partial<NonNullable<StartOptions['builds']>> = {}) {
  return startControlPlane(t, {
    builds: {
      hosts: [],
      npmRegistry: `${url}/`,
      pipIndex: `${url}/simple/`,
      gemSource: url,
      timeoutMs: 60_000,
      memoryMiB: 512,
      diskMiB: 128,
      cacheMiB: 64,
      parallel: 1,
      ...changes
    }
  })
}

const ruby = (gemfile: string) =>
  zipOf({
    Gemfile: gemfile,
    'Gemfile.lock': 'GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n',
    'lambda_function.rb': 'def lambda_handler(event:, context:) = 1\n'
  })

/** A registry that takes connections and never says anything. */
async function startSilence(t: Test) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).resume()
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, sockets }
}

const waitingFor = (url: string) =>
  zipOf({
    ...npmProject({ never: { version: '1.0.0', resolved: `${url}/never.tgz`, integrity: 'sha512-AAAA' } as never }),
    ...HANDLER
  })

/** Command lines on this machine that hold `mark`. */
const running = (mark: string) =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
    } catch {
      return false
    }
  })

t.test('a build is held to its memory, disk, processes and time', { skip: noBundler }, async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry.url, { timeoutMs: 4_000 })
  const before = await plane.files()
  const mark = `mark-${process.pid}`
  const attacks: readonly (readonly [string, string, object])[] = [
    ['memory', 'a = []\nloop { a << "x" * 10_000_000 }', { reason: 'OutOfMemory', detail: /512 MiB/ }],
    ['disk', 'File.open("/tmp/big", "w") { |f| loop { f.write("x" * 1_000_000) } }', { detail: /HEARTH_BUILD_DISK/ }],
    [
      'processes',
      `loop { begin; spawn("/bin/sh", "-c", "sleep 60 # ${mark}"); rescue SystemCallError; sleep 0.01; end }`,
      { reason: 'TimedOut' }
    ],
    ['daemon', `Process.detach(spawn("setsid sh -c 'sleep 60 # ${mark}'"))\nraise "enough"`, { reason: 'Failed' }],
    ['time', 'loop {}', { reason: 'TimedOut', detail: /4 s/ }],
    ['log', 'loop { $stderr.write("x" * 1_000_000 + "\\n") }', { reason: 'LogFlood' }]
  ]
  for (const [name, gemfile, expected] of attacks) {
    const answer = await plane.put(name, await ruby(gemfile))
    t.match(answer.json(), { status: 422, code: 'BUILD_FAILED', ...expected }, `${name}: ${answer.body.slice(0, 400)}`)
    t.ok(Buffer.byteLength(answer.json<{ log: string }>().log) <= 65_536, 'the log is bounded')
    t.same(running(mark), [], 'no process is left')
  }
  t.same(await plane.files(), before, 'nothing is left on disk')
})

t.test('code that runs in a build finds nothing and reaches nothing', { skip: noBundler }, async (t) => {
  const registry = await startRegistries(t)
  const silence = await startSilence(t)
  const plane = await startWithBuilds(t, registry.url)
  const { port } = new URL(silence.url)
  const gemfile = `
    require "socket"
    say = proc { |name, &work| begin; $stderr.puts "#{name}: #{work.call}"; rescue SystemCallError, SocketError => e; $stderr.puts "#{name}: refused #{e.class}"; end }
    say.("loopback") { TCPSocket.new("127.0.0.1", ${port}); "reached" }
    say.("metadata") { TCPSocket.new("169.254.169.254", 80); "reached" }
    say.("internet") { TCPSocket.new("1.1.1.1", 443); "reached" }
    say.("data") { Dir.children(${JSON.stringify(plane.dataDir)}).inspect }
    say.("home") { Dir.children("/root").inspect }
    proxy = URI(ENV["http_proxy"])
    ["CONNECT 127.0.0.1:${port} HTTP/1.1", "GET http://127.0.0.1:${port}/ HTTP/1.1", "CONNECT [::1]:${port} HTTP/1.1",
     "CONNECT 169.254.169.254:80 HTTP/1.1", "CONNECT 2130706433:${port} HTTP/1.1", "GET file:///etc/passwd HTTP/1.1",
     "CONNECT 0:${port} HTTP/1.1"].each do |line|
      say.(line) { s = TCPSocket.new(proxy.host, proxy.port); s.write(line + "\\r\\nHost: x\\r\\n\\r\\n"); "answer #{s.gets}" }
    end
    $stderr.puts ENV.to_h.inspect
    raise "done"`
  const { log } = (await plane.put('curious', await ruby(gemfile))).json<{ log: string }>()
  for (const name of ['loopback', 'metadata', 'internet', 'data', 'home']) t.match(log, `${name}: refused`)
  t.equal(log.match(/: answer HTTP\/1\.1 403/g)?.length, 7, log)
  t.notMatch(log, /: reached|"HEARTH_|master/)
  t.notMatch(log, plane.token)
  t.equal(silence.sockets.size, 0)
})

t.test('what leads out of a package is not stored', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry.url)
  const { 'package.json': manifest, 'package-lock.json': lock } = npmProject({ out: { version: 'file:../out' } })
  const climbing = JSON.parse(lock ?? '') as { packages: Record<string, object> }
  climbing.packages['node_modules/out'] = { resolved: '../out', link: true }
  climbing.packages['../out'] = { version: '1.0.0' }
  const files = { 'package.json': manifest ?? '', 'package-lock.json': JSON.stringify(climbing), ...HANDLER }
  t.match((await plane.put('climbing', await zipOf(files))).json(), {
    status: 422,
    code: 'BUILD_FAILED',
    detail: /leads out of the package/
  })

  const root = { name: 'app', version: '1.0.0', workspaces: ['lib'] }
  const packages = {
    '': root,
    lib: { name: 'lib', version: '1.0.0' },
    'node_modules/lib': { resolved: 'lib', link: true }
  }
  const workspace = {
    'package.json': JSON.stringify(root),
    'package-lock.json': JSON.stringify({
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages
    }),
    'lib/package.json': '{"name":"lib","version":"1.0.0","main":"main.js"}',
    'lib/main.js': 'exports.value = 1',
    ...HANDLER
  }
  const deployed = await plane.put('workspace', await zipOf(workspace))
  t.equal(deployed.statusCode, 201, deployed.body.slice(0, 300))
  const [code] = readdirSync(path.join(plane.dataDir, 'code'))
  t.ok(existsSync(path.join(plane.dataDir, 'code', code ?? '', 'node_modules/lib/main.js')), 'a link that stays inside')
})

t.test('who leaves ends the build; who comes too late is told', async (t) => {
  const silence = await startSilence(t)
  const plane = await startWithBuilds(t, silence.url)
  const url = await plane.app.listen({ port: 0, host: '127.0.0.1' })
  const before = await plane.files()
  const body = await waitingFor(silence.url)
  const leaving = new AbortController()
  const put = (name: string) =>
    fetch(`${url}/v1/functions/${name}`, {
      method: 'PUT',
      body,
      headers: { authorization: `Bearer ${plane.token}` },
      signal: leaving.signal
    })
  const first = put('first').catch((error: Error) => error.name)
  await eventually(() => silence.sockets.size > 0)
  const others = Array.from({ length: 9 }, (_, n) =>
    put(`other-${n}`).then(
      (answer) => answer.json(),
      () => undefined
    )
  )
  const refused = (await Promise.race(others)) as object
  t.match(refused, { status: 429, code: 'CAPACITY_EXHAUSTED', retryable: true })
  leaving.abort()
  t.equal(await first, 'AbortError')
  await eventually(() => silence.sockets.size === 0)
  await eventually(async () => JSON.stringify(await plane.files()) === JSON.stringify(before))
  t.same((await plane.get('/v1/functions')).json().items, [])
})

t.test('the same input makes the same package, with and without what was kept', async (t) => {
  const registry = await startRegistries(t)
  const plane = await startWithBuilds(t, registry.url, { cacheMiB: 0 })
  const greet = registry.npm({
    name: 'greet',
    version: '1.2.3',
    manifest: { bin: { greet: 'cli.js' } },
    files: { 'index.js': 'exports.greet = 1', 'cli.js': '#!/usr/bin/env node\n' }
  })
  const zip = await zipOf({
    ...npmProject({ greet }),
    'index.ts': 'export const handler = async (): Promise<number> => 1'
  })
  const first = (await plane.put('same', zip)).json<{ codeSha256: string }>()
  const second = (await plane.put('same', zip)).json<{ codeSha256: string }>()
  t.match([first, second], [{ build: { cached: false } }, { build: { cached: false } }], 'nothing is kept with 0 MiB')
  t.equal(second.codeSha256, first.codeSha256)
  t.same(readdirSync(path.join(plane.dataDir, 'builds')), [])
  const download = await plane.get('/v1/functions/same/code')
  t.equal(createHash('sha256').update(download.rawPayload).digest('base64'), first.codeSha256, 'what runs can be had')
  t.match((await plane.put('same', download.rawPayload)).json(), { codeSha256: first.codeSha256, build: undefined })
})

t.test('names decide who is reached, and addresses whether that holds', async (t) => {
  const names: Record<string, string[]> = {
    'registry.npmjs.org': ['10.0.0.1'],
    'pypi.org': ['151.101.0.223', '127.0.0.1'],
    'rubygems.org': ['151.101.1.227'],
    'a.example.com': ['192.168.0.1'],
    'b.example.com': ['93.184.216.34'],
    'mirror.lan': ['192.168.0.1'],
    'v6.example.com': ['::ffff:10.0.0.1'],
    'ula.example.com': ['fd12::1'],
    'meta.lan': ['169.254.169.254']
  }
  const lookup = async (name: string) => names[name] ?? []
  const standard = allowedHosts(undefined, [], lookup)
  const own = allowedHosts(['*.example.com', 'mirror.lan', 'meta.lan', '127.0.0.1:4873'], ['[::1]:8080'], lookup)
  const cases: readonly (readonly [typeof own, string, number, string | undefined])[] = [
    [standard, 'rubygems.org', 443, '151.101.1.227'],
    [standard, 'RubyGems.org.', 443, '151.101.1.227'],
    [standard, 'rubygems.org', 22, undefined],
    [standard, 'registry.npmjs.org', 443, undefined],
    [standard, 'pypi.org', 443, undefined],
    [standard, 'rubygems.org.example.com', 443, undefined],
    [own, 'b.example.com', 80, '93.184.216.34'],
    [own, 'example.com', 80, undefined],
    [own, 'evilexample.com', 80, undefined],
    [own, 'a.example.com', 80, undefined],
    [own, 'v6.example.com', 80, undefined],
    [own, 'ula.example.com', 80, undefined],
    [own, 'mirror.lan', 443, '192.168.0.1'],
    [own, 'mirror.lan', 8081, undefined],
    [own, 'meta.lan', 80, undefined],
    [own, '127.0.0.1', 4873, '127.0.0.1'],
    [own, '127.0.0.1', 80, undefined],
    [own, '[::1]', 8080, '::1'],
    [own, 'rubygems.org', 443, undefined]
  ]
  for (const [hosts, host, port, expected] of cases) {
    t.equal(await hosts.resolve(host, port).catch(() => undefined), expected, `${host}:${port}`)
  }
})
