import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { openSandboxHost } from '@hearth/sandbox'
import { detectCgroups } from '@hearth/sandbox/internal/cgroup-detect'
import t, { type Test } from 'tap'
import { freshServerId, isRoot, listen, openHost, perl, run } from './open-host.ts'

if (!isRoot) {
  t.pass('needs cgroups of its own')
  process.exit()
}

/** Folders of this server's sandboxes in every hierarchy. */
function sandboxCgroups(serverId: string): string[] {
  return readdirSync('/sys/fs/cgroup')
    .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, `hearth-${serverId}`))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => /^s\d/.test(name)))
}

function launcherPids(): number[] {
  return childrenOf(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('hearth-launch')
  )
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

async function until(condition: () => boolean, deadlineMs = 5000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('condition not met in time')
    await delay(5)
  }
}

t.test('a command that ends before anybody listens to it is seen to have ended', async (t) => {
  const host = await openHost(t)
  const sandbox = await host.start(perl('exit 7'))
  t.match(await sandbox.exited, { code: 7 })
  // Without a word to read, the streams close on their own.
  await until(() => sandbox.output.closed && sandbox.channel.closed)
  t.equal(await listen(sandbox).all(), '')
})

t.test('when the launcher is killed, its sandboxes end, are reported, and new ones start', async (t) => {
  const serverId = freshServerId()
  const errors: string[] = []
  const host = await openHost(t, {
    serverId,
    log: (level, message) => void (level === 'error' && errors.push(message))
  })
  const sandboxes = await Promise.all([host.start(perl('sleep 60')), host.start(perl('sleep 60'))])
  const heard = sandboxes.map((sandbox) => listen(sandbox).all())
  for (const pid of launcherPids()) process.kill(pid, 'SIGKILL')
  for (const sandbox of sandboxes) t.match(await sandbox.exited, { code: undefined, signal: 'SIGKILL', oomKills: 0 })
  await Promise.all(heard) // nobody holds the other ends
  t.same(sandboxCgroups(serverId), [])
  t.equal(errors.length, 1)
  const { output } = await run(host, perl('print "again"'))
  t.equal(output, 'again')
})

t.test('what is asked of a sandbox whose launcher just died fails instead of hanging', async (t) => {
  const host = await openHost(t)
  const sandbox = await host.start(perl('sleep 60'))
  listen(sandbox)
  const starting = host.start(perl('sleep 60'))
  for (const pid of launcherPids()) process.kill(pid, 'SIGKILL')
  await t.rejects(starting)
  await t.rejects(sandbox.assign({ mounts: [{ source: '/usr', target: '/var/task' }] }))
  t.equal(await sandbox.peakMemory(), undefined)
  sandbox.kill()
  sandbox.freeze(false)
  t.match(await sandbox.exited, { signal: 'SIGKILL' })
})

const SERVER = `
  import { openSandboxHost } from '@hearth/sandbox'
  const [runDir, serverId] = process.argv.slice(1)
  const host = await openSandboxHost({ runDir, serverId, isolation: 'strict', networks: ['none'], dns: [], log: () => {} })
  const command = ['/usr/bin/perl', '-e', '$SIG{$_} = "IGNORE" for keys %SIG; fork; fork; print "up"; sleep 60']
  const spec = { command, env: {}, mounts: [], memoryMiB: 64, tmpMiB: 1, pids: 20, network: 'none' }
  await Promise.all([1, 2, 3].map(() => host.start(spec)))
  console.log('started')
  setInterval(() => {}, 1000)`

async function startServer(t: Test, runDir: string, serverId: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER, runDir, serverId], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  for await (const line of createInterface(child.stdout)) if (line === 'started') break
  return child
}

t.test('a killed server leaves nothing running', async (t) => {
  const runDir = mkdtempSync(join(tmpdir(), 'hs-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const serverId = freshServerId()
  const server = await startServer(t, runDir, serverId)
  const launcher = childrenOf(server.pid ?? 0)[0] ?? 0
  t.ok(launcher > 0)
  t.ok(sandboxCgroups(serverId).length >= 3)
  server.kill('SIGKILL')
  await until(() => sandboxCgroups(serverId).length === 0 && !existsSync(`/proc/${launcher}`))
})

t.test('a server that is killed together with its launcher is cleaned up after by the next', async (t) => {
  const runDir = mkdtempSync(join(tmpdir(), 'hs-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const serverId = freshServerId()
  const server = await startServer(t, runDir, serverId)
  const launcher = childrenOf(server.pid ?? 0)[0] ?? 0
  process.kill(server.pid ?? 0, 'SIGSTOP') // or it would start another
  process.kill(launcher, 'SIGKILL')
  server.kill('SIGKILL')
  await new Promise((resolve) => server.once('exit', resolve))
  t.ok(sandboxCgroups(serverId).length >= 3, 'cgroups are left')
  const host = await openSandboxHost({
    runDir,
    serverId,
    isolation: 'strict',
    networks: ['none'],
    dns: [],
    log: () => {}
  })
  t.same(sandboxCgroups(serverId), [])
  t.equal((await run(host, perl('print "ok"'))).output, 'ok')
  await host.close()
  t.same(
    detectCgroups(serverId).parents.flatMap((folder) => readdirSync(folder).filter((name) => /^s\d/.test(name))),
    []
  )
  for (const parent of detectCgroups(serverId).parents) rmdirSync(parent)
})

t.test('two servers on one machine do not touch each other, and one id is taken once', async (t) => {
  const serverId = freshServerId()
  const [one, two] = await Promise.all([openHost(t, { serverId }), openHost(t)])
  await t.rejects(openHost(t, { serverId }), /is running/)
  const [a, b] = await Promise.all([one.start(perl('sleep 60')), two.start(perl('sleep 60'))])
  listen(a)
  const heard = listen(b).all()
  await one.close()
  t.match(await a.exited, { signal: 'SIGKILL' })
  await t.rejects(one.start(perl('1')), /closed/)
  t.equal((await run(two, perl('print "fine"'))).output, 'fine')
  b.kill()
  await heard
})

t.test('options out of range are refused', async (t) => {
  await t.rejects(openHost(t, { serverId: 'Bad_Id' }), /serverId/)
  await t.rejects(openHost(t, { runDir: `/tmp/${'x'.repeat(80)}` }), /run folder/)
  await t.rejects(openHost(t, { runDir: 'relative' }), /run folder/)
})
