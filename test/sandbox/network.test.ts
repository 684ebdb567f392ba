import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freshServerId, isRoot } from './open-host.ts'

if (!isRoot) {
  t.pass('only root can make network interfaces')
  process.exit()
}

/**
 * Runs in a network namespace of its own, so that this machine's network is not touched: `inet` stands for the
 * internet beyond the default route, this namespace for the machine that Hearth runs on.
 */
const SETUP = `
  set -e
  echo 0 > /proc/sys/net/ipv4/ip_forward
  mount -t tmpfs none /run
  mkdir -p /run/netns
  ip link set lo up
  ip netns add inet
  ip link add up0 type veth peer name eth0 netns inet
  ip addr add 192.0.2.2/24 dev up0
  ip link set up0 up
  for address in 192.0.2.1/24 203.0.113.10/32 10.1.2.3/32 169.254.169.254/32; do ip -n inet addr add $address dev eth0; done
  ip -n inet link set eth0 up
  ip -n inet link set lo up
  ip route add default via 192.0.2.1
  exec "$@"`

const PROGRAM = `
  import { spawn } from 'node:child_process'
  import { readFileSync } from 'node:fs'
  import { createServer } from 'node:net'
  import { openSandboxHost } from '@hearth/sandbox'
  const [runDir, serverId] = process.argv.slice(1)
  const tell = (name, value) => console.log(JSON.stringify({ [name]: value }))
  const serve = (port, host) => new Promise((resolve) => createServer((s) => s.end('machine ' + s.remoteAddress)).listen(port, host, resolve))
  const server = "const net = require('net'); for (const port of [80, 25, 53]) net.createServer((s) => { s.on('error', () => {}); s.write('inet ' + s.remoteAddress); setTimeout(() => s.end(), 30000) }).listen(port, '0.0.0.0'); setTimeout(() => console.log('up'), 50)"
  const inet = spawn('ip', ['netns', 'exec', 'inet', process.execPath, '-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.on('exit', () => inet.kill('SIGKILL'))
  await new Promise((resolve) => inet.stdout.once('data', resolve))
  await serve(8080, '0.0.0.0')
  await serve(9090, '127.0.0.1')
  createServer((s) => s.end('abstract')).listen('\\0abstract-of-the-machine')
  const host = await openSandboxHost({ runDir, serverId, isolation: 'strict', networks: ['none', 'internet'], dns: ['192.0.2.53', '192.0.2.54'], log: (level, message) => tell('log', message) })
  tell('feature', host.features.find(({ feature }) => feature === 'network-internet'))
  const start = async (script, network = 'internet') => {
    const sandbox = await host.start({ command: ['/usr/bin/perl', '-e', script], env: {}, mounts: [], memoryMiB: 64, tmpMiB: 1, pids: 16, network })
    let output = ''
    sandbox.output.setEncoding('utf8').on('data', (text) => { output += text }).resume()
    sandbox.channel.resume()
    return { sandbox, output: () => output }
  }
  const run = async (script, network) => {
    const { sandbox, output } = await start(script, network)
    await sandbox.exited
    await new Promise((resolve) => (sandbox.output.destroyed ? resolve() : sandbox.output.once('close', resolve)))
    return output()
  }
  const neighbour = await start('use Socket; socket(my $l, AF_INET, SOCK_STREAM, 0); bind($l, pack_sockaddr_in(7070, INADDR_ANY)); listen($l, 5); while (accept(my $c, $l)) { syswrite $c, "neighbour"; close $c }')
  const TRY = 'use Socket; sub try { my ($ip, $port) = @_; socket(my $s, AF_INET, SOCK_STREAM, 0); $SIG{ALRM} = sub { die "timeout" }; my $said = eval { ualarm(); connect($s, pack_sockaddr_in($port, inet_aton($ip))) or die "refused"; sysread($s, my $x, 100); alarm 0; $x } // "blocked"; alarm 0; print "$ip:$port $said\\\\n" } sub ualarm { my $t = pack("qqqq", 0, 0, 0, 400000); syscall(38, 0, $t, 0) }'
  const targets = [['203.0.113.10', 80], ['203.0.113.10', 25], ['192.0.2.1', 53], ['192.0.2.2', 8080], ['127.0.0.1', 9090], ['10.1.2.3', 80], ['169.254.169.254', 80]]
  const gateway = 'open(my $r, "<", "/proc/net/route"); while (<$r>) { my @f = split; $gw = join ".", reverse unpack "C4", pack "H8", $f[2] if $f[1] eq "00000000" } my @n = split /[.]/, $gw; '
  tell('internet', await run(TRY + gateway + targets.map(([ip, port]) => 'try("' + ip + '", ' + port + ');').join(' ') + ' print "gateway "; try($gw, 8080); for my $step (-4, 4, 8) { print "neighbour "; try(join(".", @n[0..2], ($n[3] + 1 + $step) & 255), 7070) } socket(my $u, AF_UNIX, SOCK_STREAM, 0); print "abstract ", connect($u, pack("S a*", 1, "\\\\0abstract-of-the-machine")) ? "reached" : "blocked", "\\\\n"; open(my $d, "<", "/etc/resolv.conf"); print "resolv ", join(" ", map { chomp; $_ } <$d>), "\\\\n";'))
  tell('none', await run(TRY + targets.map(([ip, port]) => 'try("' + ip + '", ' + port + ');').join(' '), 'none'))
  tell('flood', await run('use Socket; my @s; for (1 .. 400) { socket(my $s, AF_INET, SOCK_STREAM, 0); fcntl($s, 4, 2048); connect($s, pack_sockaddr_in(80, inet_aton("203.0.113.10"))); push @s, $s } select(undef, undef, undef, 0.7); my $n = grep { getpeername($_) } @s; print $n'))
  neighbour.sandbox.kill()
  await neighbour.sandbox.exited
  await host.close()
  const left = await new Promise((resolve) => { const c = spawn('sh', ['-c', 'nft list tables; ip -o link']); let text = ''; c.stdout.on('data', (d) => { text += d }); c.on('close', () => resolve(text)) })
  tell('left', left)
  tell('forwarding', readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim())
  process.exit(0)`

t.test('network policies', { timeout: 60_000 }, async (t) => {
  const runDir = mkdtempSync(join(tmpdir(), 'hs-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const command = [
    '--net',
    '--mount',
    '--propagation',
    'slave',
    'sh',
    '-c',
    SETUP,
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    PROGRAM,
    runDir,
    freshServerId()
  ]
  const child = spawn('unshare', command, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  t.equal(await new Promise((resolve) => child.once('close', resolve)), 0, errors)
  const found = Object.assign(
    {},
    ...output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
  ) as Record<string, string>

  t.match(found['feature'], { enforced: true })
  const internet = found['internet'] ?? ''
  t.match(internet, /^203.0.113.10:80 inet 192.0.2.2$/m, "public addresses are reached, behind this machine's address")
  t.match(internet, /^192.0.2.1:53 inet /m)
  for (const target of ['203.0.113.10:25', '192.0.2.2:8080', '127.0.0.1:9090', '10.1.2.3:80', '169.254.169.254:80']) {
    t.match(internet, new RegExp(`^${target} blocked$`, 'm'), target)
  }
  t.match(internet, /^gateway .* blocked$/m, 'the machine at the other end of the link')
  t.equal(internet.match(/^neighbour .* blocked$/gm)?.length, 3, 'other sandboxes')
  t.match(internet, /^abstract blocked$/m)
  t.match(internet, /^resolv nameserver 192.0.2.53 nameserver 192.0.2.54$/m)
  t.notMatch(found['none'], / (inet|machine)/)
  const connections = Number(found['flood'])
  t.ok(connections > 200 && connections <= 256, `${connections} connections`)
  t.notMatch(found['left'], /hearth|: h[0-9a-z]{7}/, 'nothing is left of it')
  t.equal(found['forwarding'], '0', 'forwarding is as it was')
})
