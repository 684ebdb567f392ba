import type { Attack } from '../attack.ts'
import type { World } from '../world.ts'

const UNREACHABLE = [
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'ENOENT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ECONNRESET',
  'no answer',
  'Error: no answer',
  'nothing',
  'ETIMEDOUT',
  'EINVAL',
  'ECONNABORTED'
]
const noInternet = (world: World) =>
  world.weak.has('network-internet') ? 'this server gives no function a network' : undefined

/** The machine, its network, the server's own ports and other sandboxes, by any kind of address. */
export default [
  {
    name: 'connects to the machine’s loopback: the gateway, the control plane and others',
    only: UNREACHABLE,
    control: ['canary', 'canary by name', 'server 0', 'server 1'],
    async body({ facts, connect }) {
      const { port } = facts.canary
      await connect('canary', '127.0.0.1', port)
      await connect('canary by name', 'localhost', port)
      await connect('all addresses', '0.0.0.0', port)
      await connect('loopback net', '127.9.9.9', port)
      await connect('mapped', '::ffff:127.0.0.1', port)
      let n = 0
      for (const own of facts.ports) await connect(`server ${n++}`, '127.0.0.1', own)
    }
  },
  {
    name: 'connects to the machine’s own addresses, its network, the internet and cloud metadata',
    only: UNREACHABLE,
    async body({ facts, connect }) {
      for (const address of facts.addresses) {
        for (const port of [facts.canary.port, ...facts.ports, 22]) await connect(`${address}:${port}`, address, port)
        await connect(`neighbour of ${address}`, address.replace(/\d+$/, '1'), 80)
      }
      for (const host of ['169.254.169.254', '100.100.100.200', '10.0.2.2', '192.168.0.1', '1.1.1.1', 'fd00:ec2::254'])
        await connect(host, host, 80)
    }
  },
  {
    name: 'connects to the machine’s own addresses, as it could without a network namespace',
    only: UNREACHABLE,
    control: ['own 0'],
    skip: (world) => (world.facts.addresses.length === 0 ? 'this machine has only loopback' : undefined),
    async body({ facts, connect }) {
      let n = 0
      for (const address of facts.addresses) await connect(`own ${n++}`, address, facts.canary.port)
    }
  },
  {
    name: 'sends datagrams out and asks the resolver',
    only: UNREACHABLE,
    control: ['127.0.0.1'],
    async body({ facts, dgram, attempt }) {
      const socket = dgram.createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, resolve))
      for (const host of ['127.0.0.1', ...facts.addresses, '1.1.1.1', '169.254.169.254', '255.255.255.255']) {
        // On its own loopback a sandbox may send what it likes: whether it arrives, the receiver says.
        if (facts.who === 'sandbox' && host === '127.0.0.1') {
          await new Promise((resolve) => socket.send(facts.who, facts.canary.port, host, resolve))
          continue
        }
        await attempt(
          host,
          () =>
            new Promise((resolve, reject) =>
              socket.send(facts.who, facts.canary.port, host, (error) =>
                error === null ? resolve(true) : reject(error)
              )
            )
        )
        if (facts.who === 'control') break
      }
      socket.close()
      if (facts.who === 'sandbox') {
        const dns = process.getBuiltinModule('node:dns').promises
        await attempt('resolver', () => dns.lookup('example.com'))
        await attempt('resolver by packet', () => new dns.Resolver({ timeout: 300, tries: 1 }).resolve4('example.com'))
      }
    }
  },
  {
    name: 'connects to abstract sockets of the machine and of another sandbox',
    only: UNREACHABLE,
    control: ['canary', 'listed'],
    async body({ facts, fs, attempt, perl }) {
      const script =
        'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un("\\0$ARGV[0]")) or exit; sysread $s, my $text, 200; print $text'
      await attempt('canary', () => perl(script, [facts.canary.abstractSocket]) !== '')
      await attempt('listed', () => /@/.test(fs.readFileSync('/proc/net/unix', 'utf8')))
    }
  },
  {
    name: 'connects to sockets in files: a service’s, the system bus, Docker, the launcher',
    only: UNREACHABLE,
    control: ['canary'],
    async body({ facts, net, attempt, fs }) {
      const sockets = {
        canary: facts.canary.socket,
        launcher: '/control/socket',
        'run folder': `${facts.dataDir}/../run/control/socket`,
        docker: '/var/run/docker.sock',
        containerd: '/run/containerd/containerd.sock',
        bus: '/run/dbus/system_bus_socket',
        systemd: '/run/systemd/private',
        journal: '/run/systemd/journal/socket',
        'through init': `/proc/1/root${facts.canary.socket}`
      }
      for (const [name, path] of Object.entries(sockets)) {
        if (facts.who === 'control' && name !== 'canary') continue
        await attempt(
          name,
          () => new Promise((resolve, reject) => net.connect({ path }, () => resolve(true)).once('error', reject))
        )
      }
      await attempt('folder of sockets', () => {
        // Where Hearth shows the supervisor of custom runtimes.
        const others = fs.readdirSync('/run').filter((name) => name !== 'hearth')
        return others.length > 0 && facts.who === 'sandbox'
      })
    }
  },
  {
    name: 'reads the machine’s interfaces, routes and connections',
    only: ['nothing', 'ENOENT', 'EACCES', 'EINVAL'],
    control: ['server’s port', 'interfaces'],
    async body({ facts, fs, os, attempt }) {
      const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')} `
      await attempt('server’s port', () =>
        facts.ports.some((port) => fs.readFileSync('/proc/net/tcp', 'utf8').includes(hex(port)))
      )
      await attempt('interfaces', () => {
        const names = Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo')
        const lines = fs.readFileSync('/proc/net/dev', 'utf8').trim().split('\n').slice(2)
        return names.length > 0 || lines.length > 1
      })
      if (facts.who === 'control') return
      for (const name of ['route', 'arp', 'udp', 'raw', 'packet']) {
        await attempt(name, () => fs.readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').length > 1)
      }
    }
  },
  {
    name: 'with a network: reaches the machine, its network, metadata and the server all the same',
    settings: 'network=internet&timeout=10',
    skip: noInternet,
    only: UNREACHABLE,
    async body({ facts, fs, os, connect, notes, attempt }) {
      const own = os.networkInterfaces()['eth0']?.find(({ family }) => family === 'IPv4')?.address
      notes['own address'] = own
      if (own === undefined) throw new Error('this function has no network')
      const gateway =
        fs
          .readFileSync('/proc/net/route', 'utf8')
          .split('\n')
          .map((line) => line.split('\t'))
          .find((row) => row[1] === '00000000')?.[2] ?? '00000000'
      const machine = gateway
        .match(/../g)!
        .map((byte) => Number.parseInt(byte, 16))
        .reverse()
        .join('.')
      notes['machine'] = machine
      const hosts = [
        machine,
        '127.0.0.1',
        ...facts.addresses,
        '169.254.169.254',
        '10.0.0.1',
        '172.16.0.1',
        '192.168.1.1',
        '100.64.0.1',
        '224.0.0.1',
        '::1'
      ]
      await Promise.all(
        hosts.flatMap((host) =>
          [facts.canary.port, ...facts.ports, 80].map((port) => connect(`${host}:${port}`, host, port))
        )
      )
      const linkLocal = os.networkInterfaces()['eth0']?.find(({ family }) => family === 'IPv6')?.address
      notes['link local'] = linkLocal
      await attempt('mail', async () => {
        const { net } = { net: process.getBuiltinModule('node:net') }
        await new Promise((resolve, reject) =>
          net
            .connect({ host: '1.1.1.1', port: 25, timeout: 1_000 }, () => resolve(true))
            .once('error', reject)
            .once('timeout', () => reject(new Error('no answer')))
        )
        return true
      })
    }
  },
  {
    name: 'with a network: reaches the machine and other sandboxes by the link’s own addresses',
    settings: 'network=internet&timeout=10',
    skip: noInternet,
    only: UNREACHABLE,
    calls: 2,
    async body({ facts, net, dgram, os, connect, attempt, sleep }) {
      const own = os.networkInterfaces()['eth0']?.find(({ family }) => family === 'IPv4')?.address
      if (own === undefined) throw new Error('this function has no network')
      const server = net
        .createServer((socket) => socket.on('error', () => {}).end('here'))
        .listen(facts.neighbourPort, '0.0.0.0')
      const [a = 0, b = 0, c = 0, d = 0] = own.split('.').map(Number)
      const addresses: string[] = []
      for (let slot = -6; slot <= 6; slot++) {
        const n = ((a << 24) | (b << 16) | (c << 8) | d) + slot * 4
        if (slot !== 0) addresses.push([24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.'))
      }
      await sleep(200)
      await Promise.all(
        addresses.flatMap((host) => [
          connect(`${host}:neighbour`, host, facts.neighbourPort),
          connect(`${host}:canary`, host, facts.canary.port)
        ])
      )
      const socket = dgram.createSocket('udp4')
      await attempt(
        'broadcast',
        () =>
          new Promise((resolve, reject) => {
            socket.on('error', reject)
            socket.bind(0, () => {
              socket.setBroadcast(true)
              socket.send(facts.who, facts.canary.port, '255.255.255.255', (error) =>
                error === null ? resolve(false) : reject(error)
              )
            })
          })
      )
      socket.close()
      server.close()
    }
  }
] satisfies readonly Attack[]
