// What docker-compose.yml allows the container of Hearth is enough for it, as far as that shows without Docker.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { architecture } from '@hearth/sandbox/internal/syscall-numbers'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { DEPLOY } from './dashboards.ts'

t.setTimeout(120_000)

interface Service {
  readonly privileged?: boolean
  readonly cap_drop: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly command?: readonly string[]
  readonly depends_on?: unknown
}
interface Profile {
  readonly defaultErrnoRet: number
  readonly syscalls: readonly {
    readonly names: readonly string[]
    readonly action: string
    readonly errnoRet?: number
  }[]
}

// The parser that the settings are read with.
const yaml = createRequire(path.join(ROOT, 'packages/shared/package.json'))('yaml') as { parse(text: string): unknown }
const compose = yaml.parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8')) as {
  readonly services: Readonly<Record<'hearth' | 'metrics-key' | 'prometheus' | 'grafana', Service>>
  readonly volumes: Readonly<Record<string, null>>
}
const profile = JSON.parse(readFileSync(path.join(DEPLOY, 'docker/seccomp.json'), 'utf8')) as Profile

t.test('the services of docker-compose.yml fit together', async (t) => {
  t.same(Object.keys(compose.services), ['hearth', 'metrics-key', 'prometheus', 'grafana'])
  for (const [name, service] of Object.entries(compose.services)) {
    t.notOk(service.privileged, name)
    t.same(service.cap_drop, ['ALL'], name)
    for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${name} is not open to the network`)
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      const isThere = source.startsWith('./') ? existsSync(path.join(ROOT, source)) : source in compose.volumes
      t.ok(isThere, `${name}: ${source} is there`)
    }
  }
  const { hearth, prometheus } = compose.services
  const filter = hearth.security_opt.find((option) => option.startsWith('seccomp='))
  t.equal(path.join(ROOT, filter!.slice('seccomp='.length)), path.join(DEPLOY, 'docker/seccomp.json'))
  const config = yaml.parse(readFileSync(path.join(DEPLOY, 'prometheus/prometheus.yml'), 'utf8')) as {
    scrape_configs: { authorization: { credentials_file: string } }[]
  }
  const folder = prometheus.volumes!.find((volume) => volume.startsWith('metrics-key:'))!.split(':')[1]!
  const out = compose.services['metrics-key'].command!
  const written = out[out.indexOf('--out') + 1]!
  t.equal(config.scrape_configs[0]!.authorization.credentials_file, path.join(folder, path.basename(written)))
})

t.test('the Dockerfile copies what there is, and nothing that .dockerignore leaves out', async (t) => {
  const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')
  const sent = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  for (const name of sent) t.ok(existsSync(path.join(ROOT, name)), name)
  for (const [, name] of dockerfile.matchAll(/^COPY --from=build \/opt\/hearth\/(\S+)/gm)) {
    t.ok(name === 'node_modules' || sent.includes(name!), `${name} is in the build`)
  }
  const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile)!
  t.ok(existsSync(path.join(ROOT, (JSON.parse(command!) as string[])[1]!)))
  t.match(dockerfile, /^USER node$/m)
})

t.test('Hearth runs functions with the capabilities and system calls that docker-compose.yml leaves', async (t) => {
  const folder = t.testdir()
  const filter = path.join(folder, 'filter')
  writeFileSync(filter, compile(profile))
  const kept = compose.services.hearth.cap_add!.map((name) => `,+${name.toLowerCase()}`).join('')
  const hearth = await startHearth({
    env: { HEARTH_TMP_DISK: '0', HEARTH_NETWORK: 'internet' },
    through: [...['setpriv', '--inh-caps=-all', `--bounding-set=-all${kept}`, '--'], ...['perl', '-e', LOAD, filter]]
  })
  t.teardown(() => hearth.stop())
  const status = readFileSync(`/proc/${hearth.pids().gateway}/status`, 'utf8')
  t.match(status, /^Seccomp:\t2$/m, 'the filter is there')
  t.notMatch(status, /^CapEff:\t000001ffffffffff$/m, 'and not every capability')

  const deployed = await hearth.deploy('inside', 'export const handler = async (event) => ({ sum: event.a + event.b })')
  t.equal(deployed.status, 201, await deployed.text())
  const answer = await hearth.invoke('inside', { a: 1, b: 2 })
  t.same([answer.status, await answer.json()], [200, { sum: 3 }])
  const runtimes = (await (await hearth.request('/v1/runtimes')).json()) as {
    items: { id: string; interpreter: string | null }[]
  }
  if (runtimes.items.some(({ id, interpreter }) => id.startsWith('python') && interpreter !== null)) {
    await hearth.deploy('snake', 'def handler(event, context):\n    return {"sum": event["a"] + event["b"]}\n')
    t.same(await (await hearth.invoke('snake', { a: 1, b: 2 })).json(), { sum: 3 })
  }
  t.notMatch(hearth.output(), /seccomp|Operation not permitted|Function not implemented/)
})

/** Puts the filter on itself and becomes the program that follows. */
const LOAD = `
  my ($file, @program) = @ARGV;
  open(my $in, '<:raw', $file) or die "$file: $!";
  my $filter = do { local $/; <$in> };
  my $fprog = pack('S x![Q] P', length($filter) / 8, $filter);
  my $prctl = (POSIX::uname())[4] eq 'aarch64' ? 167 : 157;
  syscall($prctl, 22, 2, $fprog, 0, 0) == 0 or die "prctl: $!";
  exec { $program[0] } @program or die "$program[0]: $!";
`.replace(/^/, 'use POSIX ();')

/** The profile as a BPF program, as libseccomp would make it: the processor's own calls, by number, one after the other. */
function compile({ defaultErrnoRet, syscalls }: Profile): Buffer {
  const { audit, numbers } = architecture(process.arch)
  const [ALLOW, KILL, ERRNO] = [0x7fff0000, 0x80000000, 0x00050000]
  const code: [number, number, number, number][] = [
    [0x20, 0, 0, 4],
    [0x15, 1, 0, audit],
    [0x06, 0, 0, KILL],
    [0x20, 0, 0, 0]
  ]
  for (const { names, action, errnoRet } of syscalls) {
    for (const name of names) {
      const number = numbers.get(name)
      if (number === undefined) continue
      code.push([0x15, 0, 1, number], [0x06, 0, 0, action === 'SCMP_ACT_ALLOW' ? ALLOW : ERRNO | errnoRet!])
    }
  }
  code.push([0x06, 0, 0, ERRNO | defaultErrnoRet])
  const bytes = Buffer.alloc(code.length * 8)
  code.forEach(([operation, onTrue, onFalse, k], i) => {
    bytes.writeUInt16LE(operation, i * 8)
    bytes.writeUInt8(onTrue, i * 8 + 2)
    bytes.writeUInt8(onFalse, i * 8 + 3)
    bytes.writeUInt32LE(k >>> 0, i * 8 + 4)
  })
  return bytes
}
