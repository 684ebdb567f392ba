import { type Attack, ended, type Report } from '../../attack.ts'

/** Whatever became of it, it is this function's own answer or an error. */
const own = ({ status, text }: Report) =>
  status === 200 && text.includes('forged')
    ? `a forged answer: ${text}`
    : [200, 502, 504].includes(status)
      ? undefined
      : `status ${status}: ${text}`

/** The supervisor of custom runtimes: its APIs on the sandbox's loopback, its memory, its process. */
export default [
  {
    name: 'in provided: answers for other events than its own',
    in: 'provided',
    only: ['status 400', 'status 403', 'status 404', 'status 413'],
    body: `exports.attack = async (facts, { attempt, ask, runtime, id }) => {
      const stranger = '11111111-1111-4111-8111-111111111111'
      const refusal = async (call) => { const { status } = await call; if (status < 400) return true; throw { code: 'status ' + status } }
      await attempt('answer', () => refusal(ask('POST', runtime + '/invocation/' + stranger + '/response', '"forged"')))
      await attempt('error', () => refusal(ask('POST', runtime + '/invocation/' + stranger + '/error', '{}')))
      await attempt('in capitals', () => refusal(ask('POST', runtime + '/invocation/' + id.toUpperCase() + '0/response', '"forged"')))
      await attempt('by a path', () => refusal(ask('POST', runtime + '/invocation/../invocation/' + id + '/response', '"forged"')))
      await attempt('next while busy', () => refusal(ask('GET', runtime + '/invocation/next')))
      await attempt('init error while busy', () => refusal(ask('POST', runtime + '/init/error', '{}')))
    }`
  },
  {
    name: 'in provided: asks for events twice and answers each twice',
    in: 'provided',
    calls: 3,
    settings: 'timeout=3',
    body: `exports.attack = async (facts, { ask, runtime, id }) => {
      const answer = (id, text) => ask('POST', runtime + '/invocation/' + id + '/response', JSON.stringify(text)).catch(() => ({}))
      await answer(id, 'mine')
      await answer(id, 'forged')
      const next = () => ask('GET', runtime + '/invocation/next').catch(() => undefined)
      for (let n = 0; n < 20; n++) {
        const events = await Promise.race([Promise.all([next(), next()]), new Promise((resolve) => setTimeout(resolve, 100))])
        for (const event of events ?? []) {
          const id = event?.headers['lambda-runtime-aws-request-id']
          if (id !== undefined) await Promise.all([answer(id, 'mine'), answer(id, 'forged')])
        }
      }
    }`,
    verdict: own
  },
  {
    name: 'in provided: sends requests without end: headers, connections, bodies',
    in: 'provided',
    settings: 'timeout=5',
    body: `exports.attack = async (facts, { net, host, port, refused, sleep, runtime, id }) => {
      const all = []
      for (let n = 0; n < 400; n++) {
        const socket = net.connect(port, host).on('error', () => {})
        socket.write('POST ' + runtime + '/invocation/' + id + 'x/response HTTP/1.1\\r\\nhost: x\\r\\n')
        all.push(socket)
      }
      for (let n = 0; n < 50; n++) { for (const socket of all) socket.write('x-' + n + ': ' + 'y'.repeat(1000) + '\\r\\n'); await sleep(10) }
      refused.connections = 'open'
      for (const socket of all) socket.destroy()
      return 'mine'
    }`,
    verdict: own
  },
  {
    name: 'in provided: answers with a body that never ends',
    in: 'provided',
    settings: 'timeout=3',
    body: `exports.attack = (facts, { http, host, port, runtime, id }) => new Promise(() => {
      const req = http.request({ host, port, method: 'POST', path: runtime + '/invocation/' + id + '/response' }).on('error', () => {})
      const chunk = Buffer.alloc(65536, 120)
      const more = () => { while (req.write(chunk)); req.once('drain', more) }
      more()
    })`,
    verdict: ended()
  },
  {
    name: 'in provided: kills its supervisor',
    in: 'provided',
    settings: 'timeout=3',
    body: `exports.attack = (facts, { supervisor }) => { process.kill(supervisor, 'SIGKILL'); for (;;); }`,
    verdict: ended('Runtime.ExitError')
  },
  {
    name: 'in provided: stops its supervisor for ever',
    in: 'provided',
    settings: 'timeout=2',
    body: `exports.attack = (facts, { supervisor }) => { process.kill(supervisor, 'SIGSTOP'); for (;;); }`,
    verdict: ended('Sandbox.Timedout')
  },
  {
    name: 'in provided: takes its supervisor’s channel',
    in: 'provided',
    only: ['ENXIO', 'EPERM', 'EACCES', 'ENOENT', 'ENOSYS'],
    body: `exports.attack = async (facts, { attempt, fs, supervisor, childProcess }) => {
      await attempt('open', () => fs.openSync('/proc/' + supervisor + '/fd/3', 'r+'))
      const call = (name, ...args) => attempt(name, () => {
        const { stdout } = childProcess.spawnSync('/usr/bin/perl', ['-e', 'my ($n, @args) = map { $_ + 0 } @ARGV; print syscall($n, @args) < 0 ? $! + 0 : 0', facts['number.' + name], ...args.map(String)])
        if (stdout.toString() === '0') return true
        throw { code: { 1: 'EPERM', 38: 'ENOSYS' }[stdout] ?? 'errno ' + stdout }
      })
      await call('ptrace', 16, supervisor, 0, 0)
      await call('pidfd_getfd', 3, 3, 0)
      await call('process_vm_readv', supervisor, 0, 0, 0, 0, 0)
      await call('kcmp', process.pid, supervisor, 0, 3, 3)
    }`
  },
  {
    name: 'in provided: overwrites its supervisor’s memory',
    in: 'provided',
    settings: 'timeout=5',
    // It has no more rights than the attacker: this is the function's own loss.
    body: `exports.attack = (facts, { fs, supervisor }) => {
      const memory = fs.openSync('/proc/' + supervisor + '/mem', 'r+')
      for (const line of fs.readFileSync('/proc/' + supervisor + '/maps', 'utf8').split('\\n')) {
        const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) (?:r-xp|rw-p)/.exec(line) ?? []
        if (from === '' || line.includes('[v')) continue
        const length = Math.min(1 << 20, Number(BigInt('0x' + to) - BigInt('0x' + from)))
        try { fs.writeSync(memory, Buffer.alloc(length, 0xcc), 0, length, BigInt('0x' + from)) } catch {}
      }
      for (;;);
    }`,
    verdict: ended()
  },
  {
    name: 'in provided: registers extensions without end, and sends telemetry outside',
    in: 'provided',
    only: ['status 400', 'status 403', 'status 404'],
    body: `
      exports.init = async ({ ask, attempt, sleep }) => {
        const register = (name) => ask('POST', '/2020-01-01/extension/register', '{"events":[]}', { 'lambda-extension-name': name })
        const identifiers = []
        for (let n = 0; n < 1000; n++) {
          const { status, headers } = await register('extension-' + n)
          if (status === 200) identifiers.push(headers['lambda-extension-identifier'])
        }
        await attempt('a thousand extensions', () => { if (identifiers.length > 10) return true; throw { code: 'status 403' } })
        const subscribe = async (destination) => {
          const body = JSON.stringify({ schemaVersion: '2022-12-13', types: ['platform', 'function'], destination })
          const { status } = await ask('PUT', '/2022-07-01/telemetry', body, { 'lambda-extension-identifier': identifiers[0] })
          if (status < 400) return true
          throw { code: 'status ' + status }
        }
        for (const host of ['169.254.169.254', '1.1.1.1', '10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', '[::1]']) {
          await attempt('telemetry to ' + host, () => subscribe({ protocol: 'HTTP', URI: 'http://' + host + ':80/' }))
        }
        await attempt('telemetry to a file', () => subscribe({ protocol: 'HTTP', URI: 'file:///tmp/x' }))
        await attempt('telemetry to no port', () => subscribe({ protocol: 'TCP', port: 1e9 }))
        // They wait for their next event like good ones, or nothing would ever begin.
        for (const id of identifiers) ask('GET', '/2020-01-01/extension/event/next', '', { 'lambda-extension-identifier': id }).catch(() => {})
        await sleep(100)
      }
      exports.attack = () => undefined
    `
  },
  {
    name: 'in provided: names its errors with what breaks headers',
    in: 'provided',
    body: `exports.attack = async (facts, { net, host, port, runtime, id }) => {
      const socket = net.connect(port, host)
      const body = JSON.stringify({ errorType: 'X\\r\\nx-injected: yes', errorMessage: 'x' })
      socket.write('POST ' + runtime + '/invocation/' + id + '/error HTTP/1.1\\r\\nhost: x\\r\\nLambda-Runtime-Function-Error-Type: Function.X\\tx-injected: yes' + '\\u00e9'.repeat(4000) + '\\r\\ncontent-length: ' + body.length + '\\r\\n\\r\\n' + body)
      await new Promise((resolve) => socket.once('data', resolve))
      for (;;) await new Promise((resolve) => setTimeout(resolve, 1000))
    }`,
    settings: 'timeout=3',
    verdict: (report) => (report.headers.has('x-injected') ? 'a header was injected' : ended()(report))
  }
] satisfies readonly Attack[]
