import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isRoot, listen, openHost, perl, run } from './open-host.ts'

const MIB = 1024 * 1024

/** Writes `mib` MiB to a file and says how many got there. */
const fill = (file: string, mib: number) =>
  `open(my $f, '>', '${file}') or print "$!\\n"; my $n = 0; $n++ while $n < ${mib} && (syswrite($f, "x" x ${MIB}) // 0) == ${MIB}; print "wrote $n\\n";`

const loops = () =>
  readFileSync('/proc/partitions', 'utf8')
    .split('\n')
    .filter((line) => / loop\d+$/.test(line) && !/^\s*\d+\s+\d+\s+0 /.test(line)).length

t.test('with a disk for it, /tmp is not memory of the function', { skip: !isRoot && 'needs root' }, async (t) => {
  const file = join(t.testdir(), 'tmp.img')
  const host = await openHost(t, { tmpDisk: { file, mib: 256 } })
  t.match(
    host.features.find(({ feature }) => feature === 'tmp-size'),
    { how: 'ext4 image per sandbox, 256 MiB for all', enforced: true }
  )
  t.notOk(existsSync(file), 'the image has no name, so that nothing is left of it')

  const { output, exit } = await run(host, perl(fill('/tmp/big', 100), { memoryMiB: 32, tmpMiB: 128 }))
  t.match(output, /^wrote 100$/m, 'three times its memory')
  t.equal(exit.oomKills, 0)

  t.test('it holds what was asked for and not much more', async (t) => {
    const { output } = await run(host, perl(fill('/tmp/big', 100), { tmpMiB: 16 }))
    const wrote = Number(/^wrote (\d+)$/m.exec(output)?.[1])
    t.ok(wrote >= 16 && wrote <= 20, `${wrote} MiB of 16`)
  })

  t.test('inodes are bounded', async (t) => {
    const script = `my $n = 0; $n++ while $n < 20000 && open(my $f, '>', "/tmp/$n"); print "made $n\\n";`
    const { output } = await run(host, perl(script, { tmpMiB: 16 }))
    const made = Number(/^made (\d+)$/m.exec(output)?.[1])
    t.ok(made > 500 && made <= 1024, `${made} files`)
  })

  t.test('each sandbox has its own, empty, for everybody in it, without set-uid and devices', async (t) => {
    const script = `
      opendir(my $d, '/tmp'); print 'found ', join(',', grep { !/^\\.\\.?$/ } readdir $d), "\\n";
      printf "mode %o\\n", (stat '/tmp')[2] & 07777;
      open(my $m, '<', '/proc/self/mountinfo'); m{ /tmp (\\S+) } and print "options $1\\n" while <$m>;
      open(my $f, '>', '/tmp/mine'); print "owner ", (stat '/tmp/mine')[4], "\\n";`
    for (const time of ['first', 'second']) {
      const { output } = await run(host, perl(script))
      t.match(output, /^found $/m, time)
      t.match(output, /^mode 1777$/m)
      t.match(output, /^options rw,nosuid,nodev/m)
      t.match(output, /^owner 993$/m)
    }
  })

  t.test('all together fill no more than the disk given; who comes late gets memory; all is free again', async (t) => {
    const fsync = process.arch === 'arm64' ? 82 : 74
    const filling = `${fill('/tmp/big', 110)} print 'sync ', syscall(${fsync}, fileno $f) == 0 ? 'ok' : 'failed', "\\ndone\\n"; sleep 60`
    const sandboxes = await Promise.all([0, 1, 2].map(() => host.start(perl(filling, { tmpMiB: 128 }))))
    const outputs = await Promise.all(sandboxes.map((sandbox) => listen(sandbox).says('done')))
    const stored = outputs.filter((output) => output.includes('wrote 110\nsync ok')).length
    t.ok(stored < 3, `three times 110 MiB do not fit on 256: ${stored} did`)
    const script = `${fill('/tmp/big', 20)} open(my $m, '<', '/proc/self/mountinfo'); m{ /tmp .* - (\\w+)} and print "on $1\\n" while <$m>;`
    t.match((await run(host, perl(script, { tmpMiB: 16 }))).output, /^wrote 16\non tmpfs$/m)
    const before = loops()
    for (const sandbox of sandboxes) sandbox.kill()
    await Promise.all(sandboxes.map(({ exited }) => exited))
    for (const sandbox of sandboxes) sandbox.channel.destroy()
    t.ok(loops() <= before - 3, 'loop devices are given back')
    const next = await host.start(perl(filling, { tmpMiB: 128 }))
    t.match(await listen(next).says('done'), /^wrote 110\nsync ok$/m)
    next.kill()
    await next.exited
    next.channel.destroy()
  })
})

t.test(
  'where there is no disk for it, /tmp is a tmpfs and the log says so',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const warnings: string[] = []
    const host = await openHost(t, {
      tmpDisk: { file: '/proc/no/such/folder/tmp.img', mib: 256 },
      log: (level, message) => void (level === 'warn' && warnings.push(message))
    })
    t.match(warnings, [/\/tmp of functions is memory/])
    t.match((await run(host, perl(fill('/tmp/big', 100), { tmpMiB: 4 }))).output, /^wrote 4$/m)
  }
)
