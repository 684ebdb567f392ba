import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { isRoot, listen, openHost, perl, run } from './open-host.ts'

const EPERM = 1
const EROFS = 30
const ENOSYS = 38
const EAFNOSUPPORT = 97

if (!isRoot) {
  t.pass('only root can have uids and cgroups of its own per sandbox; unprivileged.test.ts covers the rest')
  process.exit()
}

t.test('every mechanism holds on this machine, and the self-test says so quickly', async (t) => {
  const startedAt = performance.now()
  const host = await openHost(t)
  t.ok(performance.now() - startedAt < 2000)
  const byName = new Map(host.features.map((feature) => [feature.feature, feature]))
  for (const name of ['namespaces', 'no-privileges', 'seccomp', 'code-attach', 'memory-limit', 'pids-limit', 'kill']) {
    t.match(byName.get(name), { enforced: true, required: true, how: String }, name)
  }
})

t.test('inside a sandbox', async (t) => {
  const host = await openHost(t)

  t.test('the command has the descriptors 0 to 4, its own environment, and nothing else', async (t) => {
    const look = `
      opendir(my $d, '/proc/self/fd'); print "fds ", join(',', sort { $a <=> $b } grep { /^\\d/ && readlink("/proc/self/fd/$_") !~ m{^/proc} } readdir $d), "\\n";
      print "null ", readlink('/proc/self/fd/0'), "\\n";
      print "env ", join(',', map { "$_=$ENV{$_}" } sort keys %ENV), "\\n";
      for my $f ('environ', 'cmdline') { open(my $h, '<', "/proc/1/$f"); local $/; my $x = <$h> // ''; $x =~ tr/\\0/ /; print "$f: $x\\n" }
      print 'ids ', $< + 0, ' ', $( + 0, ' ', $) + 0, "\\n"; my $flags = fcntl(STDIN, 3, 0);
      open(my $c, '+<&=', 3); print 'blocking ', (fcntl($c, 3, 0) & 2048) ? 'no' : 'yes', "\\n";
      open(my $m, '<', '/proc/meminfo'); print scalar <$m>;
      print "host ", (POSIX::uname())[1], "\\n";`
    const spec = perl(`use POSIX (); ${look}`, { env: { A: 'b c', EMPTY: '' }, memoryMiB: 100 })
    const { output, exit } = await run(host, spec)
    t.match(output, /^fds 0,1,2,3,4$/m)
    t.match(output, /^null \/dev\/null$/m)
    t.match(output, /^env A=b c,EMPTY=,PWD=\/tmp$/m)
    t.match(output, /^environ: $/m, 'nothing of the server in the environment of pid 1')
    t.match(output, /^cmdline: bwrap --args 6 --info-fd 5 --block-fd 8 -- \/usr\/bin\/perl/m, 'no path of the machine')
    t.match(output, /^ids 993 990 990$/m)
    t.match(output, /^blocking yes$/m)
    t.match(output, /^MemTotal: +102400 kB$/m)
    t.match(output, /^host hearth$/m)
    t.match(exit, { code: 0, signal: undefined, oomKills: 0, progress: 0 })
    t.ok((exit.peakBytes ?? 0) > 100_000)
  })

  t.test('the machine is out of sight', async (t) => {
    const { output } = await run(
      host,
      perl(`
      for my $p ('/root', '/home', '/var/lib', '/sys', '/run/systemd', '/boot', '/etc/shadow', '/mnt') { print "there $p\\n" if -e $p }
      opendir(my $d, '/proc'); print 'pids ', join(',', sort grep { /^\\d+$/ } readdir $d), "\\n";
      for my $f ('cmdline', 'kallsyms', 'version', 'keys', 'timer_list', 'swaps') { open(my $h, '<', "/proc/$f") or next; print "tells $f\\n" if defined readline $h }
      print "write $_ ", (open(my $w, '>', "$_/x") ? 'done' : $! + 0), "\\n" for '/', '/usr', '/etc', '/opt', '/var/task', '/dev', '/run', '/proc/sys/kernel';
      open(my $m, '>', '/proc/sys/kernel/core_pattern') and print "core_pattern open\\n";`)
    )
    t.notMatch(output, /there|tells|open|done/)
    t.match(output, /^pids 1,2$/m)
    for (const folder of ['/', '/usr', '/etc', '/opt', '/var/task', '/dev', '/run']) {
      t.match(output, new RegExp(`^write ${folder} ${EROFS}$`, 'm'))
    }
  })

  t.test('the filter allows, refuses and denies system calls as it was compiled to', async (t) => {
    // x86_64 numbers with arguments that would do something else without the filter.
    const calls: [name: string, number: number, args: string, errno: number | undefined][] = [
      ['getpid', 39, '', undefined],
      ['clock_gettime', 228, "1, my $buf = ' ' x 16", undefined],
      ['memfd_create', 319, "my $name = 'x', 0", undefined],
      ['socket unix', 41, '1, 1, 0', undefined],
      ['socket inet', 41, '2, 1, 0', undefined],
      ['socket packet', 41, '17, 3, 0', EAFNOSUPPORT],
      ['socket vsock', 41, '40, 1, 0', EAFNOSUPPORT],
      ['socket alg', 41, '38, 5, 0', EAFNOSUPPORT],
      ['ptrace traceme', 101, '0, 0, 0, 0', EPERM],
      ['inotify_init1', 294, '0', EPERM],
      ['keyctl', 250, '0, -3, 0', EPERM],
      ['add_key', 248, '0, 0, 0, 0, 0', EPERM],
      ['bpf', 321, '0, 0, 0', EPERM],
      ['perf_event_open', 298, '0, 0, 0, 0, 0', EPERM],
      ['userfaultfd', 323, '0', EPERM],
      ['io_uring_setup', 425, '1, 0', EPERM],
      ['unshare user', 272, '0x10000000', EPERM],
      ['clone user', 56, '0x10000000 | 17, 0', EPERM],
      ['clone3', 435, '0, 0', ENOSYS],
      ['setns', 308, '0, 0', EPERM],
      ['mount', 165, '0, 0, 0, 0, 0', EPERM],
      ['open_tree', 428, '-100, 0, 1', EPERM],
      ['pivot_root', 155, '0, 0', EPERM],
      ['chroot', 161, "my $slash = '/'", EPERM],
      ['process_vm_readv', 310, '1, 0, 0, 0, 0, 0', EPERM],
      ['pidfd_getfd', 438, '0, 0, 0', EPERM],
      ['sync', 162, '', EPERM],
      ['personality', 135, '0xffffffff', EPERM],
      ['mq_open', 240, '0, 0, 0, 0', EPERM],
      ['ioctl TIOCSTI', 16, '0, 0x5412, 0', EPERM],
      ['a number that does not exist', 999, '', ENOSYS]
    ]
    const script = calls.map(
      ([, number, args], i) =>
        `$r = syscall(${number}${args && `, ${args}`}); print "${i} ", ($r < 0 ? $! + 0 : 'ok'), "\\n";`
    )
    const { output } = await run(host, perl(`my $r; ${script.join(' ')}`))
    for (const [i, [name, , , errno]] of calls.entries()) {
      t.equal(new RegExp(`^${i} (.*)$`, 'm').exec(output)?.[1], String(errno ?? 'ok'), name)
    }
    const { exit } = await run(host, perl('syscall(0x40000000 | 39)'))
    t.equal(exit.signal, 'SIGSYS', 'the second system call table of x86_64 (x32) ends the process')
  })

  t.test('out of memory is told by the kernel, and a plain SIGKILL is not taken for it', async (t) => {
    const hungry = await run(host, perl('my @a; push @a, "x" x 1e6 while 1'))
    t.match(hungry.exit, { code: undefined, signal: 'SIGKILL', oomKills: 1 })
    t.ok((hungry.exit.peakBytes ?? 0) > 60 * 1024 * 1024)
    const suicidal = await run(host, perl('kill 9, $$; sleep 9'))
    t.match(suicidal.exit, { code: undefined, signal: 'SIGKILL', oomKills: 0 })
    const child = await run(host, perl('if (!fork) { my @a; push @a, "x" x 1e6 while 1 } wait; exit 7'))
    t.match(child.exit, { oomKills: 1 }, 'of a child, too')
    t.match((await run(host, perl('exit 3'))).exit, { code: 3, signal: undefined, oomKills: 0 })
  })

  t.test('processes, /tmp, /dev/shm, descriptors and core dumps are bounded', async (t) => {
    const { output } = await run(
      host,
      perl(
        `
      my $n = 0; while ($n < 200) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print "forks $n\\n";
      for my $d ('/tmp', '/dev/shm') { open(my $f, '>', "$d/x"); my $k = 0; while ($k < 70000) { defined syswrite($f, "x" x 65536) or last; $k += 64 } close $f; unlink "$d/x"; print "$d $k\\n" }
      my @h; while (@h < 5000) { open(my $h, '<', '/dev/null') or last; push @h, $h } print 'files ', scalar @h, "\\n"; @h = ();
      open(my $l, '<', '/proc/self/limits'); /^Max core file size +1 / and print "core 1\\n" while <$l>;`,
        { memoryMiB: 256 }
      )
    )
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(output)?.[1])
    t.ok(value('forks') > 20 && value('forks') < 32, `forks: ${value('forks')}`)
    t.equal(value('/tmp'), 4096)
    t.equal(value('/dev/shm'), 65_536)
    t.ok(value('files') > 1000 && value('files') < 1024, `files: ${value('files')}`)
    t.match(output, /^core 1$/m)
  })

  t.test('CPU time is counted, of children too, while it runs and when it is over', async (t) => {
    const busy = '1 while (times)[0] < 0.2;'
    const sandbox = await host.start(perl(`if (!fork) { ${busy} exit } ${busy} wait; $| = 1; print "done"; sleep 60`))
    await listen(sandbox).says('done')
    const ms = (await sandbox.cpuMs()) ?? 0
    t.ok(ms >= 390 && ms < 3_000, `${ms} ms`)
    sandbox.kill()
    const { cpuMs = 0 } = await sandbox.exited
    t.ok(cpuMs >= ms && cpuMs < ms + 2_000, `${cpuMs} ms`)
  })

  t.test('limitCpu holds from then on', async (t) => {
    const sandbox = await host.start(
      perl(
        `open(my $c, '+<&=', 3); sysread($c, my $go, 1); my $end = time + 2; while (time < $end) {} my ($u, $s) = times; print "cpu ", $u + $s, "\\n"`
      )
    )
    sandbox.limitCpu(0.1)
    sandbox.channel.write('1')
    const output = await listen(sandbox).all()
    const used = Number(/cpu (.*)/.exec(output)?.[1])
    t.ok(used > 0 && used < 0.6, `used ${used} s of CPU in at most 2 s`)
    await sandbox.exited
  })

  t.test('a frozen sandbox does nothing until it is thawed, and can be killed frozen', async (t) => {
    const sandbox = await host.start(
      perl(
        `open(my $c, '+<&=', 3); while (sysread($c, my $b, 1)) { my $ts = ' ' x 16; syscall(228, 1, $ts); my ($s, $n) = unpack('qq', $ts); syswrite($c, sprintf("%.3f\\n", $s * 1e3 + $n / 1e6)) }`
      )
    )
    const answers: number[] = []
    let wake = () => {}
    sandbox.channel.setEncoding('utf8').on('data', (text: string) => {
      answers.push(...text.trim().split('\n').map(Number))
      wake()
    })
    sandbox.channel.resume()
    const ask = async () => {
      const answered = new Promise<void>((resolve) => {
        wake = resolve
      })
      sandbox.channel.write('?')
      await answered
      return answers.at(-1) ?? 0
    }
    const machineNow = () => Number(process.hrtime.bigint()) / 1e6
    t.ok(Math.abs((await ask()) - machineNow()) < 1000, 'one clock')
    sandbox.freeze(true)
    await sandbox.peakMemory() // the launcher answers in order: the freeze was written before
    const frozenUntil = machineNow() + 100
    const answer = ask()
    await delay(100)
    t.equal(answers.length, 1, 'no answer while frozen')
    sandbox.freeze(false)
    sandbox.freeze(false)
    t.ok((await answer) >= frozenUntil)
    sandbox.freeze(true)
    sandbox.kill()
    sandbox.kill()
    t.match(await sandbox.exited, { signal: 'SIGKILL', oomKills: 0 })
    sandbox.freeze(true)
    sandbox.limitCpu(1)
    t.equal(await sandbox.peakMemory(), undefined)
  })

  t.test('kill ends a tree that ignores every signal and has left its session', async (t) => {
    const mark = `mark${process.pid}x`
    const sandbox = await host.start(
      perl(
        `use POSIX (); $SIG{$_} = 'IGNORE' for keys %SIG; for (1 .. 6) { if (!fork) { POSIX::setsid(); fork; fork; $0 = '${mark}'; 1 while 1 } } print "up\\n"; sleep 60`
      )
    )
    await listen(sandbox).says('up')
    await until(() => processesNamed(mark) >= 6)
    const startedAt = performance.now()
    sandbox.kill()
    t.match(await sandbox.exited, { signal: 'SIGKILL' })
    t.equal(processesNamed(mark), 0)
    t.ok(performance.now() - startedAt < 1000)
  })

  t.test('assign attaches code read-only, also from below a private folder', async (t) => {
    const dir = t.testdir({ private: { code: { 'a.txt': 'one', sub: { 'b.txt': 'two' } }, 'layer.txt': 'three' } })
    chmodSync(join(dir, 'private'), 0o700)
    chmodSync(join(dir, 'private/code/a.txt'), 0o666)
    chmodSync(join(dir, 'private/code'), 0o777)
    const sandbox = await host.start(
      perl(
        `open(my $c, '+<&=', 3); sysread($c, my $go, 1);
        for my $f ('/var/task/a.txt', '/var/task/sub/b.txt', '/opt/file') { open(my $h, '<', $f) or next; print "$f ", <$h>, "\\n" }
        print "write ", (open(my $w, '>>', '/var/task/a.txt') ? 'done' : $! + 0), "\\n"; print "unlink ", (unlink('/var/task/a.txt') ? 'done' : $! + 0), "\\n";`,
        {
          mounts: [
            { source: join(dir, 'private/layer.txt'), target: '/opt/file' },
            { source: process.execPath, target: '/var/lang/bin/node' }
          ]
        }
      )
    )
    const heard = listen(sandbox)
    await sandbox.assign({ mounts: [{ source: join(dir, 'private/code'), target: '/var/task' }] })
    sandbox.channel.write('1')
    const output = await heard.all()
    t.match(output, '/var/task/a.txt one\n/var/task/sub/b.txt two\n/opt/file three\n')
    t.match(output, `write ${EROFS}\nunlink ${EROFS}\n`)
    await sandbox.exited
    t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), 'private/code', "nothing is left in the machine's mounts")
  })

  t.test('an assignment that cannot be made is an error, and the sandbox can still be killed', async (t) => {
    const sandbox = await host.start(perl('sleep 60'))
    listen(sandbox)
    await t.rejects(sandbox.assign({ mounts: [{ source: '/does/not/exist', target: '/var/task' }] }), /open_tree/)
    await t.rejects(sandbox.assign({ mounts: [{ source: '/usr', target: '/no/such/target' }] }), /move_mount/)
    await t.rejects(sandbox.assign({ mounts: [{ source: '/usr', target: '/opt\t/etc\t/usr' }] }), /tab/)
    sandbox.kill()
    await sandbox.exited
    await t.rejects(sandbox.assign({ mounts: [] }), /gone/)
  })

  t.test('the progress page outlives every kind of death and cannot be resized', async (t) => {
    const write = (n: string) => `open(my $p, '+<&=', 4); sysseek($p, 0, 0); syswrite($p, pack('Q<', ${n}));`
    const killed = await host.start(perl(`${write('2**40 + 7')} print "up\\n"; sleep 60`))
    await listen(killed).says('up')
    killed.kill()
    t.equal((await killed.exited).progress, 2 ** 40 + 7)
    const oom = await run(host, perl(`${write('5')} my @a; push @a, "x" x 1e6 while 1`))
    t.match(oom.exit, { progress: 5, oomKills: 1 })
    const { output, exit } = await run(
      host,
      perl(
        `open(my $p, '+<&=', 4); print "grow ", (truncate($p, 8192) ? 'done' : $! + 0), " shrink ", (truncate($p, 0) ? 'done' : $! + 0); sysseek($p, 4096, 0); print " append ", (defined syswrite($p, 'x') ? 'done' : $! + 0);`
      )
    )
    t.equal(output, `grow ${EPERM} shrink ${EPERM} append ${EPERM}`)
    t.equal(exit.progress, 0)
  })

  t.test('many sandboxes at once keep their streams apart and get uids of their own', async (t) => {
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const sandbox = await host.start(
          perl(
            `open(my $c, '+<&=', 3); print "out ${n} "; syswrite($c, "channel ${n}"); open(my $u, '<', '/proc/self/uid_map'); my ($in, $outside) = split ' ', <$u>; sysread($c, my $b, 1); print "end";`
          )
        )
        const channel = new Promise<string>((resolve) => sandbox.channel.once('data', (data) => resolve(String(data))))
        const heard = listen(sandbox)
        const text = await channel
        sandbox.channel.write('.')
        return { n, text, output: await heard.all(), exit: await sandbox.exited }
      })
    )
    for (const { n, text, output, exit } of results) {
      t.equal(text, `channel ${n}`)
      t.equal(output, `out ${n} end`)
      t.equal(exit.code, 0)
    }
  })

  t.test('what cannot be started says why and leaves nothing', async (t) => {
    const sound = perl('1')
    await t.rejects(host.start({ ...sound, mounts: [{ source: '/no/such', target: '/opt' }] }), /ENOENT/)
    await t.rejects(host.start({ ...sound, mounts: [{ source: '/usr', target: '/opt/../etc' }] }), /absolute/)
    await t.rejects(host.start({ ...sound, mounts: [{ source: '/usr/a\nK\ts1', target: '/opt' }] }), /./)
    await t.rejects(host.start({ ...sound, command: ['/bin/true', 'a\nK\ts1'] }), /newline/)
    await t.rejects(host.start({ ...sound, env: { A: 'x\0--bind\0/\0/opt' } }), /NUL/)
    await t.rejects(host.start({ ...sound, network: 'internet' }), /internet/)
    const lost = await run(host, { ...sound, command: ['/no/such/program'] })
    t.match(lost.exit, { code: 1 })
    t.match(lost.output, /No such file/)
  })
})

t.test('the start of a sandbox leaves no file readable by others', async (t) => {
  const runDir = join(mkdtempSync(join(tmpdir(), 'hs-')), 'run')
  t.teardown(() => rmSync(dirname(runDir), { recursive: true }))
  await openHost(t, { runDir })
  t.equal(statSync(runDir).mode & 0o777, 0o700)
  t.equal(statSync(join(runDir, 'control')).mode & 0o777, 0o700)
  t.same(readdirSync(join(runDir, 'control')).sort(), ['socket', 'view'])
})

function processesNamed(name: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(name)
    } catch {
      return false
    }
  }).length
}

async function until(condition: () => boolean, deadlineMs = 5000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('condition not met in time')
    await delay(5)
  }
}
