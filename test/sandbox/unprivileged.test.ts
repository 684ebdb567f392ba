import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freshServerId, isRoot } from './open-host.ts'

const USER = 12345

/** Runs in a process of an ordinary user; prints one JSON line per finding. */
const PROGRAM = `
  import { openSandboxHost, SandboxUnavailableError, whenClosed } from '@hearth/sandbox'
  const [runDir, serverId] = process.argv.slice(1)
  const tell = (name, value) => console.log(JSON.stringify({ [name]: value }))
  const warned = []
  const options = { runDir, serverId, networks: ['none', 'internet'], dns: [], log: (level, message, fields) => warned.push(fields?.feature) }
  try {
    const host = await openSandboxHost({ ...options, isolation: 'strict' })
    tell('strict', 'started')
    await host.close()
  } catch (error) {
    tell('strict', error instanceof SandboxUnavailableError && { message: error.message, missing: error.missing.map(({ feature }) => feature) })
  }
  const host = await openSandboxHost({ ...options, isolation: 'best-effort' })
  tell('warned', warned)
  tell('unenforced', host.features.filter(({ enforced }) => !enforced).map(({ feature }) => feature))
  const run = async (script, changes = {}) => {
    const sandbox = await host.start({ command: ['/usr/bin/perl', '-e', '$| = 1; open(my $c, "+<&=", 3); sysread($c, my $go, 1); ' + script], env: {}, mounts: [], memoryMiB: 64, tmpMiB: 1, pids: 16, network: 'none', ...changes })
    let output = ''
    sandbox.output.setEncoding('utf8').on('data', (text) => { output += text }).resume()
    sandbox.channel.resume()
    await sandbox.assign({ mounts: [{ source: '/usr/bin', target: '/var/task' }] })
    sandbox.channel.write('1')
    const exit = await sandbox.exited
    await new Promise((resolve) => whenClosed(sandbox.output, resolve))
    return { output, exit }
  }
  tell('caps', await run('open(my $s, "<", "/proc/self/status"); /^(CapEff|NoNewPrivs|Seccomp):\\\\s+(\\\\w+)/ and print "$1=$2 " while <$s>; print -e "/var/task/perl" ? "code" : "none"; opendir(my $d, "/proc"); print " pids=", join(",", grep { /^[0-9]+$/ } readdir $d)'))
  tell('forks', await Promise.all([1, 2].map(() => run('my $n = 0; while ($n < 100) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print $n'))))
  tell('memory', await run('my @a; while (1) { push @a, "x" x 1e6; select(undef, undef, undef, 0.002) }'))
  tell('children', await run('for (1 .. 4) { if (!fork) { my $x = "x" x 3e7; sleep 60 } } sleep 60'))
  tell('cpu', await run('if (!fork) { while ((times)[0] < 0.5) { $n++ for 1 .. 100000 } sleep 60 } select(undef, undef, undef, 2.5)'))
  tell('data', await run('my @a; for (1 .. 3000) { push @a, "x" x 1e6 } print "all"', { memoryMiB: 1 }))
  tell('internet', await run('1', { network: 'internet' }).catch((error) => error.message))
  await host.close()`

if (!isRoot) {
  t.pass('the other tests of this folder run as root; this one starts as root to become an ordinary user')
  process.exit()
}

t.test('as an ordinary user without delegated cgroups', { timeout: 60_000 }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'hs-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  chmodSync(home, 0o700)
  chownSync(home, USER, USER)
  const setpriv = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--inh-caps=-all']
  const command = [...setpriv, process.execPath, '--input-type=module', '-e', PROGRAM, join(home, 'r'), freshServerId()]
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: import.meta.dirname,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.equal(code, 0, errors)
  const found = Object.assign(
    {},
    ...output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
  ) as Findings

  const needed = ['memory-limit', 'oom-detection', 'pids-limit', 'cpu-limit']
  t.same(found.strict?.missing, needed, 'strict refuses and names what is missing')
  for (const name of needed) t.match(found.strict?.message, new RegExp(`${name}: .* - run as root`))
  t.same(found.unenforced, [
    'cgroups',
    'memory-limit',
    'swap-limit',
    'oom-detection',
    'pids-limit',
    'cpu-limit',
    'freeze',
    'user-per-sandbox',
    'network-internet'
  ])
  t.same(found.warned, found.unenforced, 'each weakening is logged')
  t.match(found.caps?.output, /^CapEff=0+ NoNewPrivs=1 Seccomp=2 code pids=1,2$/)
  for (const { output } of found.forks ?? [])
    t.ok(Number(output) > 8 && Number(output) < 16, `forks, counted per sandbox: ${output}`)
  t.match(found.memory?.exit, { signal: 'SIGKILL', oomKills: 1 }, 'the watchdog ends what grows over its memory')
  t.match(found.children?.exit, { signal: 'SIGKILL', oomKills: 1 }, 'it adds up the whole tree')
  t.ok((found.children?.exit.peakBytes ?? 0) > 64 * 1024 * 1024)
  const { cpuMs = 0 } = found.cpu?.exit ?? {}
  t.ok(cpuMs >= 400 && cpuMs < 2_000, `CPU time is that of the whole tree: ${cpuMs} ms`)
  t.notMatch(found.data?.output, /all/, 'one process cannot outrun the watchdog without bounds')
  t.match(found.internet, /only root can make/)
})

interface Outcome {
  output: string
  exit: { signal?: string; oomKills: number; peakBytes?: number; cpuMs?: number }
}
interface Findings {
  strict?: { message: string; missing: string[] }
  warned?: string[]
  unenforced?: string[]
  caps?: Outcome
  forks?: Outcome[]
  memory?: Outcome
  children?: Outcome
  cpu?: Outcome
  data?: Outcome
  internet?: string
}
