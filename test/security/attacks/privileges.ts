import type { Attack } from '../attack.ts'
import type { SystemCall } from '../kit.ts'

const REFUSED = ['EPERM', 'ENOSYS']
const NAMESPACES = {
  user: 0x10000000,
  mount: 0x20000,
  pid: 0x20000000,
  net: 0x40000000,
  ipc: 0x8000000,
  uts: 0x4000000,
  cgroup: 0x2000000,
  time: 0x80
}

/** An attack that is nothing but bare system calls. */
function calls(name: string, list: readonly SystemCall[], only: readonly string[] = REFUSED): Attack {
  const control = list.filter((call) => call.control === true).map((call) => call.as ?? call.name)
  const body = `(kit) => kit.systemCalls(${JSON.stringify(list)})`
  return { name, body, only, ...(control.length > 0 ? { control, controlAsRoot: true as const } : {}) }
}

/** Rights, namespaces, and the system calls that a kernel is broken with. */
export default [
  {
    name: 'runs setuid programs, with and without a library of its own preloaded',
    only: ['nothing', 'ENOENT', '1', 'EPERM', 'EACCES'],
    control: ['su'],
    controlAsRoot: true,
    async body({ facts, fs, childProcess, attempt }) {
      const run = (file: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
        childProcess
          .spawnSync(file, args, { env: { ...process.env, ...env }, timeout: 3_000, input: '\n' })
          .stdout.toString()
          .trim()
      await attempt('su', () => run('/usr/bin/su', ['-c', 'id -u']) === '0')
      if (facts.who === 'control') return
      for (const folder of ['/usr/bin', '/usr/sbin']) {
        for (const name of fs.readdirSync(folder)) {
          let mode = 0
          try {
            mode = fs.statSync(`${folder}/${name}`).mode
          } catch {
            continue
          }
          if ((mode & 0o6000) === 0) continue
          const child = childProcess.spawn(`${folder}/${name}`, ['--help'], {
            stdio: 'ignore',
            env: { LD_PRELOAD: '/tmp/none.so' }
          })
          child.on('error', () => {})
          await attempt(`ids of ${name}`, () =>
            / 0\b/.test(/^Uid:.*$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[0] ?? '')
          )
          child.kill('SIGKILL')
        }
      }
    }
  },
  {
    name: 'becomes root, takes capabilities, and makes setuid files of its own',
    only: ['EPERM', 'EINVAL', 'nothing', 'ENOSYS'],
    async body({ fs, attempt, systemCalls, perl, childProcess }) {
      const header = { hex: '2205200800000000' } // _LINUX_CAPABILITY_VERSION_3, this process
      const all = { hex: `${'ffffffff'.repeat(2)}00000000${'ffffffff'.repeat(2)}00000000` }
      systemCalls([
        { name: 'setuid', with: [0] },
        { name: 'setresuid', with: [0, 0, 0] },
        { name: 'setgid', with: [0] },
        { name: 'setgroups', with: [1, { hex: '00000000' }] },
        { name: 'capset', with: [header, all] },
        { as: 'ambient', name: 'prctl', with: [47, 2, 21, 0, 0] },
        { as: 'securebits', name: 'prctl', with: [28, 0x2f, 0, 0, 0] },
        { as: 'new-privileges', name: 'prctl', with: [38, 0, 0, 0, 0] },
        { as: 'no-seccomp', name: 'seccomp', with: [0, 1, 0] }
      ])
      await attempt('perl as root', () => perl('$< = $> = 0; print "$<$>"') === '00')
      const status = fs.readFileSync('/proc/self/status', 'utf8')
      await attempt('capabilities', () => /^Cap(Inh|Prm|Eff|Amb):\s+(?!0+$)/m.test(status))
      await attempt('privileges by exec', () => !/^NoNewPrivs:\s+1$/m.test(status) || !/^Seccomp:\s+2$/m.test(status))
      fs.copyFileSync('/usr/bin/id', '/tmp/id')
      fs.chmodSync('/tmp/id', 0o6755)
      await attempt('chown to root', () => perl('print chown(0, 0, "/tmp/id")') === '1')
      await attempt('setuid copy', () => childProcess.execFileSync('/tmp/id', ['-u']).toString().trim() === '0')
    }
  },
  calls('mounts, remounts, unmounts and changes its root with the old calls', [
    { name: 'mount', with: [{ text: 'none' }, { text: '/tmp' }, { text: 'tmpfs' }, 0, 0] },
    { as: 'remount', name: 'mount', with: [{ text: 'none' }, { text: '/usr' }, { text: '' }, 0x1020, 0] },
    { as: 'bind', name: 'mount', with: [{ text: '/' }, { text: '/tmp' }, { text: '' }, 0x1000, 0] },
    { as: 'proc', name: 'mount', with: [{ text: 'proc' }, { text: '/tmp' }, { text: 'proc' }, 0, 0] },
    { name: 'umount2', with: [{ text: '/proc/meminfo' }, 2] },
    { name: 'pivot_root', with: [{ text: '/tmp' }, { text: '/tmp' }] },
    { name: 'chroot', with: [{ text: '/' }], control: true }
  ]),
  calls('mounts with the new calls', [
    { name: 'fsopen', with: [{ text: 'tmpfs' }, 0], control: true },
    { as: 'fsopen-proc', name: 'fsopen', with: [{ text: 'proc' }, 0] },
    { name: 'fsconfig', with: [3, 6, 0, 0, 0] },
    { name: 'fsmount', with: [3, 0, 0] },
    { name: 'fspick', with: [-100, { text: '/usr' }, 0] },
    { name: 'open_tree', with: [-100, { text: '/usr' }, 1], control: true },
    { name: 'move_mount', with: [3, { text: '' }, -100, { text: '/tmp' }, 4] },
    { name: 'mount_setattr', with: [-100, { text: '/usr' }, 0, { room: 32 }, 32] },
    { name: 'statmount', number: 457, with: [{ room: 32 }, { room: 512 }, 512, 0] },
    { name: 'listmount', number: 458, with: [{ room: 32 }, { room: 512 }, 8, 0] },
    { name: 'open_tree_attr', number: 467, with: [-100, { text: '/usr' }, 1, 0, 0] }
  ]),
  calls('makes and enters namespaces', [
    ...Object.entries(NAMESPACES).map(
      ([kind, flag]): SystemCall => ({
        as: `unshare-${kind}`,
        name: 'unshare',
        with: [flag],
        ...(kind === 'time' ? {} : { control: true as const })
      })
    ),
    ...Object.entries(NAMESPACES)
      .filter(([kind]) => kind !== 'time')
      .map(
        ([kind, flag]): SystemCall => ({
          as: `clone-${kind}`,
          name: 'clone',
          with: [flag | 17, 0, 0, 0, 0],
          ...(kind === 'uts' ? { control: true as const } : {})
        })
      ),
    {
      as: 'clone3-user',
      name: 'clone3',
      with: [{ hex: `0000001000000000${'00'.repeat(24)}1100000000000000${'00'.repeat(48)}` }, 88]
    },
    { name: 'setns', with: [0, 0] },
    { as: 'setns-pidfd', name: 'setns', with: [3, 0x7e020000] }
  ]),
  {
    name: 'uses the tools of the system for namespaces and mounts',
    only: ['nothing', 'ENOENT'],
    control: ['unshare'],
    controlAsRoot: true,
    async body({ facts, attempt, childProcess }) {
      const commands = {
        unshare: 'unshare --user --map-root-user /usr/bin/true',
        nsenter: 'nsenter --target 1 --mount /usr/bin/true',
        ...(facts.who === 'control'
          ? {}
          : {
              'unshare mount': 'unshare --mount /usr/bin/true',
              mount: 'mount -t tmpfs none /tmp',
              remount: 'mount -o remount,rw /',
              umount: 'umount -l /proc/meminfo',
              bwrap: 'bwrap --unshare-user --ro-bind / / /usr/bin/true',
              chroot: 'chroot / /usr/bin/true',
              'ip link': 'ip link add dummy0 type dummy',
              'ip addr': 'ip addr add 10.99.0.1/24 dev lo',
              'ip route': 'ip route add default via 127.0.0.1',
              nft: 'nft add table inet x',
              iptables: 'iptables -L',
              sysctl: 'sysctl -w kernel.hostname=x',
              dmesg: 'dmesg',
              mknod: 'mknod /tmp/disk b 254 0',
              reboot: 'reboot -f'
            })
      }
      for (const [name, command] of Object.entries(commands)) {
        const [file = '', ...args] = command.split(' ')
        const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
        await attempt(
          name,
          () => childProcess.spawnSync(file, args, { env, timeout: 3_000, stdio: 'ignore' }).status === 0
        )
      }
    }
  },
  calls('makes device files', [
    { as: 'mknod-disk', name: 'mknod', with: [{ text: '/tmp/disk' }, 0o60666, 0xfe00] },
    { as: 'mknodat-memory', name: 'mknodat', with: [-100, { text: '/tmp/memory' }, 0o20666, 0x101] },
    { as: 'mknod-null', name: 'mknod', with: [{ text: '/tmp/null' }, 0o20666, 0x103] }
  ]),
  calls(
    'opens sockets that speak to hardware, the hypervisor and the kernel’s lesser known parts',
    [
      { as: 'packet', name: 'socket', with: [17, 3, 0x300], control: true },
      { as: 'raw', name: 'socket', with: [2, 3, 1], control: true },
      { as: 'raw-six', name: 'socket', with: [10, 3, 58] },
      { as: 'raw-all', name: 'socket', with: [2, 3, 255] },
      ...Object.entries({
        appletalk: 5,
        ax25: 3,
        ipx: 4,
        x25: 9,
        key: 15,
        pppox: 24,
        can: 29,
        tipc: 30,
        bluetooth: 31,
        rxrpc: 33,
        phonet: 35,
        alg: 38,
        nfc: 39,
        vsock: 40,
        kcm: 41,
        smc: 43,
        xdp: 44,
        rds: 21,
        llc: 26,
        mctp: 45
      }).map(
        ([as, family]): SystemCall => ({ as, name: 'socket', with: [family, as === 'alg' || as === 'tipc' ? 5 : 1, 0] })
      ),
      { as: 'alg-high-bits', name: 'socket', with: [0x1_0000_0026, 5, 0] },
      { as: 'pair-tipc', name: 'socketpair', with: [30, 5, 0, { room: 8 }] }
    ],
    ['EPERM', 'ENOSYS', 'EAFNOSUPPORT', 'EACCES']
  ),
  {
    name: 'changes the network through netlink',
    only: ['EPERM', 'EPROTONOSUPPORT', 'EACCES', 'ECONNREFUSED'],
    async body({ attempt, perl }) {
      // One message and its acknowledgement: struct nlmsgerr after a header of 16 bytes.
      const script =
        'use Socket; socket(my $s, 16, 3, $ARGV[0]) or do { print -($!+0); exit }; my $body = pack("H*", $ARGV[2]); send($s, pack("LSSLL", 16 + length $body, $ARGV[1], 5 | 0x600, 1, 0) . $body, 0) or do { print -($!+0); exit }; recv($s, my $answer, 4096, 0); print unpack("l", substr($answer, 16, 4))'
      const messages = {
        'new link': ['0', '16', `${'00'.repeat(16)}0e000300${Buffer.from('dummy0').toString('hex')}000000000000`],
        'new address': ['0', '20', '021800000100000008000100 0a630001'.replace(' ', '')],
        'new route': ['0', '24', '02000000fe030001 00000000'.replace(' ', '')],
        'link up': ['0', '16', `0000000001000000 0100000001000000`.replace(' ', '')],
        'packet filter': ['12', String((10 << 8) | 0), '01000000']
      }
      for (const [name, args] of Object.entries(messages)) {
        await attempt(name, () => {
          const errno = -Number(perl(script, args))
          if (errno === 0) return true
          const code = { 1: 'EPERM', 13: 'EACCES', 93: 'EPROTONOSUPPORT', 111: 'ECONNREFUSED' }[errno]
          throw Object.assign(new Error(String(errno)), { code: code ?? `errno ${errno}` })
        })
      }
    }
  },
  calls('reaches for keys, tracing, BPF, io_uring and userfaultfd', [
    { as: 'keyctl', name: 'keyctl', with: [0, -3, 0], control: true },
    { name: 'add_key', with: [{ text: 'user' }, { text: 'k' }, { text: 'v' }, 1, -3] },
    { name: 'request_key', with: [{ text: 'user' }, { text: 'k' }, 0, 0] },
    { name: 'io_uring_setup', with: [4, { room: 120 }], control: true },
    { name: 'io_uring_enter', with: [3, 0, 0, 0, 0, 0] },
    { name: 'io_uring_register', with: [3, 0, 0, 0] },
    { as: 'bpf-map', name: 'bpf', with: [0, { hex: `0200000004000000080000000100000${'0'.repeat(200)}` }, 72] },
    { name: 'perf_event_open', with: [{ room: 112 }, 0, -1, -1, 0] },
    { name: 'userfaultfd', with: [1], control: true },
    { name: 'memfd_secret', with: [0] },
    { name: 'process_mrelease', number: 448, with: [3, 0] },
    { name: 'cachestat', number: 451, with: [0, { room: 16 }, { room: 40 }, 0] },
    { name: 'lsm_list_modules', number: 461, with: [{ room: 64 }, { room: 8 }, 0] }
  ]),
  calls('loads code into the kernel, stops the machine, and sets its name and time', [
    { name: 'init_module', with: [{ room: 8 }, 8, { text: '' }] },
    { name: 'finit_module', with: [0, { text: '' }, 0] },
    { name: 'delete_module', with: [{ text: 'none' }, 0] },
    { name: 'kexec_load', with: [0, 0, 0, 0] },
    { name: 'kexec_file_load', with: [-1, -1, 0, 0, 0] },
    // Wrong magic numbers: nothing happens where nothing stops it.
    { name: 'reboot', with: [0, 0, 0, 0] },
    { name: 'swapon', with: [{ text: '/tmp/none' }, 0] },
    { name: 'swapoff', with: [{ text: '/tmp/none' }] },
    { name: 'sethostname', with: [{ text: 'x' }, 1] },
    { name: 'setdomainname', with: [{ text: 'x' }, 1] },
    { name: 'settimeofday', with: [0, { room: 8 }] },
    { name: 'clock_settime', with: [0, { room: 16 }] },
    { name: 'adjtimex', with: [{ hex: `01000000${'00'.repeat(204)}` }] },
    { name: 'acct', with: [{ text: '/tmp/none' }] },
    { name: 'quotactl', with: [0, 0, 0, 0] },
    { name: 'sync', control: true },
    { name: 'syncfs', with: [0] },
    { name: 'syslog', with: [10, 0, 0], control: true },
    { name: 'iopl', with: [3] },
    { name: 'ioperm', with: [0x80, 1, 1] }
  ]),
  calls('uses calls that undo protections or see other sandboxes', [
    { as: 'personality', name: 'personality', with: [0x0040000], control: true },
    { as: 'personality-read', name: 'personality', with: [0xffffffff] },
    {
      name: 'name_to_handle_at',
      with: [-100, { text: '/usr' }, { hex: `80000000${'00'.repeat(140)}` }, { room: 8 }, 0],
      control: true
    },
    { name: 'open_by_handle_at', with: [0, { hex: `08000000010000000200000000000000${'00'.repeat(16)}` }, 0] },
    { name: 'inotify_init', control: true },
    { name: 'inotify_init1', with: [0], control: true },
    { name: 'inotify_add_watch', with: [3, { text: '/usr' }, 0x20] },
    { name: 'fanotify_init', with: [0, 0] },
    { name: 'fanotify_mark', with: [3, 1, 0x20, -100, { text: '/usr' }] },
    { name: 'mq_open', with: [{ text: 'queue' }, 0o102, 0o600, 0], control: true },
    { name: 'mq_unlink', with: [{ text: 'queue' }], control: true },
    { name: 'modify_ldt', with: [0, { room: 16 }, 16] },
    { name: 'move_pages', with: [0, 0, 0, 0, 0, 0] },
    { name: 'vmsplice', with: [1, 0, 0, 0] },
    { name: 'lookup_dcookie', with: [0, 0, 0] },
    { name: 'ustat', with: [1, { room: 32 }] },
    { name: 'uselib', with: [{ text: '/usr/lib' }] },
    { name: 'sysfs', with: [3] },
    { name: 'pidfd_getfd', with: [3, 0, 0] },
    { name: 'set_mempolicy_home_node', number: 450, with: [0, 0, 0, 0] }
  ])
] satisfies readonly Attack[]
