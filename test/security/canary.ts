import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import type { Facts } from './kit.ts'

/** A process with a secret in its environment, a file in /dev/shm, a SysV segment and an abstract socket. */
export const CANARY_PROCESS = String.raw`
  use Socket; use POSIX (); use Errno;
  my ($shm, $key, $name) = @ARGV; my $secret = $ENV{HEARTH_CANARY}; $| = 1;
  open(my $f, '>', "/dev/shm/$shm") or die "shm: $!"; print $f $secret; close $f; chmod 0644, "/dev/shm/$shm";
  my $id = shmget($key, 64, 0666 | 01000); # a sandbox without cgroups has no such calls
  if (defined $id) { shmwrite($id, $secret, 0, 64) or die "shmwrite: $!" } else { $!{ENOSYS} or die "shmget: $!" }
  socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; bind($s, pack_sockaddr_un("\0$name")) or die "bind: $!"; listen($s, 5) or die;
  $SIG{TERM} = sub { shmctl($id, 0, 0) if defined $id; unlink "/dev/shm/$shm"; POSIX::_exit(0) };
  syscall((POSIX::uname())[4] eq 'aarch64' ? 167 : 157, 1, 15, 0, 0, 0); # PR_SET_PDEATHSIG
  print "ready\n";
  while (1) { accept(my $c, $s) or next; syswrite $c, $secret; close $c }
`

export interface Canaries {
  readonly facts: Facts['canary']
  readonly secret: string
  /** Connections and packets that came from a sandbox. */
  readonly hits: readonly string[]
  /** What is wrong with them. */
  damage(): string | undefined
  close(): Promise<void>
}

/**
 * Things to reach for, on this machine and readable for everybody.
 *
 * @param dir - a folder of the test's own, below /tmp
 * @param uid - owner of the canary process: the server's, who could signal and trace it
 */
export async function openCanaries(dir: string, uid: number | undefined): Promise<Canaries> {
  const secret = `secret-${randomBytes(24).toString('hex')}`
  const id = randomBytes(6).toString('hex')
  const shmName = `hearth-canary-${id}`
  const sysvKey = randomInt(1 << 20, 1 << 30)
  mkdirSync(dir, { recursive: true })
  chmodSync(dir, 0o777)
  const file = path.join(dir, 'secret')
  const socketPath = path.join(dir, 'socket')
  writeFileSync(file, secret, { mode: 0o644 })

  const hits: string[] = []
  const tcp = createServer((connection) => {
    connection.on('error', () => {})
    connection.on('data', (data) => {
      if (data.toString().startsWith('sandbox')) hits.push(`tcp from ${connection.remoteAddress}: ${data.toString()}`)
    })
    connection.write(secret)
  })
  const port = await listening(tcp, { port: 0, host: '0.0.0.0' })
  const unix = createServer((connection) => connection.on('error', () => {}).end(secret))
  await listening(unix, { path: socketPath })
  chmodSync(socketPath, 0o777)
  const udp = createSocket('udp4')
  udp.on('message', (data, from) => {
    if (data.toString().startsWith('sandbox')) hits.push(`udp from ${from.address}: ${data.toString()}`)
  })
  await new Promise<void>((resolve) => udp.bind(port, '0.0.0.0', resolve))

  const child = spawn('/usr/bin/perl', ['-e', CANARY_PROCESS, shmName, String(sysvKey), shmName], {
    env: { HEARTH_CANARY: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`canary ended with ${code}`)))
  })
  return {
    secret,
    hits,
    facts: {
      dir,
      file,
      socket: socketPath,
      abstractSocket: shmName,
      shmName,
      sysvKey,
      pid: child.pid!,
      port
    },
    damage() {
      if (child.exitCode !== null || child.signalCode !== null) return 'the canary process is dead'
      if (!/^State:\s+S/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')))
        return 'the canary process was stopped'
      if (readFileSync(file, 'utf8') !== secret) return 'the canary file was changed'
      if (readFileSync(`/dev/shm/${shmName}`, 'utf8') !== secret) return 'the canary in /dev/shm was changed'
      return hits.length === 0 ? undefined : `reached: ${hits.join(', ')}`
    },
    close: () => closeAll(child, tcp, unix, udp)
  }
}

function listening(server: Server, where: { port: number; host: string } | { path: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

async function closeAll(child: ChildProcess, tcp: Server, unix: Server, udp: UdpSocket): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await gone
  }
  udp.close()
  for (const server of [tcp, unix]) await new Promise((resolve) => server.close(resolve))
}
