import { type Attack, ended, type Report } from '../attack.ts'
import type { World } from '../world.ts'

const MIB = 1_048_576
/** Ended for its memory, refused more, or killed from outside because it was too slow; but it never had it all. */
const bounded = (report: Report) => {
  if (report.loot.length > 0) return `it got ${report.loot.join(', ')} ${JSON.stringify(report.notes)}`
  return report.status === 200 || report.status === 502 || report.status === 504
    ? undefined
    : `status ${report.status}: ${report.text}`
}
const outOfMemory = (report: Report, world: World) => {
  const wrong = ended()(report)
  if (wrong !== undefined) return wrong
  return world.weak.has('oom-detection') || report.failure === 'Runtime.OutOfMemory'
    ? undefined
    : `ended by ${report.failure}`
}

/** Without cgroups nothing counts the kernel's own memory; the server names that at every start. */
const uncountedMemory = (world: World) =>
  world.weak.has('memory-limit') ? 'this server does not limit memory, and says so' : undefined

/** Everything that there is only so much of. */
export default [
  {
    name: 'takes more memory than its own in one process',
    control: ['400 MiB'],
    async body({ loot }) {
      const all: Buffer[] = []
      for (let n = 0; n < 400; n++) all.push(Buffer.alloc(1_048_576, 1))
      if (all.length === 400) loot.push('400 MiB')
    },
    verdict: outOfMemory
  },
  {
    name: 'takes more memory than its own in many processes, each below the limit',
    control: ['400 MiB'],
    body({ childProcess, loot }) {
      const script = 'my $x = "x" x (50 << 20); print "ok"; sleep 4'
      const children = Array.from({ length: 8 }, () =>
        childProcess.spawn('/usr/bin/perl', ['-e', `$| = 1; ${script}`], { stdio: ['ignore', 'pipe', 'ignore'] })
      )
      return new Promise<void>((resolve) => {
        let count = 0
        let gone = 0
        for (const child of children) {
          child.stdout.once('data', () => {
            if (++count === children.length) loot.push('400 MiB')
          })
          child.once('exit', () => {
            if (++gone === children.length) resolve()
          })
        }
      })
    },
    verdict: bounded
  },
  {
    name: 'keeps memory in files that have no name',
    elsewhere: 'by itself',
    control: ['400 MiB'],
    body({ facts, loot, childProcess, notes }) {
      const script = `$| = 1; my $n = "x"; my $fd = syscall(${facts.numbers['memfd_create']}, $n, 0); open(my $f, "+<&=", $fd); my $mib = "x" x (1 << 20); for (1 .. 400) { (syswrite($f, $mib) // 0) == 1 << 20 or exit 1 } print "all"; sleep 2`
      const { stdout, status, signal } = childProcess.spawnSync('/usr/bin/perl', ['-e', script])
      Object.assign(notes, { status, signal })
      if (stdout.toString() === 'all') loot.push('400 MiB')
    },
    verdict: bounded
  },
  {
    name: 'keeps memory in System V segments',
    control: ['400 MiB'],
    body({ loot, childProcess, notes }) {
      const script =
        '$| = 1; my @ids; for (1 .. 8) { my $id = shmget(0, 50 << 20, 01600) // last; push @ids, $id; shmwrite($id, "x" x (50 << 20), 0, 50 << 20) or last } print "all" if @ids == 8; sleep 2; shmctl($_, 0, 0) for @ids'
      const { stdout, status, signal } = childProcess.spawnSync('/usr/bin/perl', ['-e', script])
      Object.assign(notes, { status, signal })
      if (stdout.toString() === 'all') loot.push('400 MiB')
    },
    verdict: bounded
  },
  {
    name: 'keeps memory in the kernel: socket buffers and pipes',
    skip: uncountedMemory,
    control: ['200 MiB'],
    body({ loot, childProcess, notes }) {
      const script =
        'use Socket; use Fcntl; $| = 1; my ($total, @keep) = (0); for (1 .. 500) { socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or last; push @keep, $a, $b; for my $s ($a, $b) { fcntl($s, F_SETFL, O_NONBLOCK); while (1) { my $n = syswrite($s, "x" x 4096); last unless $n; $total += $n } } } print $total; close STDOUT; sleep 2'
      const children = Array.from({ length: 2 }, () =>
        childProcess.spawn('/usr/bin/perl', ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
      )
      return new Promise<void>((resolve) => {
        let total = 0
        let gone = 0
        for (const child of children) {
          child.stdout.on('data', (text) => {
            total += Number(text)
          })
          child.once('exit', () => {
            if (++gone < children.length) return
            notes['MiB'] = total / 1_048_576
            if (total > 200 * 1_048_576) loot.push('200 MiB')
            resolve()
          })
        }
      })
    },
    verdict: bounded
  },
  {
    name: 'fills /tmp and /dev/shm beyond their sizes',
    settings: 'memory=1024',
    only: ['ENOSPC'],
    async body({ fs, attempt }) {
      const mib = Buffer.alloc(1_048_576, 1)
      for (const [folder, most] of [
        ['/dev/shm', 65],
        // A file system on disk holds a little more than what was asked for.
        ['/tmp', 530]
      ] as const) {
        const file = fs.openSync(`${folder}/fill`, 'w')
        await attempt(folder, () => {
          for (let n = 0; n < most; n++)
            if (fs.writeSync(file, mib) < mib.length) throw Object.assign(new Error(), { code: 'ENOSPC' })
          return true
        })
        fs.closeSync(file)
        fs.unlinkSync(`${folder}/fill`)
      }
    }
  },
  {
    name: 'makes files without end',
    skip: uncountedMemory,
    settings: 'timeout=6',
    alone: true,
    async body({ perl, loot, notes }) {
      const made = Number(
        perl(
          'my $n = 0; for (1 .. 200_000) { open(my $f, ">", "/tmp/file-with-a-long-name-number-$_") or last; $n++ } print $n'
        )
      )
      notes['made'] = made
      if (made >= 200_000) loot.push('200,000 files')
    },
    verdict: bounded
  },
  {
    name: 'forks without end',
    settings: 'timeout=4',
    alone: true,
    async body({ childProcess, loot, notes, fs }) {
      const script =
        '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); while (1) { fork() // select(undef, undef, undef, 0.05) }'
      for (let n = 0; n < 4; n++)
        childProcess.spawn('/usr/bin/perl', ['-e', script], { detached: true, stdio: 'ignore' }).on('error', () => {})
      let most = 0
      for (const end = Date.now() + 2_000; Date.now() < end; )
        most = Math.max(most, fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length)
      notes['most'] = most
      if (most > 1_100) loot.push(`${most} processes`)
    },
    verdict: bounded
  },
  {
    name: 'starts threads without end',
    settings: 'timeout=4&memory=512',
    alone: true,
    async body({ childProcess, loot, notes, fs }) {
      // clone(2) with CLONE_VM|CLONE_THREAD needs a stack: sleeping children by vfork-like clones are counted the same.
      const script =
        'my $n = 0; while (1) { my $pid = fork() // last; if (!$pid) { sleep 10; exit } $n++; last if $n > 3000 } print $n'
      const { stdout } = childProcess.spawnSync('/usr/bin/perl', ['-e', script], { timeout: 2_500 })
      notes['started'] = Number(stdout.toString())
      const count = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length
      notes['running'] = count
      if (count > 1_100) loot.push(`${count} processes`)
    },
    verdict: bounded
  },
  {
    name: 'starts more processes than it may have, and has them wait',
    settings: 'memory=1769',
    only: ['EAGAIN'],
    async body({ attempt, perl, os }) {
      const script =
        'my @all; my $error = 0; while (@all < 1100) { my $pid = fork() // do { $error = $! + 0; last }; if (!$pid) { sleep 60; exit } push @all, $pid } kill 9, @all; waitpid $_, 0 for @all; print $error'
      await attempt('1,100 processes', () => {
        const errno = Number(perl(script))
        if (errno === 0) return true
        const code = errno === os.constants.errno.EAGAIN ? 'EAGAIN' : `errno ${errno}`
        throw Object.assign(new Error(code), { code })
      })
    }
  },
  {
    name: 'opens descriptors without end',
    only: ['EMFILE', 'ENFILE'],
    async body({ fs, attempt, perl, notes }) {
      await attempt('2,000 in one process', () => {
        const all: number[] = []
        try {
          while (all.length < 2_000) all.push(fs.openSync('/dev/null', 'r'))
          return true
        } finally {
          notes['opened'] = all.length
          for (const fd of all) fs.closeSync(fd)
        }
      })
      await attempt('2,000 sockets in a child', () => {
        const opened = Number(
          perl(
            'use Socket; my @s; while (@s < 2000) { socket(my $s, AF_UNIX, SOCK_STREAM, 0) or last; push @s, $s } print scalar @s'
          )
        )
        if (opened >= 2_000) return true
        throw Object.assign(new Error(String(opened)), { code: 'EMFILE' })
      })
    }
  },
  {
    name: 'keeps every CPU busy with many processes',
    settings: 'timeout=2',
    alone: true,
    body({ childProcess }) {
      for (let n = 0; n < 24; n++) childProcess.spawn('/usr/bin/perl', ['-e', '1 while 1'], { stdio: 'ignore' })
      for (;;);
    },
    verdict: ended('Sandbox.Timedout')
  },
  {
    name: 'floods its log with lines of console.log',
    settings: 'timeout=2',
    alone: true,
    body() {
      const line = 'x'.repeat(1_000)
      for (;;) console.log(line)
    },
    verdict: ended()
  },
  {
    name: 'floods its output from a child process',
    settings: 'timeout=2',
    alone: true,
    gatewayCpu: 0.5,
    body({ childProcess }) {
      childProcess.spawnSync('/usr/bin/perl', ['-e', '$_ = "y\\n" x 30000; 1 while syswrite(STDOUT, $_)'], {
        stdio: ['ignore', 'inherit', 'inherit']
      })
      for (;;);
    },
    verdict: ended()
  },
  {
    name: 'writes its output byte by byte, after the beginning of a long line',
    settings: 'timeout=2',
    alone: true,
    gatewayCpu: 0.5,
    body({ childProcess }) {
      childProcess.spawnSync('/usr/bin/perl', ['-e', 'syswrite(STDOUT, "y" x 200000); 1 while syswrite(STDOUT, "y")'], {
        stdio: ['ignore', 'inherit', 'inherit']
      })
      for (;;);
    },
    verdict: ended()
  },
  {
    name: 'writes empty lines to its output',
    settings: 'timeout=2',
    alone: true,
    gatewayCpu: 0.5,
    body({ childProcess }) {
      childProcess.spawnSync('/usr/bin/perl', ['-e', '$_ = "\\n" x 60000; 1 while syswrite(STDOUT, $_)'], {
        stdio: ['ignore', 'inherit', 'inherit']
      })
      for (;;);
    },
    verdict: ended()
  },
  {
    name: 'sends frames byte by byte',
    settings: 'timeout=2',
    alone: true,
    gatewayCpu: 0.5,
    body({ write, frame }) {
      const bytes = frame(21, 1, Buffer.alloc(9), 'x'.repeat(100_000))
      for (;;) for (let at = 0; at < bytes.length; at++) write(3, bytes.subarray(at, at + 1))
    },
    verdict: ended()
  },
  {
    name: 'sends log frames with nothing in them',
    settings: 'timeout=2',
    alone: true,
    gatewayCpu: 0.5,
    body({ write, frame }) {
      const one = frame(21, 1, Buffer.alloc(9), '')
      const many = Buffer.concat(new Array<Buffer>(3_000).fill(one))
      for (;;) write(3, many)
    },
    verdict: ended()
  },
  {
    name: 'returns an answer far beyond the limit',
    settings: 'memory=512',
    body: () => 'x'.repeat(80 * 1_048_576),
    verdict: (report) =>
      report.failure !== '' && report.text.length < MIB ? undefined : `${report.status}, ${report.text.length} bytes`
  },
  {
    name: 'never reads what the gateway sends, while more and more events come',
    settings: 'timeout=2',
    calls: 40,
    alone: true,
    body() {
      for (;;);
    },
    verdict: ended('Sandbox.Timedout')
  },
  {
    name: 'uses up what the kernel gives one user: pending signals, pipe buffers, descriptors in flight, epoll watches',
    settings: 'timeout=4',
    alone: true,
    async body({ facts, childProcess, notes }) {
      const script = `
        use Socket; use Fcntl; $| = 1; my (%got, @keep);
        $SIG{RTMIN} = 'IGNORE'; my $set = pack('Q', ~0); syscall(${facts.numbers['rt_sigprocmask']}, 0, $set, 0, 8);
        my $info = pack('l l l x116', 40, 0, -1);
        while ($got{signals} < 200000) { last if syscall(${facts.numbers['rt_sigqueueinfo']}, $$ + 0, 40, $info) < 0; $got{signals}++ }
        for (1 .. 200) { pipe(my $r, my $w) or last; push @keep, $r, $w; fcntl($w, 1031, 1 << 20); fcntl($w, F_SETFL, O_NONBLOCK); $got{pipes} += syswrite($w, "x" x (1 << 20)) // 0 }
        my $events = pack('L Q', 1, 0); my @polls = map { syscall(${facts.numbers['epoll_create1']}, 0) } 1 .. 200;
        for my $poll (@polls) { for my $fd (map { fileno $_ } @keep) { my $e = $events; syscall(${facts.numbers['epoll_ctl']}, $poll, 1, $fd, $e) == 0 and $got{watches}++ } }
        my $one = 'x'; my $vector = pack('P Q', $one, 1); my $control = pack('Q l l', 16 + 4 * 200, 1, 1) . pack('l*', (1) x 200);
        my $message = pack('Q L x4 P Q P Q L x4', 0, 0, $vector, 1, $control, length $control, 0);
        for (1 .. 100) { socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or last; push @keep, $a, $b; syscall(${facts.numbers['sendmsg']}, fileno $a, $message, 0x40) > 0 and $got{flying} += 200 }
        print join(' ', map { "$_=$got{$_}" } sort keys %got); close STDOUT; sleep 2`
      const outputs = await Promise.all(
        Array.from(
          { length: 4 },
          () =>
            new Promise((resolve) => {
              childProcess.execFile('/usr/bin/perl', ['-e', script], (_error, stdout) => resolve(stdout))
            })
        )
      )
      notes['got'] = outputs
      return { loot: [], refused: { got: outputs.join('; ') }, notes }
    },
    async during(world) {
      // While it holds all that, sandboxes must still start.
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      const made = await world.hearth.deploy('late', 'export const handler = async () => "late"', 'memory=192')
      await made.body?.cancel()
      const answer = await world.hearth.invoke('late', {})
      return answer.status === 200 ? undefined : `another function: ${answer.status} ${await answer.text()}`
    },
    verdict: bounded
  }
] satisfies readonly Attack[]
