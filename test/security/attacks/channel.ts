import { readdirSync } from 'node:fs'
import { type Attack, ended, type Report } from '../attack.ts'

/** What a caller may see when an instance broke the rules: an error, or the answer that came before. */
const answered = ({ status }: Report) =>
  status === 200 || status === 502 || status === 504 ? undefined : `status ${status}`

/** An attack that writes these bytes to its channel. */
function garbage(name: string, body: Attack['body']): Attack {
  return { name, body, settings: 'timeout=2', verdict: ended('Runtime.ExitError', 'Sandbox.Timedout') }
}

/** The descriptors that connect an instance to the gateway, and answers that are no answers. */
export default [
  garbage('announces a frame of four gigabytes', ({ write, frame }) => {
    const header = frame(19, 1, Buffer.alloc(4), 'x')
    header.writeUInt32LE(0xffff_ffff, 0)
    write(3, header)
    for (;;);
  }),
  garbage('announces more meta than the frame has', ({ write, frame }) => {
    const header = frame(19, 1, Buffer.alloc(4), '1')
    header.writeUInt16LE(0xffff, 6)
    write(3, header)
    for (;;);
  }),
  garbage('sends frames of unknown types and random bytes', ({ write }) => {
    write(3, process.getBuiltinModule('node:crypto').randomBytes(100_000))
    for (;;);
  }),
  garbage('sends an answer one byte larger than may be', ({ write, frame }) => {
    write(3, frame(19, 1, Buffer.alloc(4), Buffer.alloc(6_291_557, 0x20)))
    for (;;);
  }),
  garbage('answers events that it was not given', ({ write, frame }) => {
    for (const seq of [2, 3, 0, 7, 0xffff_ffff]) write(3, frame(19, seq, Buffer.alloc(4), '"forged"'))
    for (;;);
  }),
  garbage('says again that it is ready', ({ write, frame }) => {
    write(3, frame(16, 0, Buffer.alloc(0), ''))
    for (;;);
  }),
  garbage('says again that its init is done', ({ write, frame }) => {
    write(3, frame(17, 0, Buffer.alloc(0), ''))
    for (;;);
  }),
  garbage('says that its init failed in the middle of an event', ({ write, frame }) => {
    write(3, frame(18, 0, Buffer.from('X'), '{}'))
    for (;;);
  }),
  garbage('sends the gateway’s own kinds of frames', ({ write, frame }) => {
    write(3, frame(1, 0, Buffer.alloc(0), '{}'))
    write(3, frame(2, 1, Buffer.alloc(20), '{}'))
    for (;;);
  }),
  garbage('begins an answer and never ends it', ({ write, frame }) => {
    write(3, frame(19, 1, Buffer.alloc(4), Buffer.alloc(6_000_000, 0x20)).subarray(0, 5_999_000))
    for (;;);
  }),
  {
    name: 'answers twice, the second time for whoever comes next',
    calls: 4,
    body({ write, frame }) {
      const answer = frame(19, 1, Buffer.alloc(4), '"mine"')
      write(3, Buffer.concat([answer, answer, frame(19, 2, Buffer.alloc(4), '"forged"')]))
      for (;;);
    },
    settings: 'timeout=2',
    verdict: answered
  },
  {
    name: 'closes its channel',
    body({ fs }) {
      fs.closeSync(3)
      for (;;);
    },
    verdict: (report) => ended('Runtime.ExitError')(report) ?? (report.ms < 5_000 ? undefined : `after ${report.ms} ms`)
  },
  {
    name: 'closes its output and the progress page',
    async body({ fs }) {
      for (const fd of [1, 2, 4]) fs.closeSync(fd)
      return { ok: true }
    },
    verdict: answered
  },
  {
    name: 'gives every event back, for ever',
    settings: 'timeout=2',
    calls: 2,
    alone: true,
    body({ write, frame, fs }) {
      // Reads its next events itself, and gives those back too.
      const bytes = Buffer.alloc(65_536)
      let seq = 1
      for (;;) {
        write(3, frame(22, seq, Buffer.alloc(0), ''))
        const count = fs.readSync(3, bytes)
        if (count === 0) process.exit(0)
        seq = bytes.readUInt32LE(8)
      }
    },
    verdict: (report) =>
      report.status >= 500 || report.status === 429
        ? report.ms < 15_000
          ? undefined
          : `after ${report.ms} ms`
        : `status ${report.status}`
  },
  {
    name: 'writes false numbers into its progress page and dies in mid-event',
    calls: 6,
    async body({ fs, attempt, refused, loot, sleep }) {
      await attempt('longer', () => {
        fs.ftruncateSync(4, 1 << 30)
        return true
      })
      await attempt('shorter', () => {
        fs.ftruncateSync(4, 0)
        return true
      })
      await attempt('past its end', () => fs.writeSync(4, 'x', 5_000) > 0)
      fs.writeSync(4, Buffer.alloc(4096, 0xff), 0, 4096, 0)
      if (loot.length > 0) return { loot, refused }
      await sleep(50)
      process.kill(process.pid, 'SIGKILL')
      return undefined
    },
    verdict: ended('Runtime.ExitError')
  },
  {
    name: 'claims to have begun nothing, so that its events are run again and again',
    calls: 6,
    body({ fs }) {
      fs.writeSync(4, Buffer.alloc(8), 0, 8, 0)
      process.kill(process.pid, 'SIGKILL')
    },
    verdict: ended('Runtime.ExitError')
  },
  {
    name: 'seals the progress page against everybody',
    elsewhere: 'nowhere',
    only: ['EPERM'],
    body({ childProcess, attempt }) {
      const script = 'open(my $page, "+<&=", 4) or exit 9; exit(defined(fcntl($page, 1033, 8)) ? 0 : $! + 0)'
      return attempt('seal', () => {
        const { status } = childProcess.spawnSync('/usr/bin/perl', ['-e', script], {
          stdio: ['ignore', 'ignore', 'ignore', 'ignore', 4]
        })
        if (status === 0) return true
        throw Object.assign(new Error(String(status)), { code: status === 1 ? 'EPERM' : `status ${status}` })
      }).then(() => undefined)
    }
  },
  {
    name: 'passes descriptors to the gateway until it has no room for more',
    alone: true,
    arch: 'x64',
    async body({ childProcess, facts, frame }) {
      const meta = Buffer.alloc(9)
      const bytes = frame(21, 1, meta, 'x').toString('hex')
      const script = `
        my $data = pack('H*', '${bytes}'); my $many = 250;
        open(my $null, '<', '/dev/null'); my @fds = (fileno $null) x $many;
        my $control = pack('Q l l', 16 + 4 * $many, 1, 1) . pack('l*', @fds);
        my $vector = pack('P Q', $data, length $data);
        my $message = pack('Q L x4 P Q P Q L x4', 0, 0, $vector, 1, $control, length $control, 0);
        my $sent = 0; for (1 .. 400) { syscall(${facts.numbers['sendmsg']}, 3, $message, 0) > 0 and $sent++ } print $sent;`
      const { stdout } = childProcess.spawnSync('/usr/bin/perl', ['-e', script], {
        stdio: ['ignore', 'pipe', 'inherit', 3]
      })
      return { loot: [], refused: { sent: stdout.toString() }, notes: {} }
    },
    verdict(report, world) {
      if (Number(report.refused['sent']) < 1) return `nothing was sent: ${report.text}`
      const open = readdirSync(`/proc/${world.gatewayPid}/fd`).length
      return open < 300 ? undefined : `the gateway has ${open} descriptors`
    }
  },
  {
    name: 'poisons the built-ins that its runtime is written with',
    body() {
      const evil = () => {
        throw new Error('poisoned')
      }
      const proto = Object.prototype as Record<string, unknown>
      for (const name of ['toJSON', 'then', 'type', 'seq', 'payload', 'errorType']) {
        Object.defineProperty(proto, name, { get: () => undefined, set: () => undefined, configurable: true })
      }
      for (const [owner, names] of [
        [Array.prototype, ['push', 'shift', 'map', 'join']],
        [Buffer.prototype, ['write', 'copy', 'toString', 'writeUInt32LE', 'utf8Write']],
        [Uint8Array.prototype, ['set', 'subarray', 'copyWithin']],
        [Promise.prototype, ['then', 'catch']],
        [Function.prototype, ['call', 'apply', 'bind']],
        [Date.prototype, ['toISOString']],
        [String.prototype, ['replace', 'split']]
      ] as const) {
        for (const name of names) (owner as unknown as Record<string, unknown>)[name] = evil
      }
      JSON.stringify = (() => '{"forged":true}') as typeof JSON.stringify
      JSON.parse = evil as typeof JSON.parse
      process.exit = evil
      globalThis.setImmediate = evil as unknown as typeof setImmediate
      return { own: 1 }
    },
    verdict: (report) =>
      answered(report) ?? (report.text.includes('forged') ? 'its runtime used what it replaced' : undefined)
  },
  {
    name: 'answers with an error type that breaks the response’s headers',
    body({ write, frame }) {
      write(3, frame(20, 1, Buffer.from('\0\0\0\0X\r\nx-injected: yes\r\n\r\n<script>'), '{"errorType":"X"}'))
      for (;;);
    },
    settings: 'timeout=2',
    verdict: (report) =>
      report.headers.has('x-injected')
        ? 'a header was injected'
        : report.status === 502
          ? undefined
          : `status ${report.status}`
  },
  {
    name: 'answers with bytes that are no JSON',
    body({ write, frame }) {
      write(3, frame(19, 1, Buffer.alloc(4), Buffer.from([0xff, 0x00, 0x22, 0x0d, 0x0a, 0x7b])))
      for (;;);
    },
    settings: 'timeout=2',
    verdict: answered
  },
  ...(
    [
      [
        'splits the HTTP response with a header of its own',
        () => ({ statusCode: 200, headers: { 'x-a': '1\r\nx-injected: yes' }, body: 'x' })
      ],
      [
        'says that its response has another length and encoding',
        () => ({
          statusCode: 200,
          headers: {
            'Content-Length': '3',
            'transfer-encoding': 'chunked',
            connection: 'upgrade',
            'x-hearth-function-error': 'X'
          },
          body: 'abcdef'
        })
      ],
      ['answers with a status that is none', () => ({ statusCode: 100, body: 'x' })],
      [
        'pollutes prototypes with its answer',
        () =>
          JSON.parse(
            '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"statusCode":200,"headers":{"__proto__":"x"},"cookies":[{"__proto__":{}}]}'
          ) as object
      ],
      ['answers with a million brackets', () => `[`.repeat(1_000_000)],
      ['nests its answer a million levels deep', null]
    ] as const
  ).map(
    ([name, answer]): Attack => ({
      name: `${name}, at its function URL`,
      via: 'url',
      body:
        answer ??
        (({ write, frame }) => {
          const depth = 1_000_000
          write(3, frame(19, 1, Buffer.alloc(4), '['.repeat(depth) + ']'.repeat(depth)))
          for (;;);
        }),
      settings: 'timeout=3',
      verdict(report) {
        if (report.headers.has('x-injected')) return 'a header was injected'
        if (({} as { polluted?: unknown }).polluted !== undefined) return 'polluted'
        if (report.text === 'abc') return 'the response was cut'
        return report.status === 200 || report.status === 502 ? undefined : `status ${report.status} ${report.text}`
      }
    })
  )
] satisfies readonly Attack[]
