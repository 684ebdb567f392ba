import { type Attack, ended } from '../attack.ts'

const NO_SUCH = ['ESRCH', 'ENOENT', 'EPERM', 'ENOSYS', 'nothing', 'EINVAL']

/** Other processes, signals, priorities, and processes that will not go. */
export default [
  {
    name: 'looks for processes outside of its sandbox',
    only: ['nothing'],
    control: ['a process of the machine', 'the server'],
    async body({ facts, fs, attempt, notes }) {
      const seen = fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => {
          try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          } catch {
            return ''
          }
        })
      notes['count'] = seen.length
      await attempt('a process of the machine', () => seen.some((line) => line.includes(facts.canary.shmName)))
      await attempt('the server', () => seen.some((line) => line.includes('control-plane')))
      // In other runtimes what attacks before this one started is there, too.
      const isAlone = facts.files.includes('index.mjs')
      await attempt('more than its own', () => isAlone && facts.who === 'sandbox' && seen.length > 3)
    }
  },
  {
    name: 'signals processes of the machine and the server',
    only: NO_SUCH,
    control: ['canary', 'pidfd_open'],
    async body({ facts, attempt, systemCalls }) {
      const deadly = facts.who === 'sandbox' ? 9 : 0
      await attempt('canary', () => process.kill(facts.canary.pid, deadly))
      if (facts.who === 'sandbox')
        for (const pid of facts.pids) await attempt(`server ${pid}`, () => process.kill(pid, 'SIGKILL'))
      const { pid } = facts.canary
      systemCalls([
        { name: 'pidfd_open', with: [pid, 0], control: true },
        { name: 'tgkill', with: [pid, pid, 9] },
        { name: 'tkill', with: [pid, 9] },
        { name: 'rt_sigqueueinfo', with: [pid, 10, { room: 128 }] },
        { name: 'setpriority', with: [0, pid, 19] },
        { name: 'sched_setaffinity', with: [pid, 8, { hex: '0100000000000000' }] },
        { name: 'prlimit64', with: [pid, 7, { room: 16 }, { room: 16 }] },
        { name: 'ptrace', as: 'ptrace_seize', with: [0x4206, pid, 0, 0] },
        { name: 'process_vm_readv', with: [pid, { room: 16 }, 1, { room: 16 }, 1, 0] },
        { name: 'kcmp', with: [pid, pid, 0, 0, 0] },
        { name: 'get_robust_list', with: [pid, { room: 8 }, { room: 8 }] },
        { name: 'migrate_pages', with: [pid, 0, 0, 0] }
      ])
    }
  },
  {
    name: 'kills everything that it may signal, itself included',
    body: ({ systemCalls, facts }) => {
      process.on('SIGTERM', () => {})
      if (facts.who === 'sandbox') systemCalls([{ name: 'kill', with: [-1, 9] }])
      process.kill(-1, 'SIGKILL')
    },
    verdict: ended('Runtime.ExitError')
  },
  {
    name: 'traces and reads its own processes, as debuggers and thieves do',
    only: ['EPERM', 'ENOSYS'],
    control: ['ptrace', 'process_vm_readv', 'pidfd_open_self'],
    controlAsRoot: true,
    body({ facts, systemCalls, notes }) {
      const parent = process.pid
      notes['parent'] = parent
      if (facts.who === 'control')
        systemCalls([{ as: 'pidfd_open_self', name: 'pidfd_open', with: [parent, 0], control: true }])
      systemCalls([
        { name: 'ptrace', with: [0, 0, 0, 0], control: true },
        { as: 'ptrace_attach', name: 'ptrace', with: [16, parent, 0, 0] },
        { as: 'ptrace_seize', name: 'ptrace', with: [0x4206, parent, 0, 0] },
        { name: 'process_vm_readv', with: [parent, { room: 16 }, 0, { room: 16 }, 0, 0], control: true },
        { name: 'process_vm_writev', with: [parent, { room: 16 }, 0, { room: 16 }, 0, 0] },
        { name: 'pidfd_getfd', with: [3, 3, 0] },
        { name: 'process_madvise', with: [3, { room: 16 }, 1, 4, 0] },
        { name: 'kcmp', with: [parent, parent, 0, 0, 0] }
      ])
    }
  },
  {
    name: 'kills and overwrites the first process of its sandbox',
    // The first process has no more rights than the attacker, so that what it may do to it is its own loss.
    body({ fs, facts }) {
      if (facts.who === 'control') return
      for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const) process.kill(1, signal)
      const memory = fs.openSync('/proc/1/mem', 'r+')
      for (const line of fs.readFileSync('/proc/1/maps', 'utf8').split('\n')) {
        const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r-xp/.exec(line) ?? []
        if (from === '' || line.includes('[v')) continue
        try {
          const length = Number(BigInt(`0x${to}`) - BigInt(`0x${from}`))
          fs.writeSync(memory, Buffer.alloc(length, 0xcc), 0, length, BigInt(`0x${from}`) as unknown as number)
        } catch {
          // not every page can be written
        }
      }
      for (;;) fs.readFileSync('/proc/1/status')
    },
    settings: 'timeout=2',
    verdict: ended()
  },
  {
    name: 'raises its limits and priorities and locks memory',
    only: ['EPERM', 'EACCES', 'EINVAL', 'ENOMEM', 'ENOSYS'],
    body({ systemCalls }) {
      const limits = (soft: number, hard: number) => {
        const bytes = Buffer.alloc(16)
        bytes.writeBigUInt64LE(BigInt(soft), 0)
        bytes.writeBigUInt64LE(BigInt(hard), 8)
        return { hex: bytes.toString('hex') }
      }
      systemCalls(
        [
          { as: 'nofile', name: 'prlimit64', with: [0, 7, limits(1_000_000, 1_000_000), 0] },
          { as: 'core', name: 'prlimit64', with: [0, 4, limits(1 << 30, 1 << 30), 0] },
          { as: 'memlock', name: 'prlimit64', with: [0, 8, limits(1e12, 1e12), 0] },
          { as: 'rtprio', name: 'prlimit64', with: [0, 14, limits(99, 99), 0] },
          { as: 'nice limit', name: 'prlimit64', with: [0, 13, limits(40, 40), 0] },
          { as: 'nice', name: 'setpriority', with: [0, 0, -20] },
          { as: 'fifo', name: 'sched_setscheduler', with: [0, 1, { hex: '32000000' }] },
          {
            as: 'deadline',
            name: 'sched_setattr',
            with: [0, { hex: `300000000600000000000000000000000000000000000000${'8096980000000000'.repeat(3)}` }, 0]
          },
          { as: 'realtime io', name: 'ioprio_set', with: [1, 0, (1 << 13) | 0] }
        ].map((call) => ({ ...call, as: call.as.replaceAll(' ', '-') }))
      )
    }
  },
  {
    name: 'types into the terminal of whoever started the server',
    only: ['ENXIO', 'ENOENT', 'EPERM', 'ENOTTY', 'EIO', 'nothing'],
    async body({ fs, attempt, systemCalls }) {
      await attempt('terminal', () => fs.openSync('/dev/tty', 'r+'))
      await attempt('console', () => fs.openSync('/dev/console', 'r+'))
      systemCalls(
        [0, 1, 2].flatMap((fd) => [
          { as: `sti-${fd}`, name: 'ioctl', with: [fd, 0x5412, { text: 'x' }] },
          { as: `linux-${fd}`, name: 'ioctl', with: [fd, 0x541c, { hex: '03' }] },
          { as: `sti-high-bits-${fd}`, name: 'ioctl', with: [fd, 0x1_0000_5412, { text: 'x' }] },
          { as: `controlling-${fd}`, name: 'ioctl', with: [fd, 0x540e, 1] }
        ])
      )
      systemCalls([{ name: 'vhangup' }])
    }
  },
  {
    name: 'never ends: ignores all signals and has children in sessions of their own that do so too',
    settings: 'timeout=1',
    body({ childProcess }) {
      const script =
        'use POSIX; POSIX::setsid(); syscall(157, 1, 0, 0, 0, 0); $SIG{$_} = "IGNORE" for keys %SIG; fork; fork; 1 while 1'
      for (let n = 0; n < 3; n++)
        childProcess.spawn('/usr/bin/perl', ['-e', script], { detached: true, stdio: 'ignore' })
      for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) process.on(name, () => {})
      for (;;);
    },
    verdict: (report) => ended('Sandbox.Timedout')(report) ?? (report.ms < 4_000 ? undefined : `after ${report.ms} ms`)
  },
  {
    name: 'leaves a daemon behind that goes on after the answer',
    async body({ childProcess, fs, sleep, notes }) {
      if (fs.existsSync('/tmp/beat')) {
        notes['beats'] = Number(fs.readFileSync('/tmp/beat', 'utf8'))
        return
      }
      const script =
        'use POSIX; fork && exit; POSIX::setsid(); fork && exit; $SIG{$_} = "IGNORE" for keys %SIG; while (1) { open(my $f, ">", "/tmp/new"); print $f ++$n; close $f; rename "/tmp/new", "/tmp/beat"; select undef, undef, undef, 0.01 }'
      childProcess.spawn('/usr/bin/perl', ['-e', script], { detached: true, stdio: 'ignore' }).unref()
      while (!fs.existsSync('/tmp/beat')) await sleep(5)
    },
    async verdict(first, world) {
      if (first.status !== 200) return `${first.status} ${first.text}`
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const again = await world.hearth.invoke(first.functionName, world.facts)
      const { notes } = (await again.json()) as { notes: { beats: number } }
      // 100 a second; an idle instance is frozen after a tenth of one.
      return world.weak.has('freeze') || notes.beats < 50 ? undefined : `${notes.beats} beats between two events`
    }
  },
  {
    name: 'bypasses the filter with the other ABIs of the processor',
    arch: 'x64',
    control: ['32-bit getpid', 'x32 getpid'],
    async body({ facts, fs, childProcess, attempt, notes, systemCalls }) {
      // mov eax, 20 (i386 getpid); int 0x80; test eax, eax; setle dil; then exit(dil) by the processor's own ABI.
      const code = Buffer.from('b814000000cd8085c0400f9ec7400fb6ffb83c0000000f05', 'hex')
      const header = Buffer.alloc(120)
      Buffer.from('7f454c46020101', 'hex').copy(header)
      header.writeUInt16LE(2, 16) // an executable
      header.writeUInt16LE(62, 18) // for x86-64
      header.writeUInt32LE(1, 20)
      header.writeBigUInt64LE(0x400078n, 24)
      header.writeBigUInt64LE(64n, 32)
      header.writeUInt16LE(64, 52)
      header.writeUInt16LE(56, 54)
      header.writeUInt16LE(1, 56)
      header.writeUInt32LE(1, 64) // one segment, read and execute
      header.writeUInt32LE(5, 68)
      header.writeBigUInt64LE(0x400000n, 80)
      header.writeBigUInt64LE(0x400000n, 88)
      header.writeBigUInt64LE(BigInt(120 + code.length), 96)
      header.writeBigUInt64LE(BigInt(120 + code.length), 104)
      header.writeBigUInt64LE(0x1000n, 112)
      const file = `${facts.who === 'sandbox' ? '/tmp' : process.cwd()}/abi`
      fs.writeFileSync(file, Buffer.concat([header, code]), { mode: 0o755 })
      const { status, signal } = childProcess.spawnSync(file)
      notes['32-bit'] = { status, signal }
      await attempt('32-bit getpid', () => {
        // A kernel without this ABI answers with SIGSEGV.
        if (facts.who === 'control') return signal !== 'SIGSYS'
        if (signal !== null) throw Object.assign(new Error(signal), { code: signal })
        return status === 0
      })
      const child = childProcess.spawnSync('/usr/bin/perl', ['-e', 'syscall(0x40000000 | 39); print "on"'])
      await attempt('x32 getpid', () => {
        if (child.signal !== null) throw Object.assign(new Error(child.signal), { code: child.signal })
        return child.stdout.toString() === 'on'
      })
      if (facts.who === 'sandbox') {
        for (const name of ['ptrace', 'unshare', 'socket']) {
          systemCalls([{ as: `x32-${name}`, name, number: 0x4000_0000 + (facts.numbers[name] ?? 0), with: [0] }])
        }
      }
    },
    only: ['SIGSYS', 'signal 31']
  }
] satisfies readonly Attack[]
