// The unit, as systemd itself reads it. Where there is no systemd, what it says of itself cannot be asked.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { freePort, NODE, ROOT } from '../helpers/hearth.ts'
import { DEPLOY } from './dashboards.ts'

const UNIT = readFileSync(path.join(DEPLOY, 'systemd/hearth.service'), 'utf8')
const setting = (name: string): string[] => [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, v]) => v!)
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
const skip = hasSystemd ? false : 'no systemd-analyze here'

/** systemd’s highest mark for what a service leaves open (10 is all) that this one may have; 3.8 when it was written. */
const EXPOSED_AT_MOST = '40'

t.test('systemd takes the unit, and finds little open', { skip }, async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'hearth.service')
  // It looks whether the program is there, which is elsewhere on some machines.
  writeFileSync(file, UNIT.replace('/usr/bin/node', process.execPath))
  const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
  const ours = verified.stderr.split('\n').filter((line) => line.includes('hearth'))
  t.same(ours, [], 'nothing is wrong with it')
  const args = ['security', '--offline=true', `--threshold=${EXPOSED_AT_MOST}`, '--no-pager', file]
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  t.equal(status, 0, stderr || stdout.split('\n').slice(-3).join('\n'))
})

t.test('the unit’s system calls are those of the container', { skip }, async (t) => {
  const allowed = new Set<string>()
  const denied = new Set<string>()
  for (const line of setting('SystemCallFilter')) {
    const into = line.startsWith('~') ? denied : allowed
    for (const word of line.replace(/^~/, '').split(' ')) for (const call of expand(word)) into.add(call)
  }
  const profile = JSON.parse(readFileSync(path.join(DEPLOY, 'docker/seccomp.json'), 'utf8')) as {
    syscalls: { names: string[] }[]
  }
  // Younger than libseccomp of Debian 12, and nothing that there is depends on them.
  const young = ['futex_requeue', 'futex_wait', 'futex_wake', 'map_shadow_stack']
  const missing = profile.syscalls[0]!.names.filter((call) => !allowed.has(call) || denied.has(call))
  t.same(
    missing.filter((call) => !young.includes(call)),
    []
  )
})

t.test('the unit starts what there is, as an ordinary user with cgroups of its own', async (t) => {
  const [start = ''] = setting('ExecStart')
  t.ok(existsSync(path.join(ROOT, start.split(' ')[1]!)), start)
  t.same(setting('User'), ['hearth'])
  t.same(setting('Delegate'), ['cpu memory pids'])
  t.same(setting('CapabilityBoundingSet'), [''])
  t.match(readFileSync(path.join(DEPLOY, 'systemd/sysusers.conf'), 'utf8'), /^u hearth /m)
  for (const name of ['RestrictNamespaces', 'ProtectKernelTunables', 'ProtectControlGroups', 'PrivateUsers']) {
    t.same(setting(name), [], `${name} would keep sandboxes from being made`)
  }
})

t.test('wrong settings end with the code that the unit does not restart', async (t) => {
  const [code = ''] = setting('RestartPreventExitStatus')
  const [command, ...args] = NODE
  const started = spawnSync(command, [...args, path.join(ROOT, 'scripts/serve.mjs')], {
    env: { ...process.env, HEARTH_PORT: String(await freePort()), HEARTH_DATA_DIR: t.testdir(), HEARTH_CPU: 'all' },
    encoding: 'utf8',
    timeout: 30_000
  })
  t.equal(started.status, Number(code), started.stderr)
  t.match(started.stderr, 'HEARTH_CPU')
})

/** Names of calls in a group of systemd’s, or the one call that it is. */
function expand(word: string): string[] {
  if (!word.startsWith('@')) return [word]
  const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', word, '--no-pager'], { encoding: 'utf8' })
  const lines = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
  return lines.filter((line) => line !== '' && !line.startsWith('#')).flatMap(expand)
}
