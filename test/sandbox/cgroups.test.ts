import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCgroupMounts, parseOwnCgroup } from '@hearth/sandbox/internal/cgroup-detect'
import { openCgroupV1 } from '@hearth/sandbox/internal/cgroup-v1'
import { openCgroupV2 } from '@hearth/sandbox/internal/cgroup-v2'
import { compileSeccomp } from '@hearth/sandbox/internal/seccomp'
import { architecture } from '@hearth/sandbox/internal/syscall-numbers'
import t from 'tap'

const LIMITS = { memoryBytes: 128 * 1024 * 1024, pids: 64 }

t.test('cgroup mounts are read from mountinfo, optional fields and all', async (t) => {
  const mounts = parseCgroupMounts(
    [
      '24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
      '35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime master:3 - cgroup cgroup rw,memory',
      '36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw'
    ].join('\n')
  )
  t.match(mounts, [
    { root: '/docker/abc', path: '/sys/fs/cgroup/memory', type: 'cgroup', options: ['rw', 'memory'], readOnly: false },
    { path: '/sys/fs/cgroup/cpu,cpuacct', options: ['rw', 'cpu', 'cpuacct'], readOnly: true },
    { path: '/sys/fs/cgroup/unified', type: 'cgroup2' }
  ])
  t.equal(
    parseOwnCgroup('4:memory:/agent/1\n1:cpu:/\n0::/system.slice/hearth.service\n'),
    '/system.slice/hearth.service'
  )
  t.equal(parseOwnCgroup('4:memory:/agent/1\n'), '/')
})

t.test('cgroup v2: the delegated cgroup is divided into the server and its sandboxes', async (t) => {
  const service = join(t.testdir({}), 'hearth.service')
  mkdirSync(service)
  const put = (file: string, text: string) => writeFileSync(join(service, file), text)
  put('cgroup.type', 'domain\n')
  put('cgroup.controllers', 'cpuset cpu io memory pids\n')
  put('cgroup.procs', '4242\n')
  put('cgroup.subtree_control', '')
  for (const file of ['cgroup.kill', 'cgroup.freeze', 'memory.peak', 'memory.swap.max', 'cgroup.subtree_control']) {
    mkdirSync(join(service, 'hearth-one'), { recursive: true })
    put(`hearth-one/${file}`, '')
  }
  const driver = openCgroupV2(service, 'one')
  const parent = join(service, 'hearth-one')
  t.equal(readFileSync(join(service, 'supervisor/cgroup.procs'), 'utf8'), '4242', 'no process beside limited children')
  t.equal(readFileSync(join(service, 'cgroup.subtree_control'), 'utf8'), '+memory +cpu +pids')
  t.equal(readFileSync(join(parent, 'cgroup.subtree_control'), 'utf8'), '+memory +cpu +pids')
  t.match(driver, { mode: 'v2', parents: [parent], mechanisms: { memory: String, kill: String, freeze: String } })
  t.same(driver.plan('s1', LIMITS), {
    folders: [join(parent, 's1')],
    limits: [
      [join(parent, 's1/memory.max'), '134217728'],
      [join(parent, 's1/memory.oom.group'), '1'],
      [join(parent, 's1/memory.swap.max'), '0'],
      [join(parent, 's1/pids.max'), '64'],
      [join(parent, 's1/cpu.weight'), '7']
    ],
    procs: [join(parent, 's1/cgroup.procs')],
    thaw: [],
    kill: [[join(parent, 's1/cgroup.kill'), '1']],
    stats: [join(parent, 's1/memory.events'), join(parent, 's1/memory.peak'), join(parent, 's1/cpu.stat')]
  })
  t.same(driver.cpuLimit('s1', 0.0723), [[join(parent, 's1/cpu.max'), '7230 100000']])
  t.same(driver.cpuLimit('s1', 0.0001), [[join(parent, 's1/cpu.max'), '1000 100000']], 'the least the kernel takes')
  t.same(driver.freeze('s1', true), [[join(parent, 's1/cgroup.freeze'), '1']])
  const events = 'low 0 high 0 max 12 oom 2 oom_kill 1 oom_group_kill 1 '
  const cpu = 'usage_usec 1500250 user_usec 1000000 system_usec 500250 nr_periods 0 '
  t.same(driver.outcome([events, '9000000 ', cpu]), { oomKills: 1, peakBytes: 9_000_000, cpuMs: 1_500.25 })
  t.same(
    driver.outcome(['', '']),
    { oomKills: 0, peakBytes: undefined, cpuMs: undefined },
    'older kernels have no memory.peak'
  )

  t.test("a second server started inside the first one's cgroup shares the same division", async (t) => {
    writeFileSync(join(service, 'cgroup.procs'), '')
    mkdirSync(join(service, 'hearth-two'))
    writeFileSync(join(service, 'hearth-two/cgroup.subtree_control'), '')
    const second = openCgroupV2(join(service, 'supervisor'), 'two')
    t.same(second.parents, [join(service, 'hearth-two')])
  })
  t.test('a cgroup without the controllers is refused by name', async (t) => {
    put('cgroup.controllers', 'cpuset pids\n')
    t.throws(() => openCgroupV2(service, 'one'), /memory, cpu/)
  })
})

t.test('cgroup v1: without the unified hierarchy the freezer is used and thawed before a kill', async (t) => {
  const root = t.testdir({ memory: {}, pids: {}, freezer: {} })
  const mounts = { memory: join(root, 'memory'), pids: join(root, 'pids'), freezer: join(root, 'freezer') }
  const driver = openCgroupV1(mounts, 'one')
  t.match(driver, { mode: 'v1', mechanisms: { freeze: /v1/, kill: undefined, cpu: undefined, swap: undefined } })
  const frozen = join(root, 'freezer/hearth-one/s1/freezer.state')
  t.same(driver.freeze('s1', true), [[frozen, 'FROZEN']])
  const plan = driver.plan('s1', LIMITS)
  t.same(plan.thaw, [[frozen, 'THAWED']])
  t.same(plan.kill, [])
  t.equal(plan.folders.length, 3)
  t.same(driver.cpuLimit('s1', 1), [])
  t.same(driver.outcome(['oom_kill_disable 0 under_oom 0 oom_kill 3 ', '77 ']), {
    oomKills: 3,
    peakBytes: 77,
    cpuMs: undefined
  })
  t.notOk(existsSync(join(root, 'cpu')))
  mkdirSync(join(root, 'cpu,cpuacct/hearth-one'), { recursive: true })
  writeFileSync(join(root, 'cpu,cpuacct/hearth-one/cpuacct.usage'), '0\n')
  const timed = openCgroupV1({ cpu: join(root, 'cpu,cpuacct') }, 'one')
  t.same(timed.plan('s1', LIMITS).stats, [join(root, 'cpu,cpuacct/hearth-one/s1/cpuacct.usage')])
  t.match(timed.outcome(['2500000 ']), { oomKills: 0, peakBytes: undefined, cpuMs: 2.5 }, 'ns')
  t.throws(() => openCgroupV1({ memory: '/proc/no/such' }, 'one'), /memory ENOENT/)
})

t.test('the filter compiles for every architecture, and each jump stays inside it', async (t) => {
  for (const arch of ['x64', 'arm64']) {
    const { audit, numbers } = architecture(arch)
    const program = compileSeccomp(architecture(arch))
    const length = program.length / 8
    const verdict = (number: number, arg0 = 0, arg1 = 0) => simulate(program, { number, audit, arg0, arg1 })
    const named = (name: string, arg0 = 0, arg1 = 0) => verdict(numbers.get(name) ?? -1, arg0, arg1)
    t.ok(length > 100 && length < 4096, `${arch}: ${length} instructions`)
    for (let number = 0; number < 600; number++) verdict(number)
    t.equal(named('read'), ALLOW)
    t.equal(named('execve'), ALLOW)
    t.equal(named('mount'), errno(1))
    t.equal(named('ptrace'), errno(1))
    t.equal(named('clone3'), errno(38))
    t.equal(named('clone', 0x01200011), ALLOW, 'fork')
    t.equal(named('clone', 0x003d0f00), ALLOW, 'a thread')
    t.equal(named('clone', 0x10000011), errno(1), 'a user namespace')
    t.equal(named('socket', 2), ALLOW)
    t.equal(named('socket', 40), errno(97), 'vsock')
    t.equal(named('ioctl', 0, 0x5413), ALLOW)
    t.equal(named('ioctl', 0, 0x5412), errno(1), 'TIOCSTI')
    t.equal(verdict(0xffff_fff), errno(38))
    t.equal(simulate(program, { number: 0, audit: 0x40000003, arg0: 0, arg1: 0 }), 0x80000000, 'another ABI')
  }
  t.throws(() => architecture('riscv64'), /riscv64/)
})

const ALLOW = 0x7fff0000
const errno = (n: number) => 0x00050000 | n

/** Runs a classic BPF program as the kernel would, for the instructions that filters use. */
function simulate(program: Buffer, call: { number: number; audit: number; arg0: number; arg1: number }): number {
  const data = new Map([
    [0, call.number],
    [4, call.audit],
    [16, call.arg0],
    [24, call.arg1]
  ])
  let accumulator = 0
  for (let at = 0, steps = 0; steps < 5000; steps++) {
    if (at < 0 || at * 8 >= program.length) throw new Error(`jump out of the program: ${at}`)
    const code = program.readUInt16LE(at * 8)
    const onTrue = program.readUInt8(at * 8 + 2)
    const onFalse = program.readUInt8(at * 8 + 3)
    const k = program.readUInt32LE(at * 8 + 4)
    at++
    if (code === 0x06) return k
    if (code === 0x20) accumulator = data.get(k) ?? Number.NaN
    else if (code === 0x05) at += k
    else if (code === 0x15) at += accumulator === k ? onTrue : onFalse
    else if (code === 0x35) at += accumulator >= k ? onTrue : onFalse
    else if (code === 0x45) at += (accumulator & k) !== 0 ? onTrue : onFalse
    else throw new Error(`unknown instruction ${code}`)
  }
  throw new Error('no end')
}
