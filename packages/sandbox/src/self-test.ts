import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { CgroupDriver } from './cgroup.ts'
import { DOOR_PORT } from './door.ts'
import type { Launcher } from './launcher.ts'
import type { Feature, Sandbox, SandboxSpec } from './types.ts'
import { whenClosed } from './when-closed.ts'

const MEMORY_MIB = 64
const PIDS = 32
const TMP_MIB = 2
/** A file system on disk is a little larger than what it holds for certain. */
const TMP_SLACK = 1.5
const CPUS = 0.5
const DEADLINE_MS = 5000

/** Runs inside the probe sandbox and prints one `name value` line per look at its surroundings. */
const PROBE = String.raw`
$| = 1; use POSIX (); my $none = '';
my %n = (POSIX::uname())[4] eq 'aarch64' ? (unshare => 97, inotify => 26, mount => 40) : (unshare => 272, inotify => 294, mount => 165);
sub say_errno { my ($name, $r) = @_; print "$name ", $r < 0 ? $! + 0 : 'done', "\n" }
print "uid $<\n";
open(my $s, '<', '/proc/self/status'); /^(CapEff|CapPrm|NoNewPrivs|Seccomp):\s+(\w+)/ and print "$1 $2\n" while <$s>;
say_errno('inotify', syscall($n{inotify}, 0));
say_errno('unshare', syscall($n{unshare}, 0x10000000));
say_errno('clone3', syscall(435, 0, 0));
opendir(my $d, '/proc'); print 'pid-count ', scalar(grep { /^\d+$/ } readdir $d), "\n";
open(my $i, '<', '/proc/net/dev'); print 'interfaces ', join(',', map { /^\s*(\w+):/ ? $1 : () } <$i>), "\n";
print 'write-root ', open(my $w, '>', '/opt/probe') ? 'done' : $! + 0, "\n";
open(my $t, '>', '/tmp/probe'); my $kib = 0; $kib += 64 while $kib < 8192 && defined syswrite($t, "\0" x 65536); print "tmp-kib $kib\n";
print "ready\n";
sysread(STDIN_CHANNEL(), my $go, 1);
use Socket; socket(my $k, AF_INET, SOCK_STREAM, 0); my $said = ''; connect($k, pack_sockaddr_in(DOOR, INADDR_LOOPBACK)) and sysread($k, $said, 9); print "door $said.\n";
print 'code ', -e '/var/task/bin' || -e '/var/task/perl' ? 'there' : 'missing', "\n";
print 'write-code ', open(my $c, '>', '/var/task/probe') ? 'done' : $! + 0, "\n";
open(my $l, '<', '/proc/self/limits'); /^Max (data size|processes)\s+(\d+)/ and print "limit-$1 $2\n" while <$l>;
print "end\n"; sleep 60;
sub STDIN_CHANNEL { open(my $h, '<&=', 3); $h }
`

export const PROBE_SPEC: SandboxSpec = {
  command: ['/usr/bin/perl', '-e', PROBE.replaceAll('\n', ' ').replace('DOOR', String(DOOR_PORT))],
  env: {},
  mounts: [],
  memoryMiB: MEMORY_MIB,
  tmpMiB: TMP_MIB,
  pids: PIDS,
  network: 'none'
}

/** A mechanism, whether it held, and what to do if it did not. */
export type Probe = (feature: string, how: string, enforced: boolean, required: boolean, remedy?: string) => void

/**
 * Tries every mechanism for real in one sandbox: what its inside sees, limits read back, attach, freeze and kill.
 *
 * @throws Error when the sandbox cannot even be started or does not answer
 */
export async function probeSandbox(
  sandbox: Sandbox,
  launcher: Launcher,
  cgroups: CgroupDriver,
  tmp: string
): Promise<Feature[]> {
  const features: Feature[] = []
  const add = reporter(features)
  const seen = readProbe(sandbox)
  const timer = setTimeout(() => sandbox.kill(), DEADLINE_MS)
  try {
    await seen.until('ready')
    const door = await sandbox.openDoor()
    door.answer(createServer((socket) => socket.on('error', () => {}).end('platform')))
    await sandbox.assign({ mounts: [{ source: '/usr/bin', target: '/var/task' }] })
    sandbox.channel.write('1')
    await seen.until('end')
    const value = seen.values
    const eperm = '1'
    const enosys = '38'
    const erofs = '30'
    add(
      'namespaces',
      'bubblewrap: user, pid, mount, ipc, uts, cgroup, net',
      value.get('uid') === '993' && Number(value.get('pid-count')) <= 3,
      true
    )
    add(
      'no-privileges',
      'no capabilities, no_new_privs, no further user namespaces',
      /^0+$/.test(value.get('CapEff') ?? '') &&
        /^0+$/.test(value.get('CapPrm') ?? '') &&
        value.get('NoNewPrivs') === '1',
      true
    )
    add(
      'seccomp',
      'BPF allow list of system calls',
      value.get('Seccomp') === '2' &&
        value.get('inotify') === eperm &&
        value.get('unshare') === eperm &&
        value.get('clone3') === enosys,
      true
    )
    add('read-only-root', 'read-only mounts', value.get('write-root') === erofs, true)
    const tmpKib = Number(value.get('tmp-kib'))
    add('tmp-size', tmp, tmpKib >= TMP_MIB * 1024 && tmpKib <= TMP_MIB * 1024 * TMP_SLACK, true)
    add(
      'code-attach',
      'open_tree, mount_setattr, move_mount',
      value.get('code') === 'there' && value.get('write-code') === erofs,
      true
    )
    add('network-none', 'network namespace with loopback only', value.get('interfaces') === 'lo', true)
    add('door', 'socket in the sandbox, answered from outside', value.get('door') === 'platform.', true)
    await probeLimits(sandbox, launcher, cgroups, value, add)
  } finally {
    clearTimeout(timer)
    sandbox.kill()
  }
  const killedAt = performance.now()
  await sandbox.exited
  const killMs = Math.round(performance.now() - killedAt)
  add('kill', `${cgroups.mechanisms.kill ?? 'end of the pid namespace'} (${killMs} ms)`, true, true)
  return features
}

async function probeLimits(
  sandbox: Sandbox,
  launcher: Launcher,
  cgroups: CgroupDriver,
  seen: ReadonlyMap<string, string>,
  add: Probe
): Promise<void> {
  const { mechanisms } = cgroups
  const files = cgroups.readBack(sandbox.id)
  const read = async (path: string | undefined) => (path === undefined ? '' : (await launcher.ask('Q', path)).trim())
  const remedy =
    'run as root on a machine with writable cgroups, or as a systemd service with Delegate=cpu memory pids (docs/security.md)'
  const limitless = (weaker: string) => `no cgroup: ${weaker}`
  add('cgroups', cgroups.reason ?? `cgroup ${cgroups.mode}`, cgroups.mode !== 'none', false, remedy)

  sandbox.limitCpu(CPUS)
  const [memory, pids, cpu, counter] = await Promise.all([
    read(files.memory),
    read(files.pids),
    read(files.cpu),
    read(files.oomCounter)
  ])
  add(
    'memory-limit',
    mechanisms.memory ?? limitless('RLIMIT_DATA per process and a watchdog every 200 ms'),
    Number(memory) === MEMORY_MIB * 1024 * 1024,
    true,
    remedy
  )
  add(
    'swap-limit',
    mechanisms.swap ?? limitless('functions may be swapped out'),
    mechanisms.swap !== undefined,
    false,
    'boot with swapaccount=1, or turn swap off'
  )
  add(
    'oom-detection',
    mechanisms.oomCounter ?? limitless('only what the watchdog kills is known as out of memory'),
    /oom_kill \d/.test(counter),
    true,
    remedy
  )
  add(
    'pids-limit',
    mechanisms.pids ??
      limitless(
        `RLIMIT_NPROC ${seen.get('limit-processes') === String(PIDS) ? 'in' : 'outside of'} the sandbox's user namespace`
      ),
    Number(pids) === PIDS,
    true,
    remedy
  )
  add(
    'cpu-limit',
    mechanisms.cpu ?? limitless('one function can use all CPUs'),
    Number.parseInt(cpu, 10) === CPUS * 100_000,
    true,
    remedy
  )
  if (mechanisms.freeze === undefined || files.frozen === undefined) {
    add('freeze', limitless('idle functions may go on in the background'), false, false, remedy)
    return
  }
  sandbox.freeze(true)
  const deadline = performance.now() + 500
  let frozen = false
  while (!frozen && performance.now() < deadline) {
    frozen = /frozen 1|FROZEN/.test(await read(files.frozen))
    if (!frozen) await delay(1)
  }
  // It stays frozen: the kill that follows must work all the same.
  add('freeze', mechanisms.freeze, frozen, false, remedy)
}

export function reporter(features: Feature[]): Probe {
  return (feature, how, enforced, required, remedy) => {
    features.push({ feature, how, enforced, required, ...(enforced || remedy === undefined ? {} : { remedy }) })
  }
}

function readProbe(sandbox: Sandbox) {
  const values = new Map<string, string>()
  let pending = ''
  let ended = false
  let onLine = () => {}
  sandbox.output.setEncoding('utf8').on('data', (text: string) => {
    pending += text
    const lines = pending.split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      const space = line.lastIndexOf(' ')
      values.set(space < 0 ? line : line.slice(0, space), line.slice(space + 1))
    }
    onLine()
  })
  whenClosed(sandbox.output, () => {
    ended = true
    onLine()
  })
  sandbox.output.resume()
  sandbox.channel.resume()
  return {
    values,
    until: (name: string) =>
      new Promise<void>((resolve, reject) => {
        onLine = () => {
          if (values.has(name)) resolve()
          else if (ended) reject(new Error(`the probe sandbox ended early: ${[...values.keys()].join(' ')} ${pending}`))
        }
        onLine()
      })
  }
}
