import { readFileSync } from 'node:fs'
import { treeOf } from '../../helpers/hearth.ts'
import { type Attack, ended } from '../attack.ts'

/** Other functions on the same server: their files, memory, sockets, code, environment and logs. */
export default [
  {
    name: 'reads another function’s /tmp and /dev/shm',
    only: ['ENOENT', 'nothing', 'EACCES'],
    control: ['shared memory file'],
    async body({ facts, fs, attempt }) {
      await attempt('shared memory file', () => fs.readFileSync(`/dev/shm/${facts.canary.shmName}`))
      if (facts.who === 'control') return
      await attempt('its file in /tmp', () => fs.readFileSync('/tmp/neighbour'))
      await attempt('its file in /dev/shm', () => fs.readFileSync('/dev/shm/neighbour'))
      await attempt('anything in /tmp', () => fs.readdirSync('/tmp').length > 0)
      await attempt('anything in /dev/shm', () => fs.readdirSync('/dev/shm').length > 0)
    }
  },
  {
    name: 'attaches another function’s System V memory, queues and semaphores',
    only: ['nothing'],
    control: ['segment', 'listed'],
    async body({ facts, fs, attempt, perl }) {
      const script = 'my $id = shmget($ARGV[0], 64, 0) // exit; shmread($id, my $text, 0, 64) or exit; print $text'
      await attempt('segment', () => perl(script, [String(facts.canary.sysvKey)]) !== '')
      const listed = (kind: string) => fs.readFileSync(`/proc/sysvipc/${kind}`, 'utf8').trim().split('\n').length > 1
      await attempt('listed', () => listed('shm'))
      await attempt('queues', () => facts.who === 'sandbox' && (listed('msg') || listed('sem')))
    }
  },
  {
    name: 'connects to a port that another function listens on',
    only: ['ECONNREFUSED'],
    async body({ facts, connect }) {
      for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) await connect(host, host, facts.neighbourPort)
    }
  },
  {
    name: 'reads another function’s code and environment',
    only: ['ENOENT', 'EACCES', 'nothing'],
    async body({ facts, fs, attempt }) {
      await attempt('all code', () => fs.readdirSync(`${facts.dataDir}/code`))
      await attempt('all packages', () => fs.readdirSync(`${facts.dataDir}/artifacts`))
      await attempt('beside its own', () =>
        fs.readdirSync('/var/task/..').some((name) => !['lang', 'runtime', 'task'].includes(name))
      )
      await attempt('through its folder', () => {
        const folder = fs.openSync('/var/task', 'r')
        process.chdir(`/proc/self/fd/${folder}`)
        process.chdir('..')
        return fs.readdirSync('.').some((name) => /^[0-9a-f]{64}$/.test(name))
      })
      await attempt('other code in /var/task', () =>
        fs.readdirSync('/var/task').some((name) => !facts.files.includes(name))
      )
    }
  },
  {
    name: 'writes log lines that look like another function’s or break out of its log file',
    body({ frame, write, facts }) {
      const meta = (at: number, level: number) => {
        const bytes = Buffer.alloc(9)
        bytes.writeDoubleLE(at, 0)
        bytes.writeUInt8(level, 8)
        return bytes
      }
      const forged = '"}\n{"t":"2020-01-01T00:00:00.000Z","stream":"x","requestId":"x","level":"INFO","msg":"forged"}\n'
      if (facts.who === 'control') return undefined
      for (const at of [Number.NaN, Infinity, -1e300, 1e300, 8.64e15, -8.64e15, 0])
        write(3, frame(21, 1, meta(at, 255), forged))
      write(3, frame(21, 0, meta(Date.now(), 2), 'of no event'))
      write(3, frame(21, 4_000_000_000, meta(Date.now(), 2), 'of another event'))
      write(3, frame(21, 1, meta(Date.now(), 2), Buffer.from([0xff, 0xfe, 0x00, 0xc0, 0x80, 0x0a, 0x22, 0x5c])))
      write(1, Buffer.from(forged))
      return { ok: true }
    },
    async verdict(report, world) {
      if (report.status !== 200) return `${report.status} ${report.text}`
      const lines = async (name: string) =>
        (await (await world.hearth.request(`/v1/functions/${name}/logs?limit=1000`)).text()).trim().split('\n')
      for (const line of await lines(report.functionName)) {
        const entry = JSON.parse(line) as { msg: string; stream: string; t: string }
        if (entry.msg === 'forged' && entry.stream === 'x') return `forged line: ${line}`
        if (Number.isNaN(Date.parse(entry.t))) return `no time: ${line}`
      }
      const others = (await lines('witness')).concat(await lines('neighbour'))
      return others.some((line) => line.includes('forged')) ? 'a forged line is in another function’s log' : undefined
    }
  },
  {
    name: 'sets variables that steer Node, the loader, shells and the server itself',
    settings: [
      ['NODE_OPTIONS', '--require=/var/task/none.cjs --inspect=0.0.0.0:9229'],
      ['LD_PRELOAD', '/var/task/evil.so'],
      ['LD_AUDIT', '/var/task/evil.so'],
      ['BASH_ENV', '/var/task/evil.sh'],
      ['PERL5OPT', '-Mevil'],
      ['PERL5LIB', '/var/task'],
      ['PYTHONSTARTUP', '/var/task/evil.py'],
      ['HEARTH_DATA_DIR', '/var/task'],
      ['HEARTH_ISOLATION', 'none'],
      ['NODE_CHANNEL_FD', '3'],
      ['PATH', '/var/task']
    ]
      .map(([name, value]) => `env.${name}=${encodeURIComponent(value ?? '')}`)
      .join('&'),
    body: ({ fs, facts }) => ({
      loot: [],
      refused: { 'own process': fs.readFileSync('/proc/self/maps', 'utf8').includes('evil') ? 'loaded' : 'not loaded' },
      notes: { who: facts.who, set: process.env['HEARTH_ISOLATION'] }
    }),
    async verdict(report, world) {
      if (report.failure === 'refused') return report.status === 400 ? undefined : `${report.status} ${report.text}`
      if (report.status !== 200) return `${report.status} ${report.text}`
      if (!report.text.includes('not loaded')) return report.text
      // Instances and their children may have it; the server's own processes may not.
      for (const pid of treeOf(world.hearth.supervisor.pid!)) {
        try {
          if (
            /\/(main|start)\.m?js|hearth-launch/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) &&
            readFileSync(`/proc/${pid}/environ`, 'utf8').includes('evil')
          )
            return `process ${pid} of the server has its variables`
        } catch {
          // gone, or of another user
        }
      }
      return undefined
    }
  },
  {
    name: 'ends its own process in every way while other functions run',
    calls: 4,
    body: () => {
      process.abort()
    },
    verdict: ended('Runtime.ExitError')
  }
] satisfies readonly Attack[]
