import type { Attack } from '../attack.ts'

/** What a sandbox refuses when a file is not there, not the sandbox's, or on a read-only mount. */
const HIDDEN = ['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'nothing']
const READ_ONLY = ['EROFS', 'EACCES', 'EPERM', 'ENOENT']

/** Files, mounts, devices and what /proc tells. */
export default [
  {
    name: 'reads password hashes, home folders and the data folder with all keys',
    only: HIDDEN,
    control: ['canary'],
    async body({ facts, fs, attempt }) {
      await attempt('canary', () => fs.readFileSync(facts.canary.file))
      await attempt('canary folder', () => fs.readdirSync(facts.canary.dir))
      for (const name of ['token', 'credentials', 'master.key', 'hearth.db']) {
        await attempt(name, () => fs.readFileSync(`${facts.dataDir}/${name}`))
      }
      for (const file of ['/etc/shadow', '/etc/gshadow', '/etc/machine-id', '/etc/hostname', '/run/docker.sock']) {
        await attempt(file, () => fs.statSync(file))
      }
      for (const folder of ['/root', '/home', '/var/lib', '/var/log', '/srv', '/mnt', '/boot', '/sys/kernel']) {
        await attempt(folder, () => fs.readdirSync(folder).length > 0)
      }
      await attempt('users', () => fs.readFileSync('/etc/passwd', 'utf8').split('\n').length > 3)
    }
  },
  {
    name: 'climbs out through /proc/*/root and /proc/*/cwd',
    only: HIDDEN,
    control: ['self root'],
    async body({ facts, fs, attempt }) {
      const { file } = facts.canary
      await attempt('self root', () => fs.readFileSync(`/proc/self/root${file}`))
      await attempt('init root', () => fs.readFileSync(`/proc/1/root${file}`))
      await attempt('init cwd', () => fs.readFileSync(`/proc/1/cwd/../../../../..${file}`))
      await attempt('canary root', () => fs.readFileSync(`/proc/${facts.canary.pid}/root${file}`))
      await attempt('init root shadow', () => fs.readFileSync('/proc/1/root/etc/shadow'))
    }
  },
  {
    name: 'climbs out with .. from open folders, through links and by a new working folder',
    only: HIDDEN,
    control: ['fchdir', 'link', 'dots'],
    async body({ facts, fs, attempt, perl }) {
      const { file } = facts.canary
      const up = '/..'.repeat(30)
      await attempt('dots', () => fs.readFileSync(`/usr/bin${up}${file}`))
      const folder = fs.openSync('/', 'r')
      await attempt('fchdir', () => {
        process.chdir(`/proc/self/fd/${folder}`)
        for (let n = 0; n < 30; n++) process.chdir('..')
        return fs.readFileSync(`.${file}`)
      })
      fs.closeSync(folder)
      const link = `${process.env['ATTACK'] === undefined ? facts.canary.dir : '/tmp'}/link-${process.pid}`
      fs.symlinkSync(file, link)
      await attempt('link', () => fs.readFileSync(link))
      fs.unlinkSync(link)
      await attempt('perl', () => perl('open(my $f, "<", $ARGV[0]) or exit; print <$f>', [file]))
    }
  },
  {
    name: 'reads the environment and command line of every process it sees',
    only: ['nothing'],
    control: ['settings'],
    async body({ facts, fs, attempt, notes }) {
      let seen = ''
      for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        for (const file of ['environ', 'cmdline']) {
          try {
            seen += `${fs.readFileSync(`/proc/${pid}/${file}`, 'utf8')}\n`
          } catch {
            // of another user
          }
        }
      }
      await attempt('settings', () => /HEARTH_/.test(seen))
      await attempt('data folder', () => seen.includes(facts.dataDir))
      await attempt(
        'environment of the first process',
        () => facts.who === 'sandbox' && fs.readFileSync('/proc/1/environ', 'utf8') !== ''
      )
      notes['seen'] = seen.slice(0, 2_000)
    }
  },
  {
    name: 'writes into the system, the runtime, its own code and the root folder',
    only: READ_ONLY,
    control: ['canary'],
    async body({ facts, fs, attempt }) {
      await attempt('canary', () => {
        fs.writeFileSync(`${facts.canary.dir}/written-by-${facts.who}`, 'x')
        return true
      })
      if (facts.who === 'control') return
      const folders =
        '/ /usr /usr/bin /etc /etc/ssl/certs /var/task /var/runtime /var/lang/bin /opt /run /dev /dev/pts /var /proc/pressure'
      for (const folder of folders.split(' ')) {
        await attempt(folder, () => {
          fs.writeFileSync(`${folder}/planted`, 'x')
          return true
        })
      }
      for (const file of [
        ...facts.files.map((name) => `/var/task/${name}`),
        '/var/runtime/bootstrap.cjs',
        '/var/lang/bin/node',
        '/etc/passwd',
        '/proc/meminfo'
      ]) {
        const change = (how: string, act: () => void) =>
          attempt(`${how} ${file}`, () => {
            act()
            return true
          })
        await change('open', () => fs.closeSync(fs.openSync(file, 'r+')))
        await change('chmod', () => fs.chmodSync(file, 0o4777))
        await change('unlink', () => fs.unlinkSync(file))
        await change('rename', () => fs.renameSync(file, `${file}.old`))
        await change('truncate', () => fs.truncateSync(file))
      }
    }
  },
  {
    name: 'turns the kernel’s knobs in /proc',
    only: ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'EIO', 'EINVAL'],
    async body({ fs, attempt }) {
      const knobs = {
        '/proc/sysrq-trigger': 'h',
        '/proc/sys/kernel/core_pattern': '|/tmp/x',
        '/proc/sys/kernel/modprobe': '/tmp/x',
        '/proc/sys/kernel/hostname': 'x',
        '/proc/sys/kernel/ns_last_pid': '5',
        '/proc/sys/vm/drop_caches': '1',
        '/proc/sys/vm/overcommit_memory': '1',
        '/proc/sys/net/ipv4/ip_forward': '1',
        '/proc/sys/user/max_user_namespaces': '1000',
        '/proc/sys/fs/binfmt_misc/register': ':x:M::x::/tmp/x:',
        '/proc/irq/default_smp_affinity': '1',
        '/proc/self/oom_score_adj': '-1000',
        '/proc/1/oom_score_adj': '-1000',
        '/proc/self/uid_map': '0 993 1',
        '/proc/self/loginuid': '0',
        '/proc/self/attr/current': 'unconfined'
      }
      for (const [file, value] of Object.entries(knobs)) {
        await attempt(file, () => {
          fs.writeFileSync(file, value)
          return true
        })
      }
    }
  },
  {
    name: 'reads what the kernel knows about the machine and other processes',
    only: HIDDEN,
    control: ['/proc/version', '/proc/loadavg'],
    async body({ fs, attempt }) {
      const files =
        'version loadavg kcore kmsg kallsyms keys key-users timer_list slabinfo vmallocinfo interrupts softirqs diskstats partitions swaps vmstat zoneinfo buddyinfo pagetypeinfo config.gz cmdline modules schedstat sched_debug pressure/cpu tty/driver/serial'
      for (const name of files.split(' ')) {
        await attempt(`/proc/${name}`, () => {
          const file = fs.openSync(`/proc/${name}`, 'r')
          try {
            return fs.readSync(file, Buffer.alloc(64)) > 0
          } finally {
            fs.closeSync(file)
          }
        })
      }
      for (const folder of ['/sys/class', '/sys/fs/cgroup', '/sys/kernel/debug', '/sys/firmware', '/dev/mapper']) {
        await attempt(folder, () => fs.readdirSync(folder).length > 0)
      }
    }
  },
  {
    name: 'opens devices',
    only: ['ENOENT', 'EACCES', 'EPERM', 'ENXIO', 'nothing'],
    control: ['further devices'],
    async body({ fs, attempt, notes }) {
      const usual = 'core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero console'.split(' ')
      const further = fs.readdirSync('/dev').filter((name) => !usual.includes(name))
      notes['further'] = further.slice(0, 50)
      await attempt('further devices', () => further.length > 0)
      for (const name of 'mem kmem port kmsg vda sda nvme0n1 fuse kvm net/tun vsock vhost-vsock loop-control loop0 dm-0 snapshot userfaultfd dri/card0 tty'.split(
        ' '
      )) {
        if (name === 'tty' && fs.existsSync('/sys/class')) continue
        await attempt(`/dev/${name}`, () => fs.openSync(`/dev/${name}`, 'r'))
      }
    }
  },
  {
    name: 'finds descriptors of the server in itself, its children and the first process',
    only: ['nothing', 'EACCES', 'ENOENT', 'EPERM', 'ENXIO'],
    async body({ facts, fs, attempt, perl, notes }) {
      const links = (pid: string) =>
        fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
          try {
            return [[Number(fd), fs.readlinkSync(`/proc/${pid}/fd/${fd}`)] as const]
          } catch {
            return []
          }
        })
      // Output, channel and progress page are the runtime's, facts come from who carries this; the rest are Node's own.
      const known = (fd: number, link: string) =>
        /^(\/dev\/null|anon_inode:\[event(fd|poll)\]|pipe:\[\d+\])$/.test(link) ||
        (fd >= (facts.files.includes('index.mjs') ? 1 : 0) && fd <= 3 && link.startsWith('socket:')) ||
        (fd === 4 && link.startsWith('/memfd:progress')) ||
        link === '/tmp/facts (deleted)' ||
        link === `/proc/${process.pid}/fd` ||
        link.startsWith('/proc/')
      for (const pid of ['self', '1']) {
        const unknown = links(pid).filter(([fd, link]) => !known(fd, link))
        notes[`of ${pid}`] = unknown
        await attempt(`of ${pid}`, () => unknown.length > 0)
      }
      const inherited = perl(
        'opendir(my $d, "/proc/self/fd"); print join(",", grep { /^\\d+$/ && $_ > 2 && -e "/proc/self/fd/$_" && readlink("/proc/self/fd/$_") !~ m{^/proc} } readdir $d)'
      )
      notes['inherited'] = inherited
      await attempt('in children', () => inherited !== '')
      await attempt('reopen the channel', () => fs.openSync('/proc/self/fd/3', 'r+'))
      await attempt('reopen the output', () => fs.openSync('/proc/1/fd/1', 'r+'))
      await attempt('reopen the first process’s own', () => fs.openSync('/proc/1/fd/9', 'r+') > 0 && false)
    }
  },
  {
    name: 'leaves a core dump',
    only: ['nothing', 'EPERM', 'EINVAL'],
    async body({ fs, attempt, childProcess, systemCalls }) {
      systemCalls([{ as: 'a-higher-limit', name: 'prlimit64', with: [0, 4, { hex: 'ffffff7f00000000'.repeat(2) }, 0] }])
      childProcess.spawnSync('/usr/bin/perl', ['-e', 'kill 11, $$'], { cwd: '/tmp' })
      await attempt('a core file', () => fs.readdirSync('/tmp').some((name) => name.startsWith('core')))
      await attempt(
        'a limit above one byte',
        () => !/^Max core file size\s+[01]\s+[01]\s/m.test(fs.readFileSync('/proc/self/limits', 'utf8'))
      )
    }
  }
] satisfies readonly Attack[]
